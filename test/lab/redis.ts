/** Redis, the caches in front of MySQL: of production, and of development. */
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { LabServices } from "./lab.ts";
import { startServer } from "./process.ts";
import type { LabContext } from "./process.ts";
import { exchange, waitUntilReady } from "./ready.ts";

/** Takes a command's words; returns them as Redis reads them from the wire. */
function encodeCommand(words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
}

/** Returns the commands that fill the cache as the application does: answers that expire, sessions, a queue, ranks. */
function seedCommands(): string[][] {
  const numbers = (count: number) => Array.from({ length: count }, (_unused, index) => index + 1);
  return [
    ...numbers(300).map((id) => [
      "SET",
      `api:student:${id}`,
      `{"id":${id},"name":"学生 ${id}"}`,
      "EX",
      String(3_600 + id),
    ]),
    ...numbers(60).map((id) => [
      "SET",
      `api:class:${id}`,
      `{"id":${id},"level":"B${1 + (id % 2)}"}`,
    ]),
    ...numbers(80).map((id) => [
      "HSET",
      `session:${id}`,
      "student",
      String(id),
      "page",
      `/exercises/${id * 3}`,
    ]),
    ...numbers(40).map((id) => ["RPUSH", "queue:statistics", `submissions/2014/03/10/${id}.mp3`]),
    ...numbers(100).map((id) => [
      "ZADD",
      "rank:students",
      String((id * 37) % 1_000),
      `student:${id}`,
    ]),
  ];
}

/** Takes its name and address; starts a seeded Redis there and returns it once it answers PING. */
export async function startRedis(
  lab: LabContext,
  name: string,
  address: string,
): Promise<NonNullable<LabServices["redis"]>> {
  const folder = path.join(lab.folder, name);
  mkdirSync(folder);
  const port = await lab.pickPort(address);
  const server = await startServer(lab, {
    name,
    command: "redis-server",
    args: [
      "--port",
      String(port),
      "--bind",
      address,
      "--protected-mode",
      "no",
      "--save",
      "",
      "--dir",
      folder,
    ],
    folder,
    probe: () =>
      exchange({ address, port }, encodeCommand(["PING"]), (answer) =>
        answer.includes("+PONG\r\n"),
      ),
  });
  const commands = [["FLUSHALL"], ...seedCommands(), ["DBSIZE"]];
  const seeded = (answer: Buffer) => answer.toString().split("\r\n").length > commands.length;
  // On a busy machine it may be silent for longer than a probe waits.
  const answers = await waitUntilReady(name, () =>
    exchange({ address, port }, commands.map(encodeCommand).join(""), seeded),
  );
  const keys = Number(answers.toString().trim().split("\r\n").at(-1)?.slice(1));
  return { address, port, pid: server.pid, keys };
}
