import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDynalite } from "../lab/dynalite.ts";
import {
  refusal,
  startScriptedDynamoDb,
  type Call,
  type Reply,
  type ScriptedDynamoDb,
} from "../lab/scripted-dynamodb.ts";
import { KEYS } from "../support/aws-ground.ts";
import { makeDynamoGround, type DynamoGround } from "../support/dynamo-ground.ts";
import { openPty } from "../support/pty.ts";
import { raceRows } from "../support/race-rows.ts";
import { runLcops } from "../support/run-lcops.ts";

/** Rows that are written while the network, the service and other writers do what they do. */
let service: ScriptedDynamoDb;
let ground: DynamoGround;
let table: string;
let stop: () => Promise<void>;
let answer: (call: Call) => Reply | Promise<Reply> = (call) => call.forward();
beforeAll(async () => {
  const dynalite = await startDynalite();
  stop = dynalite.close;
  service = await startScriptedDynamoDb((call) => answer(call), dynalite.url);
  ground = await makeDynamoGround({ url: service.url });
  table = await ground.makeTable("N");
});
afterAll(async () => {
  await ground.remove();
  await service.close();
  await stop();
});

const KEY = { id: { S: "a" }, at: { N: "-7" } };
const at = (name: string): string => path.join(ground.folder, name);
const now = async () => (await ground.get(table, KEY))?.["hits"];
const prepare = async () => {
  answer = (call) => call.forward();
  await ground.put(table, { ...KEY, hits: { N: "5" } });
  expect(
    await ground.lcops("dyn", "dump-row", table, "a", "-7", "-o", at("row.json")),
  ).toMatchObject({ code: 0 });
  const text = readFileSync(at("row.json"), "utf8");
  writeFileSync(at("row.json"), text.replace('"hits": {"N": "5"}', '"hits": {"N": "6"}'));
};
const upload = () => ground.lcops("dyn", "upload-row", at("row.json"), "--yes");
const isWrite = ({ operation }: Call) => operation === "UpdateItem";
const reset: Reply = { body: "", cutAfterBytes: 0 };

test("a write that landed and whose answer was lost is done, and written once", async () => {
  await prepare();
  let first = true;
  answer = async (call) => {
    const reply = await call.forward();
    if (!isWrite(call) || !first) return reply;
    first = false;
    return reset;
  };
  expect(await upload()).toMatchObject({ code: 0, stderr: "" });
  expect(await now()).toEqual({ N: "6" });
  expect(ground.journal().at(-1)).toMatchObject({ state: "done" });
});

test("a write whose answers are all lost is settled by reading", async () => {
  await prepare();
  answer = async (call) => {
    const reply = await call.forward();
    return isWrite(call) ? reset : reply;
  };
  expect(await upload()).toMatchObject({ code: 0, stderr: "" });
  expect(await now()).toEqual({ N: "6" });
});

test("a write that never arrives is said not to be there, and not to be known", async () => {
  await prepare();
  answer = (call) => (isWrite(call) ? reset : call.forward());
  const { code, stderr } = await upload();
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/not known, and so far it is not there/),
  ]);
  expect(await now()).toEqual({ N: "5" });
  expect(ground.journal().at(-1)).toMatchObject({ state: "unknown" });
});

test("a write that landed, its answer lost, and was written over since is not said to be none", async () => {
  await prepare();
  let first = true;
  answer = async (call) => {
    const reply = await call.forward();
    if (!isWrite(call) || !first) return reply;
    first = false;
    await ground.put(table, { ...KEY, hits: { N: "50" } });
    return reset;
  };
  const { code, stderr } = await upload();
  expect([code, stderr]).toEqual([
    5,
    expect.stringMatching(/whether yours was written before is not known[^]*is {4}N 50\n/),
  ]);
  expect(stderr).not.toContain("nothing was written");
  expect(await now()).toEqual({ N: "50" });
  expect(ground.journal().at(-1)).toMatchObject({ state: "unknown" });
});

test("throttles and faults of the service are waited out", async () => {
  await prepare();
  const faults = [
    refusal("ProvisionedThroughputExceededException"),
    { status: 503, body: { __type: "ServiceUnavailable" } },
    refusal("ThrottlingException"),
  ];
  answer = (call) => (isWrite(call) ? faults.shift() : undefined) ?? call.forward();
  expect(await upload()).toMatchObject({ code: 0, stderr: "" });
  expect(await now()).toEqual({ N: "6" });
});

test("a refusal is told in one line, and nothing was written", async () => {
  await prepare();
  answer = (call) => (isWrite(call) ? refusal("AccessDeniedException") : call.forward());
  const { code, stderr } = await upload();
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^lcops: dynamodb:UpdateItem .*permission denied.*\n$/),
  ]);
  expect(ground.journal().at(-1)).toMatchObject({ state: "failed" });

  // Another writer does the same: that is not ours to undo.
  const { id = "" } = ground.journal().at(-2) ?? {};
  await ground.put(table, { ...KEY, hits: { N: "6" } });
  answer = (call) => call.forward();
  expect(await ground.lcops("dyn", "undo", id, "--yes")).toMatchObject({
    code: 5,
    stderr: expect.stringContaining(`the change ${id} was never made`),
  });
  expect(await now()).toEqual({ N: "6" });
});

test.each<[string, () => Reply | undefined, RegExp, string]>([
  ["nothing was written", () => undefined, /faster than it can be written; nothing was/, "failed"],
  [
    "it is not known whether it was written once",
    () => reset,
    /faster than it can be written; whether it was once is not known/,
    "unknown",
  ],
])(
  "a row that never stands still is given up, and it is said that %s",
  async (_what, first, said, state) => {
    await prepare();
    const replies = [first()];
    answer = (call) =>
      isWrite(call)
        ? (replies.shift() ?? refusal("ConditionalCheckFailedException"))
        : call.forward();
    const { code, stderr } = await upload();
    expect([code, stderr]).toEqual([5, expect.stringMatching(said)]);
    expect(ground.journal().at(-1)).toMatchObject({ state });
  },
);

test("another writer between the plan and the write is found by the condition", async () => {
  await prepare();
  let first = true;
  answer = async (call) => {
    if (isWrite(call) && first) {
      first = false;
      await ground.put(table, { ...KEY, hits: { N: "50" } });
    }
    return call.forward();
  };
  const { code, stderr } = await upload();
  expect([code, stderr]).toEqual([5, expect.stringMatching(/is {4}N 50\n/)]);
  expect(await now()).toEqual({ N: "50" });
});

test("what another writer has made of the edit meanwhile is not undone with it", async () => {
  await prepare();
  await ground.put(table, { ...KEY, hits: { N: "5" }, note: { S: "old" } });
  await ground.lcops("dyn", "dump-row", table, "a", "-7", "-o", at("row.json"), "--yes");
  const edited = readFileSync(at("row.json"), "utf8")
    .replace('"hits": {"N": "5"}', '"hits": {"N": "6"}')
    .replace('"note": {"S": "old"}', '"note": {"S": "new"}');
  writeFileSync(at("row.json"), edited);
  let first = true;
  answer = async (call) => {
    if (isWrite(call) && first) {
      first = false;
      await ground.put(table, { ...KEY, hits: { N: "5" }, note: { S: "new" } });
    }
    return call.forward();
  };
  expect(await upload()).toMatchObject({ code: 0 });
  expect(await ground.get(table, KEY)).toMatchObject({ hits: { N: "6" }, note: { S: "new" } });
  expect(await ground.lcops("dyn", "undo", "--yes")).toMatchObject({ code: 0 });
  expect(await ground.get(table, KEY)).toMatchObject({ hits: { N: "5" }, note: { S: "new" } });
});

test("without a journal nothing is written", async () => {
  await prepare();
  const asked = service.count("UpdateItem");
  const blocked = { ...ground.environment, XDG_STATE_HOME: at("blocked") };
  const rows = path.join(ground.environment["XDG_STATE_HOME"] ?? "", "lcops/rows");
  cpSync(rows, at("blocked/lcops/rows"), { recursive: true });
  mkdirSync(at("blocked/lcops/journal.ndjson"));
  const result = await runLcops(["dyn", "upload-row", at("row.json"), "--yes"], {
    environment: blocked,
  });
  expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining("cannot be written") });
  expect(service.count("UpdateItem")).toBe(asked);
});

test("a profile of another account is refused before DynamoDB is asked anything", async () => {
  await prepare();
  const asked = service.calls.length;
  ground.writeKeys({ dev: KEYS.prod });
  try {
    for (const words of [
      ["tables"],
      ["dump-table", table, "-o", at("never.json")],
      ["dump-row", table, "a", "-7"],
      ["upload-row", at("row.json"), "--yes", "--env", "dev"],
      ["undo", "--yes", "--env", "dev"],
      ["capacity", table],
    ]) {
      const result = await ground.lcops("dyn", ...words);
      expect(result, words[0]).toMatchObject({
        code: 5,
        stderr: expect.stringContaining("belongs to account 222222222222"),
      });
    }
  } finally {
    ground.writeKeys({});
  }
  expect(service.calls.length).toBe(asked);
});

const editor = (script: string): Record<string, string> => {
  writeFileSync(at("editor.sh"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { ...ground.environment, EDITOR: `${at("editor.sh")} --wait` };
};

test("edit-row opens the editor, comes back on a mistake, shows the change, asks, and writes it", async () => {
  await prepare();
  // First a number that is none, then a right one.
  const environment = editor(
    `[ "$1" = --wait ] || exit 9
     if grep -q '"six"' "$2"; then sed -i 's/"six"/"6"/' "$2"; else sed -i 's/"N": "5"/"N": "six"/' "$2"; fi`,
  );
  const pty = openPty(["dyn", "edit-row", table, "a", "-7"], { environment });
  try {
    await pty.waitFor(/hits: "six" is no number/);
    await pty.waitFor(/Back to the editor\?/);
    pty.type("y\r");
    await pty.waitFor(/hits: N 5 → N 6/);
    await pty.waitFor(/Go on\?/);
    pty.type("y\r");
    expect((await pty.exit).code).toBe(0);
  } finally {
    pty.kill();
  }
  expect(await now()).toEqual({ N: "6" });
  expect(ground.stateFiles("edits")).toEqual([]);
});

test("an edit that is given up, or refused, is kept and can be uploaded", async () => {
  await prepare();
  const environment = editor(`sed -i 's/"N": "5"/"N": "8"/' "$2"`);
  const pty = openPty(["dyn", "edit-row", table, "a", "-7"], { environment });
  try {
    await pty.waitFor(/Go on\?/);
    pty.type("n\r");
    await pty.waitFor(/your edit is kept: lcops dyn upload-row/);
    expect((await pty.exit).code).toBe(5);
  } finally {
    pty.kill();
  }
  expect(await now()).toEqual({ N: "5" });
  const [kept = ""] = ground.stateFiles("edits");
  expect(await ground.lcops("dyn", "upload-row", kept, "--yes")).toMatchObject({ code: 0 });
  expect(await now()).toEqual({ N: "8" });
});

test("two writers race on one row: no update is lost, and each refusal is explained", async () => {
  expect(await raceRows(6)).toBe(3);
}, 60_000);
