/** Elasticsearch's siblings on the lab's OpenSearch: snapshots and exports, incremental, restored, drilled, pruned. */
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Manifest } from "../../src/backup/manifest.ts";
import { makeGround } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { runLcops } from "../support/run-lcops.ts";
import { makeSearchGround, node, type SearchGround } from "../support/search-ground.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };
const LIMIT_MS = 90_000;

let ground: SearchGround;
let [old, today] = ["", ""];

const lcops: SearchGround["lcops"] = (...words) => ground.lcops(...words);
const manifestOf = (setId: string): Manifest =>
  JSON.parse(readFileSync(ground.at("server/manifests/logs", `${setId}.json`), "utf8")) as Manifest;
const newest = async (): Promise<Manifest> => manifestOf((await ground.sets()).at(-1) ?? "");

async function begin(way: "snapshot" | "export"): Promise<void> {
  ground = await makeSearchGround(way);
  old = `${ground.prefix}2026.11.24`;
  today = `${ground.prefix}2026.11.25`;
  const settings = { number_of_shards: 2, number_of_replicas: 0, refresh_interval: "7s" };
  for (const index of [old, today]) {
    const aliases = { [`${index}-alias`]: {} };
    await ground.ask("PUT", `/${index}`, { settings, aliases, mappings: { dynamic: false } });
    await ground.fill(index, 60);
  }
}
afterEach(async () => {
  await ground?.close();
});

/** Both ways keep these promises. */
function promises(way: "snapshot" | "export"): void {
  test(
    "a set is verified, proven under other names, and an index that was lost comes back byte for byte with its alias",
    async () => {
      const aliases = await ground.ask("GET", `/_alias/${ground.prefix}*`);
      const before = await ground.documentsOf(old);
      expect(Object.keys(before)).toHaveLength(60);
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const manifest = await newest();
      expect(manifest).toMatchObject({
        result: "complete",
        source: { engine: node?.product, version: node?.version },
        totals: { rows: 120 },
        skipped: [],
      });
      expect(manifest.objects).toEqual(expect.arrayContaining([old, today]));
      const parts = manifest.parts.map(({ role }) => role);
      expect(parts).toEqual(
        expect.arrayContaining([
          "aliases",
          "pipelines",
          "templates",
          "index-templates",
          "component-templates",
        ]),
      );
      expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
      expect(await lcops("backup", "drill")).toEqual(QUIET);
      // Nothing of the drill is left, and no alias has moved.
      expect(
        await ground.ask(
          "GET",
          `/_cat/indices/lcops_drill_*${ground.prefix}*?format=json&expand_wildcards=all`,
        ),
      ).toEqual([]);
      expect(await ground.ask("GET", `/_alias/${ground.prefix}*`)).toEqual(aliases);

      await ground.ask("DELETE", `/${old}`);
      expect(
        await lcops("backup", "restore", "logs", "--only", old, "--into", "textlogs", "--yes"),
      ).toEqual(QUIET);
      expect(await ground.documentsOf(old)).toEqual(before);
      expect(await ground.ask("GET", `/_alias/${ground.prefix}*`)).toEqual(aliases);
      expect(await ground.ask("GET", `/${old}/_settings?flat_settings=true`)).toMatchObject({
        [old]: {
          settings: { "index.number_of_shards": "2", "index.refresh_interval": "7s" },
        },
      });

      expect(await lcops("backup", "restore", "logs", "--into", "textlogs", "--yes")).toMatchObject(
        { code: 5, stderr: expect.stringContaining("is what the set was read from") },
      );
      const other = `textlogs/${ground.prefix}re-`;
      expect(await lcops("backup", "restore", "logs", "--into", other, "--yes")).toEqual(QUIET);
      expect(await ground.documentsOf(`${ground.prefix}re-${old}`)).toEqual(before);
      expect(await lcops("backup", "status")).toMatchObject({ code: 0 });
    },
    LIMIT_MS,
  );

  test(
    "an index that is empty is in the set, one that is red is named and missing, and a new one is in the next",
    async () => {
      const [empty, red] = [`${ground.prefix}empty`, `${ground.prefix}red`];
      await ground.ask("PUT", `/${empty}`, {});
      const nowhere = { "index.routing.allocation.require._name": "nowhere" };
      await ground.ask("PUT", `/${red}?wait_for_active_shards=0`, { settings: nowhere });
      const run = await lcops("backup", "run");
      expect(run.code).toBe(3);
      expect(run.stderr).toContain(`${red}: it is red`);
      const incomplete = await newest();
      expect(incomplete).toMatchObject({ result: "incomplete", skipped: [{ object: red }] });
      expect(incomplete.facts.find(({ object }) => object === empty)).toMatchObject({ rows: 0 });
      await ground.ask("DELETE", `/${red}`);
      expect(await lcops("backup", "run")).toEqual(QUIET);
      if (way === "export") {
        // One that keeps no documents cannot be read.
        const sourceless = `${ground.prefix}sourceless`;
        await ground.ask("PUT", `/${sourceless}`, { mappings: { _source: { enabled: false } } });
        await ground.ask("POST", `/${sourceless}/_doc?refresh=true`, { n: 1 });
        const without = await lcops("backup", "run");
        expect(without.code).toBe(3);
        expect(without.stderr).toContain(`${sourceless}: a document has no source`);
        await ground.ask("DELETE", `/${sourceless}`);
        expect(await lcops("backup", "run")).toEqual(QUIET);
      }
      expect(await lcops("backup", "drill")).toEqual(QUIET);
    },
    LIMIT_MS,
  );

  test(
    "an index that is closed, and one that may not be read, keep nothing else from the set",
    async () => {
      const [closed, blocked] = [`${ground.prefix}closed`, `${ground.prefix}blocked`];
      for (const index of [closed, blocked]) {
        await ground.ask("PUT", `/${index}`, {
          settings: { number_of_replicas: 0 },
          mappings: { dynamic: false },
        });
        await ground.fill(index, 7);
      }
      await ground.ask("POST", `/${closed}/_close`);
      await ground.ask("PUT", `/${blocked}/_settings`, { "index.blocks.read": true });
      const run = await lcops("backup", "run");
      const manifest = await newest();
      expect(manifest.facts.map(({ object }) => object)).toEqual([old, today]);
      if (way === "export") {
        expect(run.code).toBe(3);
        expect(run.stderr).toContain(`${closed}: it is closed, and cannot be read`);
        expect(run.stderr).toMatch(new RegExp(`${blocked}: .*HTTP 403.*blocked`));
        return;
      }
      // A snapshot is made of files, and has both.
      expect(run).toEqual(QUIET);
      expect(manifest.objects).toEqual(expect.arrayContaining([closed, blocked]));
      expect(await lcops("backup", "drill")).toEqual(QUIET);
      await ground.ask("DELETE", `/${closed}`);
      const restore = ["backup", "restore", "logs", "--only", closed, "--into", "textlogs"];
      expect(await lcops(...restore, "--yes")).toEqual(QUIET);
      expect(Object.keys(await ground.documentsOf(closed))).toHaveLength(7);
    },
    LIMIT_MS,
  );

  // Once its plan is made, and once its documents are looked at.
  const moments = {
    snapshot: ["/_ingest/pipeline", `/_snapshot/repo-PREFIX1/_verify`],
    export: ["/_ingest/pipeline", "/_component_template"],
  };
  test.each(moments[way])(
    "an index that is removed, and one that is rolled over, at %s fail nothing",
    async (moment) => {
      const at = moment.replace("PREFIX", ground.prefix);
      const rolled = `${ground.prefix}2026.11.26`;
      let isDone = false;
      ground.change.answer = async ({ path: asked }) => {
        if (isDone || asked !== at) return undefined;
        isDone = true;
        await ground.ask("DELETE", `/${old}`);
        await ground.ask("POST", `/${today}-alias/_rollover/${rolled}`);
        return undefined;
      };
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(isDone).toBe(true);
      const manifest = await newest();
      expect(manifest).toMatchObject({
        result: "complete",
        warnings: [{ code: "INDEX_REMOVED", object: old }],
      });
      expect(manifest.objects).not.toContain(old);
      expect(manifest.objects).toContain(today);
      expect(manifest.objects).not.toContain(rolled);
      expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
      expect(await lcops("backup", "drill")).toEqual(QUIET);
    },
    LIMIT_MS,
  );
}

describe.skipIf(!node)("a snapshot", () => {
  beforeEach(() => begin("snapshot"));
  promises("snapshot");

  test(
    "copies what is new alone, is followed by its name, and goes with its set; one made by hand stays",
    async () => {
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const first = (await newest()).external;
      expect(first).toMatchObject({ kind: "snapshot", isRestorable: true });
      expect(first?.bytes?.added).toBeGreaterThan(1000);
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const second = (await newest()).external;
      // Nothing has changed: not a byte of a segment is copied.
      expect(second?.bytes).toEqual({ added: 0, total: first?.bytes?.total });
      await ground.fill(today, 40, 1000);
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const third = await newest();
      expect(third.external?.bytes?.added).toBeGreaterThan(0);
      expect(third.external?.bytes?.added).toBeLessThan(first?.bytes?.added ?? 0);
      expect(third.facts.find(({ object }) => object === today)).toMatchObject({ rows: 100 });

      const repository = `/_snapshot/repo-${ground.prefix}1`;
      await ground.ask("PUT", `${repository}/by-hand?wait_for_completion=true`, {
        indices: old,
        include_global_state: false,
      });
      ground.configure(({ backups }) => {
        const job = backups?.jobs["logs"];
        if (job) job.keep = { last: 1 };
      });
      expect(await lcops("backup", "verify")).toEqual(QUIET);
      const early = await lcops("backup", "prune", "--yes");
      expect(early).toMatchObject({ code: 5, stderr: expect.stringContaining("no drill") });
      expect(await lcops("backup", "drill")).toEqual(QUIET);
      expect(await lcops("backup", "prune", "--yes")).toEqual(QUIET);
      const { snapshots } = (await ground.ask("GET", `${repository}/_all`)) as {
        snapshots: { snapshot: string }[];
      };
      expect(snapshots.map(({ snapshot }) => snapshot).toSorted()).toEqual(
        ["by-hand", third.external?.id.split("/")[1] ?? ""].toSorted(),
      );

      await ground.ask("DELETE", `${repository}/${third.external?.id.split("/")[1]}`);
      const verify = await lcops("backup", "verify");
      expect(verify.code).toBe(4);
      expect(verify.stderr).toContain("is gone");
    },
    LIMIT_MS,
  );

  // The smallest edition of Elasticsearch has none.
  test.skipIf(node?.product === "elasticsearch")(
    "has data streams, which are streams again when they are restored",
    async () => {
      const stream = `${ground.prefix}stream`;
      await ground.ask("PUT", `/_index_template/${stream}`, {
        index_patterns: [stream],
        data_stream: {},
        priority: 500,
        template: { settings: { number_of_replicas: 0 } },
      });
      const remove = async (): Promise<void> => {
        await ground.ask("DELETE", `/_data_stream/${stream}`);
        await ground.ask("DELETE", `/_index_template/${stream}`);
      };
      try {
        for (const n of [1, 2])
          await ground.ask("POST", `/${stream}/_doc?refresh=true`, { "@timestamp": n, n });
        const count = async () =>
          ((await ground.ask("GET", `/${stream}/_count`)) as { count: number }).count;
        expect(await lcops("backup", "run")).toEqual(QUIET);
        expect((await newest()).facts).toContainEqual(
          expect.objectContaining({ object: `.ds-${stream}-000001`, rows: 2 }),
        );
        expect(await lcops("backup", "drill")).toEqual(QUIET);
        const restore = ["backup", "restore", "logs", "--into", "textlogs", "--in-place"];
        const refused = await lcops(...restore, "--confirm", "textlogs");
        expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining("is there") });
        await remove();
        expect(await lcops(...restore, "--confirm", "textlogs")).toEqual(QUIET);
        expect(await count()).toBe(2);
        await ground.ask("POST", `/${stream}/_doc?refresh=true`, { "@timestamp": 3, n: 3 });
        expect(await count()).toBe(3);
      } finally {
        await remove();
      }
    },
    LIMIT_MS,
  );

  test(
    "needs a repository: without one, with another's settings, or one that is read only, nothing is begun",
    async () => {
      const jobOf = (change: (job: NonNullable<Settings>) => void): void =>
        ground.configure(({ backups }) => {
          const settings = backups?.jobs["logs"]?.elasticsearch;
          if (settings) change(settings);
        });
      expect(await lcops("backup", "run")).toEqual(QUIET);
      jobOf((job) => (job.register = { type: "fs", settings: { location: "elsewhere" } }));
      expect(await lcops("backup", "run")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("registered otherwise than the job says: location"),
      });
      jobOf((job) => {
        delete job.register;
        job.repository = "nowhere";
      });
      expect(await lcops("backup", "run")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("has no snapshot repository nowhere"),
      });
      jobOf((job) => (job.repository = `repo-${ground.prefix}1`));
      await ground.ask("PUT", `/_snapshot/repo-${ground.prefix}1`, {
        type: "fs",
        settings: { location: `repo-${ground.prefix}1`, readonly: true },
      });
      expect(await lcops("backup", "run")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("is read-only"),
      });
      await ground.ask("PUT", `/_snapshot/repo-${ground.prefix}1`, {
        type: "fs",
        settings: { location: `repo-${ground.prefix}1` },
      });
      expect(await ground.sets()).toHaveLength(1);
    },
    LIMIT_MS,
  );
});

type Settings = NonNullable<
  NonNullable<SearchGround["config"]["backups"]>["jobs"][string]["elasticsearch"]
>;

describe.skipIf(!node)("an export", () => {
  beforeEach(() => begin("export"));
  promises("export");

  test(
    "refers to what has not changed since, which prune keeps for as long as a kept set has parts of it",
    async () => {
      const bytesOf = ({ totals }: Manifest) => totals.storedBytes;
      const ofOld = (manifest: Manifest) => manifest.parts.filter(({ object }) => object === old);
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const first = await newest();
      expect(first.totals.referred).toBeUndefined();
      expect(ofOld(first)).toHaveLength(2);
      await ground.fill(today, 500, 1000);
      ground.sent.length = 0;
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const second = await newest();
      expect(ofOld(second)).toEqual(ofOld(first).map((part) => ({ ...part, in: first.setId })));
      expect(second.totals).toMatchObject({ rows: 620, referred: { parts: 2 } });
      // Not a document of it was asked for.
      const read = ground.sent.filter(({ path: asked }) => /_search|point_in_time/.test(asked));
      expect(read.filter(({ path: asked }) => asked.startsWith(`/${today}`))).not.toEqual([]);
      expect(read.filter(({ path: asked }) => asked.startsWith(`/${old}`))).toEqual([]);
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const third = await newest();
      expect(third.totals.referred).toMatchObject({ parts: 4 });
      expect(bytesOf(third)).toBeLessThan(bytesOf(second));
      // An update of one document, which leaves their number, is a change.
      await ground.fill(today, 1, 1000);
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect((await newest()).totals.referred).toMatchObject({ parts: 2 });

      ground.configure(({ backups }) => {
        const job = backups?.jobs["logs"];
        if (job) job.keep = { last: 1 };
      });
      expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
      expect(await lcops("backup", "drill")).toEqual(QUIET);
      const plan = await lcops("backup", "prune", "--dry-run");
      expect(plan.stdout + plan.stderr).toContain("has parts of it");
      expect(await lcops("backup", "prune", "--yes")).toEqual(QUIET);
      const last = await newest();
      expect(await ground.sets()).toEqual([first.setId, last.setId]);
      const text = readFileSync(ground.at("server/data/logs", last.setId, "RESTORE.txt"), "utf8");
      expect(text).toContain(`< '../${first.setId}/elasticsearch/indices/`);

      // What another removed by hand is missed where it is referred to, and is read anew.
      const [part] = ofOld(first);
      const file = ground.at("server/data/logs", first.setId, part?.path ?? "");
      rmSync(file);
      const verify = await lcops("backup", "verify");
      expect(verify.code).toBe(4);
      expect(verify.stderr).toContain(`in ${first.setId}, to which it refers: missing`);
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect((await newest()).totals.referred).toBeUndefined();
    },
    LIMIT_MS,
  );

  test(
    "an index of the same name that is another one is read",
    async () => {
      expect(await lcops("backup", "run")).toEqual(QUIET);
      await ground.ask("DELETE", `/${old}`);
      await ground.ask("PUT", `/${old}`, {
        settings: { number_of_shards: 2 },
        mappings: { dynamic: false },
      });
      await ground.fill(old, 60);
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect((await newest()).totals.referred).toMatchObject({ parts: 2 });
      expect((await newest()).parts.filter(({ object }) => object === old)).toMatchObject([
        { seq: 0 },
        { seq: 1 },
      ]);
      expect(
        (await newest()).parts.some((part) => part.object === old && part.in !== undefined),
      ).toBe(false);
    },
    LIMIT_MS,
  );

  test(
    "what would hold up a restore, or change its documents, comes behind them",
    async () => {
      const pipeline = `${ground.prefix}mark`;
      await ground.ask("PUT", `/_ingest/pipeline/${pipeline}`, {
        processors: [],
      });
      try {
        const before = await ground.documentsOf(old);
        await ground.ask("PUT", `/${old}/_settings`, {
          "index.default_pipeline": pipeline,
          "index.final_pipeline": pipeline,
          "index.blocks.write": true,
        });
        expect(await lcops("backup", "run")).toEqual(QUIET);
        expect(await lcops("backup", "drill")).toEqual(QUIET);
        await ground.ask("DELETE", `/${old}`);
        const restore = ["backup", "restore", "logs", "--only", old, "--into", "textlogs", "--yes"];
        expect(await lcops(...restore)).toEqual(QUIET);
        expect(await ground.documentsOf(old)).toEqual(before);
        expect(await ground.ask("GET", `/${old}/_settings?flat_settings=true`)).toMatchObject({
          [old]: {
            settings: {
              "index.blocks.write": "true",
              "index.default_pipeline": pipeline,
              "index.final_pipeline": pipeline,
            },
          },
        });
        // The smallest edition has no processor that could show it in a document.
        const made = ground.sent.filter(({ method, path: asked }) => {
          return method === "PUT" && asked === `/${old}`;
        });
        expect(made.map(({ body }) => body.includes("pipeline"))).toEqual([false]);
        for (const { path: asked } of ground.sent.filter((one) => one.path.includes("/_bulk")))
          expect(asked).toContain("pipeline=_none");
      } finally {
        await ground.ask("DELETE", `/${old}`);
        await ground.ask("DELETE", `/_ingest/pipeline/${pipeline}`);
      }
    },
    LIMIT_MS,
  );
});

(node ? testWith("elasticsearch", "hosts") : test.skip)(
  "through the host it stands on, by the menu's key",
  async () => {
    const lab = await makeGround();
    try {
      const configPath = lab.deriveConfig(({ backups }) => {
        if (backups)
          backups.destinations = { operator: { folder: path.join(lab.folder, "operator") } };
      });
      const options = { environment: lab.environment, timeoutMs: LIMIT_MS };
      const run = await runLcops(["--config", configPath, "menu", "be"], options);
      expect(run).toEqual(QUIET);
      const { stdout } = await runLcops(
        ["--config", configPath, "backup", "list", "elasticsearch", "--json"],
        options,
      );
      const { sets } = JSON.parse(stdout) as { sets: { totals: { rows: number } }[] };
      const documents = Object.values(node?.documents ?? {}).reduce((sum, count) => sum + count, 0);
      expect(sets).toMatchObject([{ result: "complete", totals: { rows: documents } }]);
    } finally {
      lab.remove();
    }
  },
  LIMIT_MS,
);
