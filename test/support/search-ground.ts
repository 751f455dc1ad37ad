/** Indices that a test file has of its own in the lab's OpenSearch, a way to it whose answers can be changed, and two destinations. */
import { once } from "node:events";
import { createServer, request as sendRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import {} from "vitest";
import { type BackupGround, makeBackupGround } from "./backup-ground.ts";
import { useLab } from "./lab.ts";

/** What a request is answered with instead of what the node said. */
export interface Answer {
  status?: number;
  body?: string;
  /** Cuts the connection behind half of the body. */
  isCut?: boolean;
}

type Changed = Answer | undefined;

export interface SentLine {
  method: string;
  path: string;
  body: string;
}

export interface SearchGround extends BackupGround {
  /** What all its indices begin with. */
  prefix: string;
  change: {
    /** Given a request, and what the node said to it, return what is answered instead. */
    answer: (sent: SentLine, said: string) => Changed | Promise<Changed>;
    /** Given a request, return what is answered without asking the node. */
    refuse: (sent: SentLine) => Changed | Promise<Changed>;
  };
  /** Every request that lcops has sent. */
  sent: SentLine[];
  ask: (method: string, path: string, body?: unknown) => Promise<unknown>;
  /** Given an index, fill it with so many documents, some of them odd. */
  fill: (index: string, documents: number, from?: number) => Promise<void>;
  /** Each document of an index, by its id: its source as the node has it, and its routing. */
  documentsOf: (index: string) => Promise<Record<string, string>>;
  /** Names of the indices of this ground. */
  indices: () => Promise<string[]>;
  close: () => Promise<void>;
}

const { elasticsearch } = (await useLab("elasticsearch")).services;
export const node = elasticsearch?.node;
const NODE_URL = `http://${elasticsearch?.address}:${elasticsearch?.port}`;

const ODD_IDS = [
  "a/b",
  "..",
  "ü ö",
  "%2F",
  "-_",
  "a?b#c",
  '"quoted"',
  "学生",
  "a\\b",
  "+1",
  "\u2028",
];
/** As text: what a number of JavaScript would not hold must come back digit by digit, with every space and escape. */
const ODD_SOURCES = [
  '{"serial":9223372036854775807,"ratio":1.10,"e":1E+2,"negative":-0}',
  '{ "message" : "spaces \\u0041 \\/ \\ud83c\\udf92 学生" , "empty":{},"list":[ ] }',
  '{"a":{"b":[1,{"c":"}]\\"{["}],"_id":"no","_source":{"hits":[]}},"null":null}',
  '{"message":"quote \\\\\\" end\\\\"}',
];

let grounds = 0;

/** Makes a ground whose job is a snapshot, or an export. */
export async function makeSearchGround(way: "snapshot" | "export"): Promise<SearchGround> {
  const ground = makeBackupGround();
  const prefix = `bk${process.pid}x${++grounds}-`;
  const change: SearchGround["change"] = { answer: () => undefined, refuse: () => undefined };
  const sent: SentLine[] = [];
  const front = createServer((request, response) => {
    void (async () => {
      const line = {
        method: request.method ?? "",
        path: request.url ?? "",
        body: (await readBody(request)).toString(),
      };
      sent.push(line);
      const refused = await change.refuse(line);
      if (refused) {
        response.writeHead(refused.status ?? 500, { "content-type": "application/json" });
        return response.end(refused.body);
      }
      const said = await forward(line, request.headers["content-type"] ?? "application/json");
      const { status, body, isCut } = (await change.answer(line, said.body.toString())) ?? {};
      const bytes = body === undefined ? said.body : Buffer.from(body);
      response.writeHead(status ?? said.status, {
        "content-type": "application/json",
        "content-length": bytes.length,
      });
      if (!isCut) return response.end(bytes);
      response.write(bytes.subarray(0, bytes.length / 2));
      return setImmediate(() => response.destroy());
    })().catch(() => response.destroy());
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  const { port } = front.address() as AddressInfo;
  ground.configure((config) => {
    config.services = {
      textlogs: { kind: "elasticsearch", environment: "dev", address: "127.0.0.1", port },
    };
    const { backups } = config;
    if (backups)
      backups.jobs = {
        logs: {
          service: "textlogs",
          elasticsearch: {
            way,
            indices: [`${prefix}*`],
            ...(way === "snapshot" && {
              repository: `repo-${prefix}1`,
              register: { type: "fs", settings: { location: `repo-${prefix}1` } },
            }),
          },
        },
      };
  });
  const ask: SearchGround["ask"] = async (method, path, body) => {
    const answer = await forward(
      { method, path, body: body === undefined ? "" : JSON.stringify(body) },
      "application/json",
    );
    const text = answer.body.toString();
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as unknown;
  };
  const indices = async (): Promise<string[]> =>
    ((await ask("GET", `/_cat/indices/${prefix}*?format=json&h=index`)) as { index: string }[])
      .map(({ index }) => index)
      .toSorted();
  return {
    ...ground,
    prefix,
    change,
    sent,
    ask,
    indices,
    fill: async (index, documents, from = 0) => {
      const lines = Array.from({ length: documents }, (_, at) => {
        const number = from + at;
        const id = JSON.stringify(ODD_IDS[number] ?? `${number}`);
        const routing = number % 3 === 0 ? ',"routing":"r é"' : "";
        const source =
          ODD_SOURCES[number] ?? `{"serial":${9007199254740993n + BigInt(number)},"ratio":1.10}`;
        return `{"index":{"_id":${id}${routing}}}\n${source}\n`;
      });
      const { body } = await forward(
        { method: "POST", path: `/${index}/_bulk?refresh=true`, body: lines.join("") },
        "application/x-ndjson",
      );
      if (!body.toString().includes('"errors":false'))
        throw new Error(/"error":.{0,300}/.exec(body.toString())?.[0]);
    },
    documentsOf: async (index) => {
      const { body } = await forward(
        { method: "POST", path: `/${index}/_search`, body: '{"size":10000}' },
        "application/json",
      );
      const text = body.toString();
      // By what JSON.parse makes of it, and its very bytes beside.
      const { hits } = JSON.parse(text) as {
        hits: { hits: { _id: string; _routing?: string; _source: unknown }[] };
      };
      const found: Record<string, string> = {};
      let at = 0;
      for (const { _id, _routing = "" } of hits.hits) {
        at = text.indexOf('"_source":', text.indexOf(`"_id":${JSON.stringify(_id)}`, at)) + 10;
        const end = text.indexOf('},{"_index"', at);
        found[_id] = `${_routing} ${text.slice(at, end === -1 ? text.length - 4 : end)}`;
      }
      return found;
    },
    close: async () => {
      front.closeAllConnections();
      front.close();
      for (const index of await indices()) await ask("DELETE", `/${index}`);
      const repository = `/_snapshot/repo-${prefix}1`;
      const { snapshots = [] } = (await ask("GET", `${repository}/_all`).catch(() => ({}))) as {
        snapshots?: { snapshot: string }[];
      };
      for (const { snapshot } of snapshots) await ask("DELETE", `${repository}/${snapshot}`);
      if (way === "snapshot") await ask("DELETE", repository).catch(() => undefined);
      ground.remove();
    },
  };
}

function forward(
  { method, path, body }: SentLine,
  type: string,
): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = body === "" ? {} : { "content-type": type };
    const options = { method, headers, agent: false } as const;
    sendRequest(NODE_URL + path, options, (response) => {
      readBody(response).then(
        (bytes) => resolve({ status: response.statusCode ?? 0, body: bytes }),
        reject,
      );
    })
      .on("error", reject)
      .end(body);
  });
}

async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Makes a ground whose cluster has an index of two shards with so many documents; returns both. */
export async function makeFilledGround(
  way: "snapshot" | "export",
  documents: number,
  settings: object = {},
): Promise<{ ground: SearchGround; index: string }> {
  const ground = await makeSearchGround(way);
  const index = `${ground.prefix}logs`;
  await ground.ask("PUT", `/${index}`, {
    settings: { number_of_shards: 2, number_of_replicas: 0, ...settings },
    mappings: { dynamic: false },
  });
  await ground.fill(index, documents);
  return { ground, index };
}
