/** What a drill or a restore does to a cluster that others use meanwhile: on the lab's OpenSearch, whose answers are changed on their way where it could not be made to say so. */
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { startLcops } from "../support/run-lcops.ts";
import {
  makeFilledGround,
  node,
  type SearchGround,
  type SentLine,
} from "../support/search-ground.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };
const LIMIT_MS = 90_000;
const DOCUMENTS = 60;

let ground: SearchGround;
let index = "";

async function begin(way: "snapshot" | "export", settings: object = {}): Promise<void> {
  ({ ground, index } = await makeFilledGround(way, DOCUMENTS, settings));
}
afterEach(async () => {
  await ground?.close();
});

const lcops: SearchGround["lcops"] = (...words) => ground.lcops(...words);
const inPlace = ["backup", "restore", "logs", "--into", "textlogs", "--in-place", "--confirm"];
const restoreInPlace = () => lcops(...inPlace, "textlogs");
const isOfDrill = ({ path: asked }: SentLine): boolean => asked.includes("lcops_drill_");

/** What stands there of drills, of this ground and of others that run meanwhile. */
async function listDrills(): Promise<string[]> {
  const rows = (await ground.ask(
    "GET",
    "/_cat/indices/lcops_drill_*?format=json&h=index&expand_wildcards=all",
  )) as { index: string }[];
  // Where there is none it answers 404.
  const { index_templates: templates } = (await ground
    .ask("GET", "/_index_template/lcops_drill_*")
    .catch(() => ({ index_templates: [] }))) as { index_templates: { name: string }[] };
  return [...rows.map((row) => row.index), ...templates.map(({ name }) => name)];
}
/** What drills of this ground begin with, told by what they have sent. */
function drillName(): string {
  const sent = ground.sent.find(isOfDrill);
  return /lcops_drill_[0-9a-f]+_/.exec(sent?.path ?? "")?.[0] ?? "none";
}
const left = async (): Promise<string[]> =>
  (await listDrills()).filter((name) => name.startsWith(drillName()));

describe.skipIf(!node)("the drill of an export", () => {
  test(
    "puts none of its indices behind an alias of the cluster's templates, for no moment, nor before searches of all",
    async () => {
      await begin("export");
      const alias = `${ground.prefix}live`;
      await ground.ask("POST", "/_aliases", { actions: [{ add: { index, alias } }] });
      await ground.ask("PUT", `/_index_template/${ground.prefix}`, {
        index_patterns: ["lcops_drill*"],
        priority: 500,
        template: { aliases: { [alias]: {} }, settings: { number_of_shards: 7 } },
      });
      await ground.ask("PUT", `/_template/${ground.prefix}`, {
        index_patterns: ["lcops*"],
        aliases: { [alias]: {} },
      });
      try {
        expect(await lcops("backup", "run")).toEqual(QUIET);
        const seen: unknown[] = [];
        ground.change.answer = async (sent) => {
          const isWatched =
            isOfDrill(sent) && (sent.method === "PUT" || sent.path.includes("_bulk"));
          if (!isWatched || sent.path.includes("_template")) return undefined;
          seen.push(await ground.ask("GET", `/_alias/${alias}`));
          // Whoever writes by it finds one index behind it, and no other.
          await ground
            .ask("POST", `/${alias}/_doc/live`, {})
            .catch((error: unknown) => seen.push(error));
          const all = (await ground.ask("GET", "/_cat/indices?format=json&h=index")) as {
            index: string;
          }[];
          if (all.some((row) => row.index.startsWith(drillName()))) seen.push(all);
          return undefined;
        };
        expect(await lcops("backup", "drill")).toEqual(QUIET);
        expect(seen.length).toBeGreaterThanOrEqual(2);
        for (const found of seen) expect(found).toEqual({ [index]: { aliases: { [alias]: {} } } });
        expect(await left()).toEqual([]);
      } finally {
        await ground.ask("DELETE", `/_index_template/${ground.prefix}`);
        await ground.ask("DELETE", `/_template/${ground.prefix}`);
      }
    },
    LIMIT_MS,
  );

  test(
    "that may not keep templates away is none, and says so; one of Elasticsearch 7.7 is none where a template has an alias",
    async () => {
      await begin("export");
      expect(await lcops("backup", "run")).toEqual(QUIET);
      ground.change.refuse = ({ method, path: asked }) =>
        method === "PUT" && asked.startsWith("/_index_template/")
          ? { status: 403, body: '{"error":{"type":"security_exception","reason":"no"}}' }
          : undefined;
      const refused = await lcops("backup", "drill");
      expect(refused.code).toBe(3);
      expect(refused.stderr).toContain(
        "is not drilled: needs a user who may make an index template",
      );
      expect(await left()).toEqual([]);

      ground.change.answer = ({ path: asked }, said) =>
        asked === "/"
          ? {
              body: JSON.stringify({
                ...(JSON.parse(said) as object),
                version: { number: "7.7.1" },
              }),
            }
          : undefined;
      await ground.ask("PUT", `/_template/${ground.prefix}`, {
        index_patterns: ["nothing"],
        aliases: { [`${ground.prefix}live`]: {} },
      });
      try {
        const old = await lcops("backup", "drill");
        expect(old.code).toBe(3);
        expect(old.stderr).toContain(`the alias of its template ${ground.prefix}`);
      } finally {
        await ground.ask("DELETE", `/_template/${ground.prefix}`);
      }
      expect(await lcops("backup", "drill")).toEqual(QUIET);
    },
    LIMIT_MS,
  );

  test(
    "of an index whose name leaves no room for another is none, and no failure",
    async () => {
      await begin("export");
      const long = `${ground.prefix}${"n".repeat(220)}`;
      await ground.ask("PUT", `/${long}`, { settings: { number_of_replicas: 0 } });
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const drill = await lcops("backup", "drill");
      expect(drill.code).toBe(3);
      expect(drill.stderr).toContain("is not drilled: needs shorter names of indices");
    },
    LIMIT_MS,
  );

  test(
    "that is killed leaves what the next one removes; one that cannot remove it says so",
    async () => {
      await begin("export");
      expect(await lcops("backup", "run")).toEqual(QUIET);
      let loading: (() => void) | undefined;
      const isLoading = new Promise<void>((resolve) => (loading = resolve));
      ground.change.answer = ({ path: asked }) => {
        if (asked.includes("/_bulk")) loading?.();
        return undefined;
      };
      const running = startLcops(["backup", "drill"], { environment: ground.environment });
      await isLoading;
      running.send("SIGKILL");
      await running.ended;
      expect(await left()).toHaveLength(2);
      ground.change.refuse = (sent) =>
        sent.method === "DELETE" && isOfDrill(sent) && sent.path.endsWith(index)
          ? { status: 403, body: '{"error":{"type":"security_exception","reason":"not that"}}' }
          : undefined;
      expect(await lcops("backup", "drill")).toMatchObject({
        code: 4,
        stderr: expect.stringContaining("not that"),
      });
      ground.change.refuse = () => undefined;
      expect(await lcops("backup", "drill")).toEqual(QUIET);
      expect(await left()).toEqual([]);

      ground.change.refuse = (sent) =>
        sent.method === "DELETE" && isOfDrill(sent)
          ? { status: 403, body: '{"error":{"type":"security_exception","reason":"not that"}}' }
          : undefined;
      const stays = await lcops("backup", "drill");
      expect(stays.code).toBe(3);
      expect(stays.stderr).toMatch(
        /the drill of \S+ has left lcops_drill_\S+\* at textlogs: .*not that/,
      );
      expect(await left()).toHaveLength(2);
      ground.change.refuse = () => undefined;
      expect(await lcops("backup", "drill")).toEqual(QUIET);
      expect(await left()).toEqual([]);
    },
    LIMIT_MS,
  );
});

describe.skipIf(!node)("the restore of a snapshot", () => {
  test(
    "that the cluster refuses leaves what stands there as it is; one that it takes is made over that, which nobody makes anew meanwhile",
    async () => {
      await begin("snapshot");
      const before = await ground.documentsOf(index);
      expect(await lcops("backup", "run")).toEqual(QUIET);
      await ground.fill(index, 1, DOCUMENTS);
      const now = await ground.documentsOf(index);
      ground.change.refuse = ({ path: asked }) =>
        asked.includes("/_restore?")
          ? {
              status: 500,
              body: '{"error":{"type":"snapshot_restore_exception","reason":"too new"}}',
            }
          : undefined;
      expect(await restoreInPlace()).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("too new"),
      });
      expect(await ground.documentsOf(index)).toEqual(now);

      ground.change.refuse = () => undefined;
      const wrote: string[] = [];
      ground.change.answer = async ({ method, path: asked }) => {
        if (method === "GET" || !asked.startsWith(`/${index}`)) return undefined;
        // Logstash goes on, and makes an index that is not there.
        wrote.push(await ground.ask("POST", `/${index}/_doc`, { n: 1 }).then(() => "yes", String));
        return undefined;
      };
      expect(await restoreInPlace()).toEqual(QUIET);
      expect(wrote).toEqual([expect.stringContaining("closed")]);
      ground.change.answer = () => undefined;
      expect(await ground.documentsOf(index)).toEqual(before);
    },
    LIMIT_MS,
  );

  test(
    "takes the place of an index of another number of shards, of one that is red, and of one that is closed",
    async () => {
      await begin("snapshot");
      const before = await ground.documentsOf(index);
      expect(await lcops("backup", "run")).toEqual(QUIET);
      for (const settings of [
        { number_of_shards: 1, number_of_replicas: 0 },
        { number_of_shards: 2, "index.routing.allocation.require._name": "nowhere" },
      ]) {
        await ground.ask("DELETE", `/${index}`);
        await ground.ask("PUT", `/${index}?wait_for_active_shards=0`, { settings });
        expect(await restoreInPlace()).toEqual(QUIET);
        expect(await ground.documentsOf(index)).toEqual(before);
      }
      await ground.ask("POST", `/${index}/_close`);
      expect(await restoreInPlace()).toEqual(QUIET);
      expect(await ground.documentsOf(index)).toEqual(before);
    },
    LIMIT_MS,
  );

  test(
    "of an index that no node takes, or that is removed meanwhile, fails and says why; another cluster's nodes are none that a drill asks for",
    async () => {
      await begin("snapshot");
      await ground.ask("PUT", `/${index}/_settings`, {
        "index.routing.allocation.require.box": "warm",
      });
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const drill = await lcops("backup", "drill");
      expect(drill.code).toBe(4);
      expect(drill.stderr).toMatch(/no node takes shard \d: node does not match .*warm/);
      ground.change.answer = ({ path: asked }, said) =>
        asked === "/"
          ? { body: said.replace(/"cluster_uuid"\s*:\s*"[^"]*"/, '"cluster_uuid":"another"') }
          : undefined;
      expect(await lcops("backup", "drill")).toEqual(QUIET);

      let isGone = false;
      ground.change.answer = async ({ path: asked }, said) => {
        if (asked === "/")
          return { body: said.replace(/"cluster_uuid"\s*:\s*"[^"]*"/, '"cluster_uuid":"another"') };
        if (isGone || !asked.startsWith("/_cat/shards")) return undefined;
        isGone = true;
        for (const name of await left()) await ground.ask("DELETE", `/${name}`);
        return { body: said.replaceAll("STARTED", "INITIALIZING") };
      };
      const removed = await lcops("backup", "drill");
      expect(removed.code).toBe(4);
      expect(removed.stderr).toContain("was removed while it was restored");
      expect(await left()).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "whose repository has lost bytes is found out by a drill, and not by verify, which says that it reads none",
    async () => {
      await begin("snapshot");
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const verified = JSON.parse((await lcops("backup", "verify", "--json")).stdout) as object[];
      for (const verdict of verified)
        expect(verdict).toMatchObject({ unread: expect.stringMatching(/^repo-.*\/lcops-/) });
      const repository = path.join(node?.snapshotFolder ?? "", `repo-${ground.prefix}1`);
      const data = readdirSync(repository, { recursive: true, encoding: "utf8" }).filter((name) =>
        path.basename(name).startsWith("__"),
      );
      expect(data).not.toEqual([]);
      for (const name of data) rmSync(path.join(repository, name));
      const drill = await lcops("backup", "drill");
      expect(drill.code).toBe(4);
      expect(drill.stderr).toMatch(/shard \d was not restored/);
      expect(await left()).toEqual([]);
    },
    LIMIT_MS,
  );
});
