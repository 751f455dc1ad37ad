/** An index that stands is not touched before what takes its place is whole: on the lab's OpenSearch, whose answers are changed on their way where it could not be made to say so. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { startLcops } from "../support/run-lcops.ts";
import { makeFilledGround, node, type SearchGround } from "../support/search-ground.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };
const LIMIT_MS = 90_000;
const DOCUMENTS = 60;

let ground: SearchGround;
let index = "";
/** What the set has, and what stands there now. */
let saved: unknown;
let standing: unknown;

afterEach(async () => {
  await ground?.close();
});

/** Makes a set, and then has another index of that name, of that many shards and with one document more. */
async function begin(way: "snapshot" | "export", shards: number): Promise<void> {
  ({ ground, index } = await makeFilledGround(way, DOCUMENTS));
  saved = await ground.documentsOf(index);
  expect(await ground.lcops("backup", "run")).toEqual(QUIET);
  await ground.ask("DELETE", `/${index}`);
  await ground.ask("PUT", `/${index}`, {
    settings: { number_of_shards: shards, number_of_replicas: 0 },
    mappings: { dynamic: false },
  });
  await ground.fill(index, DOCUMENTS + 1);
  standing = await ground.documentsOf(index);
  expect(standing).not.toEqual(saved);
}

const restore = ["backup", "restore", "logs", "--into", "textlogs", "--in-place", "--confirm"];
const restoreInPlace = () => ground.lcops(...restore, "textlogs");

/** Kills a restore between the index that stood there and the one that is to stand there. */
async function killWhilePlaceIsFree(): Promise<void> {
  const running = startLcops([...restore, "textlogs"], { environment: ground.environment });
  ground.change.refuse = ({ path: asked }) => {
    if (!asked.includes("/_clone/")) return undefined;
    running.send("SIGKILL");
    return refusal("it is dead");
  };
  await running.ended;
  ground.change.refuse = () => undefined;
  expect(await listAsides()).toHaveLength(1);
}

/** What restores of this ground have left beside their indices. */
async function listAsides(): Promise<string[]> {
  const rows = (await ground.ask(
    "GET",
    "/_cat/indices/lcops_restore_*?format=json&h=index&expand_wildcards=all",
  )) as { index: string }[];
  return rows.map((row) => row.index).filter((name) => name.endsWith(index));
}

/** How many parts restores that are not whole remember. */
function countRestored(): number {
  const home = ground.environment["HOME"] ?? "";
  const files = readdirSync(home, { recursive: true, encoding: "utf8" }).filter((name) =>
    /restores\/.+\.ndjson$/.test(name),
  );
  return files.flatMap((name) => readFileSync(path.join(home, name), "utf8").match(/\n/g) ?? [])
    .length;
}

const refusal = (reason: string) => ({
  status: 400,
  body: JSON.stringify({ error: { type: "illegal_argument_exception", reason } }),
});

describe.skipIf(!node)("a snapshot of an index that has another number of shards now", () => {
  test(
    "is restored beside it; where that fails nothing has happened to it, and nothing is left",
    async () => {
      await begin("snapshot", 3);
      ground.change.refuse = ({ path: asked }) =>
        asked.includes("/_restore?") ? refusal("too new") : undefined;
      const refused = await restoreInPlace();
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("too new") });
      ground.change.refuse = () => undefined;
      ground.change.answer = ({ path: asked }, said) =>
        asked.startsWith("/_cat/shards")
          ? {
              body: said
                .replaceAll("STARTED", "UNASSIGNED")
                .replaceAll('"unassigned.reason":null', '"unassigned.reason":"ALLOCATION_FAILED"'),
            }
          : undefined;
      expect((await restoreInPlace()).code).toBe(1);
      ground.change.answer = () => undefined;
      expect(await ground.documentsOf(index)).toEqual(standing);
      expect(await listAsides()).toEqual([]);

      expect(await restoreInPlace()).toEqual(QUIET);
      expect(await ground.documentsOf(index)).toEqual(saved);
      expect(await listAsides()).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "is restored once more where a run was killed while its place was free, and nothing stays beside it",
    async () => {
      await begin("snapshot", 3);
      await killWhilePlaceIsFree();
      expect(await ground.lcops(...restore.slice(0, -2), "--yes")).toEqual(QUIET);
      expect(await ground.documentsOf(index)).toEqual(saved);
      expect(await listAsides()).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "keeps the block that it had, and can be written to where it had none",
    async () => {
      await begin("snapshot", 3);
      expect(await restoreInPlace()).toEqual(QUIET);
      await ground.ask("POST", `/${index}/_doc/more`, { n: 1 });
      await ground.ask("PUT", `/${index}/_settings`, { "index.blocks.read_only": true });
      expect(await ground.lcops("backup", "run")).toEqual(QUIET);
      await ground.ask("PUT", `/${index}/_settings`, { "index.blocks.read_only": null });
      await ground.ask("DELETE", `/${index}`);
      await ground.ask("PUT", `/${index}`, { settings: { number_of_shards: 1 } });
      expect(await restoreInPlace()).toEqual(QUIET);
      expect(await ground.ask("GET", `/${index}/_settings?flat_settings=true`)).toMatchObject({
        [index]: { settings: { "index.blocks.read_only": "true", "index.number_of_shards": "2" } },
      });
      await ground.ask("PUT", `/${index}/_settings`, { "index.blocks.read_only": null });
      expect(await listAsides()).toEqual([]);
    },
    LIMIT_MS,
  );
});

describe.skipIf(!node)("an export of an index that stands", () => {
  test(
    "is restored beside it: what fails half-way touches nothing, and is gone on with",
    async () => {
      await begin("export", 2);
      let bulks = 0;
      ground.change.refuse = ({ path: asked }) =>
        asked.includes("/_bulk") && ++bulks === 2 ? refusal("no more") : undefined;
      const cut = await restoreInPlace();
      expect(cut).toMatchObject({ code: 1, stderr: expect.stringContaining("no more") });
      expect(await ground.documentsOf(index)).toEqual(standing);
      const [aside] = await listAsides();
      expect(aside).toMatch(/^lcops_restore_[0-9a-f]{8}_/);
      // It is nobody's data: not of a backup, nor of a search of all.
      ground.change.refuse = () => undefined;
      expect(await ground.ask("GET", "/_all/_settings")).not.toHaveProperty(aside ?? "");

      expect(await restoreInPlace()).toEqual(QUIET);
      expect(await ground.documentsOf(index)).toEqual(saved);
      expect(await listAsides()).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "that is killed while its place is free takes it the next time, also where somebody has made one there meanwhile",
    async () => {
      await begin("export", 2);
      await killWhilePlaceIsFree();
      await expect(ground.ask("GET", `/${index}`)).rejects.toThrow();

      let made = 0;
      ground.change.refuse = async ({ path: asked }) => {
        if (!asked.includes("/_clone/") || ++made > 2) return undefined;
        await ground.ask("POST", `/${index}/_doc`, { n: 1 });
        return undefined;
      };
      expect(await restoreInPlace()).toEqual(QUIET);
      expect(made).toBe(3);
      expect(await ground.documentsOf(index)).toEqual(saved);
      expect(await listAsides()).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "begins anew where another set was restored over it since it failed",
    async () => {
      ({ ground, index } = await makeFilledGround("export", DOCUMENTS));
      saved = await ground.documentsOf(index);
      const run = await ground.lcops("backup", "run", "--json");
      const [, older = ""] = /"setId":"([^"]+)"/.exec(run.stdout) ?? [];
      for (let id = 20; id < DOCUMENTS; id++)
        if (id % 3 !== 0)
          await ground.ask("PUT", `/${index}/_doc/${id}?refresh=true`, { other: id });
      standing = await ground.documentsOf(index);
      expect(await ground.lcops("backup", "run")).toEqual(QUIET);
      const again = () => ground.lcops(...restore.with(2, older), "textlogs");
      let bulks = 0;
      ground.change.refuse = async ({ path: asked }) => {
        if (!asked.includes("/_bulk") || ++bulks !== 2) return undefined;
        await expect.poll(countRestored, { timeout: 20_000 }).toBe(1);
        return refusal("no more");
      };
      expect(await again()).toMatchObject({ code: 1 });
      ground.change.refuse = () => undefined;
      expect(await restoreInPlace()).toEqual(QUIET);
      expect(await ground.documentsOf(index)).toEqual(standing);
      expect(await again()).toEqual(QUIET);
      expect(await ground.documentsOf(index)).toEqual(saved);
      expect(await listAsides()).toEqual([]);
    },
    LIMIT_MS,
  );
});
