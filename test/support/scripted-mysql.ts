/** A server that speaks MySQL's protocol and knows a few answers by heart: for what no server that runs here says. */
import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { createServer } from "mysql2";
import type { ServicePlace } from "../../src/reach/service-place.ts";

type Value = string | number | null;
export type Answer = readonly Record<string, Value>[] | { code: number; message: string };
/** What is asked, and what is said to it: the first that fits. */
export type Script = readonly (readonly [RegExp, Answer | ((sql: string) => Answer)])[];

export interface ScriptedMysql {
  place: Pick<ServicePlace, "name" | "config" | "endpoint" | "password">;
  /** What has been asked, in its order. */
  asked: string[];
  close: () => void;
}

const UTF8 = 45;
const VAR_STRING = 253;
const SYNTAX_ERROR = { code: 1064, message: "You have an error in your SQL syntax" };
/** All but compression, encryption and what would make a session wait for more. */
const CAPABILITIES = 0xffffff & ~0x20 & ~0x800 & ~0x1000000;

/** Given the name of a service, its version (`8.0.36`) and what it says, start it. What nobody has told it is a syntax error to it. */
export async function startScriptedMysql(
  name: string,
  version: string,
  script: Script,
): Promise<ScriptedMysql> {
  const asked: string[] = [];
  let connections = 0;
  const server = createServer((connection) => {
    // Of packets of one command; the library counts on as a client does.
    const count = (from: number): void => void Object.assign(connection, { sequenceId: from });
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: version,
      connectionId: ++connections,
      statusFlags: 2,
      characterSet: UTF8,
      capabilityFlags: CAPABILITIES,
      authCallback: (_: object, done: (error: null) => void) => {
        done(null);
        count(0);
      },
    });
    connection.on("error", () => undefined);
    const answerTo = (sql: string): void => {
      asked.push(sql);
      const [, found = SYNTAX_ERROR] = script.find(([wanted]) => wanted.test(sql)) ?? [];
      const answer = typeof found === "function" ? found(sql) : found;
      count(1);
      if ("code" in answer) connection.writeError(answer);
      else {
        const names = Object.keys(answer[0] ?? { none: "" });
        connection.writeTextResult([...answer], names.map(describeColumn));
      }
      count(0);
    };
    connection.on("query", answerTo);
    // To the library a SET is the same as a statement that is prepared.
    connection.on("stmt_prepare", answerTo);
  });
  // Its types leave out all but the port.
  const listener = (server as unknown as { _server: Server })._server;
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  return {
    asked,
    place: {
      name,
      config: { kind: "mysql", port, user: "app" },
      endpoint: () => Promise.resolve({ host: "127.0.0.1", port }),
      password: () => Promise.resolve(undefined),
    },
    close: () => void listener.close(),
  };
}

const describeColumn = (name: string) => ({
  catalog: "def",
  schema: "",
  table: "",
  orgTable: "",
  name,
  orgName: name,
  characterSet: UTF8,
  columnLength: 1_000,
  columnType: VAR_STRING,
  flags: 0,
  decimals: 0,
});
