/** What no server can be made to do: the lab's OpenSearch, whose answers are changed on their way. Never fewer documents with exit 0. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import type { Manifest } from "../../src/backup/manifest.ts";
import { startLcops } from "../support/run-lcops.ts";
import {
  type Answer,
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

async function begin(way: "snapshot" | "export"): Promise<void> {
  ({ ground, index } = await makeFilledGround(way, DOCUMENTS));
}
afterEach(async () => {
  await ground?.close();
});

const lcops: SearchGround["lcops"] = (...words) => ground.lcops(...words);
const newest = async (): Promise<Manifest> => {
  const setId = (await ground.sets()).at(-1) ?? "";
  return JSON.parse(
    readFileSync(ground.at("server/manifests/logs", `${setId}.json`), "utf8"),
  ) as Manifest;
};

/** Whether it asks for documents that are to be kept, and not for the few that say how large they are. */
const isPage = ({ path, body }: SentLine): boolean =>
  path.includes("scroll") || path === "/_search/scroll" || /"pit":/.test(body);

/** Every page is answered so, or the first `times` of them. */
function onPages(answer: (said: string) => Answer, times = Infinity): () => number {
  let done = 0;
  ground.change.answer = (sent, said) => {
    if (sent.method !== "POST" || !isPage(sent) || done >= times) return undefined;
    done++;
    return answer(said);
  };
  return () => done;
}

const FAULTS: Record<string, (said: string) => Answer> = {
  "a failed shard": (said) => ({
    body: said.replace(/"failed":0/, '"failed":1').replace(/"hits":\[.*\]/s, '"hits":[]'),
  }),
  "a timed-out page": (said) => ({ body: said.replace('"timed_out":false', '"timed_out":true') }),
  "fewer documents than there are": (said) => ({
    body: said.replace(/,\{"_index"(?:(?!\},\{"_index").)*\}\]\}\}$/s, "]}}"),
  }),
  "a page of nothing": (said) => ({ body: said.replace(/"hits":\[.*\]/s, '"hits":[]') }),
  "a count that is a guess": (said) => ({
    body: said.replace('"relation":"eq"', '"relation":"gte"'),
  }),
  "a cut body": () => ({ isCut: true }),
  "half of its JSON": (said) => ({ body: said.slice(0, said.length / 2) }),
  "no JSON": () => ({ body: "<html>gateway</html>" }),
  "a context that is lost": () => ({
    status: 404,
    body: '{"error":{"type":"search_context_missing_exception","reason":"No search context"}}',
  }),
};

describe.skipIf(!node)("an export", () => {
  test.each(Object.keys(FAULTS))(
    "that meets %s once reads that slice anew, and has every document",
    async (name) => {
      await begin("export");
      const count = onPages(FAULTS[name] ?? (() => ({})), 1);
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(count()).toBe(1);
      expect(await newest()).toMatchObject({ result: "complete", totals: { rows: DOCUMENTS } });
      ground.change.answer = () => undefined;
      expect(await lcops("backup", "drill")).toEqual(QUIET);
    },
    LIMIT_MS,
  );

  test.each(["a failed shard", "a timed-out page", "a count that is a guess"])(
    "that meets %s each time leaves the index out, by name; alone it is no set at all",
    async (name) => {
      await begin("export");
      onPages(FAULTS[name] ?? (() => ({})));
      const alone = await lcops("backup", "run");
      expect(alone.code).toBe(1);
      expect(alone.stderr).toContain(index);
      expect(await ground.sets()).toEqual([]);
      expect(ground.files("server")).toEqual([]);

      // Beside one that can be read the set is incomplete.
      const empty = `${ground.prefix}empty`;
      await ground.ask("PUT", `/${empty}`, {});
      ground.change.answer = (sent, said) =>
        sent.method === "POST" && isPage(sent) && said.includes(`"_index":"${index}"`)
          ? FAULTS[name]?.(said)
          : undefined;
      const run = await lcops("backup", "run");
      expect(run.code).toBe(3);
      expect(run.stderr).toContain(`incomplete: ${index}: `);
      expect(await newest()).toMatchObject({ result: "incomplete", skipped: [{ object: index }] });
    },
    LIMIT_MS,
  );

  test(
    "that meets 429 and 503 waits and goes on; one that is refused is told so",
    async () => {
      await begin("export");
      const refusals = [429, 503, 429];
      ground.change.answer = ({ path }) => {
        if (!path.includes("_search?scroll") && !path.includes("_pit") && !/point_in/.test(path))
          return undefined;
        const status = refusals.pop();
        return status === undefined ? undefined : { status, body: '{"error":{"type":"busy"}}' };
      };
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(refusals).toEqual([]);
      expect(await newest()).toMatchObject({ totals: { rows: DOCUMENTS } });
      ground.change.answer = () => ({ status: 403, body: '{"error":{"type":"security"}}' });
      const refused = await lcops("backup", "run");
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain("HTTP 403");
      expect(await ground.sets()).toHaveLength(1);
    },
    LIMIT_MS,
  );

  test(
    "whose index loses a document without a trace in any answer is found out by its count",
    async () => {
      await begin("export");
      // Both the page and its total lack one, and nothing else says so.
      onPages((said) => ({
        body: said
          .replace(/,\{"_index"(?:(?!\},\{"_index").)*\}\]\}\}$/s, "]}}")
          .replace(/"value":(\d+)/, (_, value: string) => `"value":${Number(value) - 1}`),
      }));
      const run = await lcops("backup", "run");
      expect(run.code).toBe(1);
      expect(run.stderr).toMatch(/58 documents came, and it has 60/);
    },
    LIMIT_MS,
  );

  test.each(["_refresh", "_count"])(
    "whose %s is not heard by every shard asks again; where that stays so the index is left out",
    async (question) => {
      await begin("export");
      const isAsked = ({ path }: SentLine): boolean => path.endsWith(`/${question}`);
      const leaveOut = (said: string): Answer => ({
        body: said.replace('"failed":0', '"failed":1').replace(/"count":\d+/, '"count":29'),
      });
      let times = 2;
      ground.change.answer = (sent, said) =>
        isAsked(sent) && times-- > 0 ? leaveOut(said) : undefined;
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(times).toBeLessThan(0);
      expect(await newest()).toMatchObject({ totals: { rows: DOCUMENTS } });

      // What changed is read again.
      await ground.fill(index, 1, DOCUMENTS);
      ground.change.answer = (sent, said) => (isAsked(sent) ? leaveOut(said) : undefined);
      const run = await lcops("backup", "run");
      expect(run.code).toBe(1);
      expect(run.stderr).toContain(`${index}: 1 shard does not answer to ${question}`);
      expect(await ground.sets()).toHaveLength(1);
    },
    LIMIT_MS,
  );

  test(
    "gives back what the cluster holds for it, also when it is stopped",
    async () => {
      await begin("export");
      let stop: (() => void) | undefined;
      const isReading = new Promise<void>((resolve) => (stop = resolve));
      ground.change.answer = async (sent) => {
        if (!isPage(sent) || sent.method !== "POST") return undefined;
        stop?.();
        return new Promise((resolve) => setTimeout(() => resolve(undefined), 1_000));
      };
      const running = startLcops(["backup", "run"], { environment: ground.environment });
      await isReading;
      running.send("SIGTERM");
      expect((await running.ended).code).toBe(143);
      expect(await ground.sets()).toEqual([]);
      expect(ground.files("server")).toEqual([]);
      ground.change.answer = () => undefined;
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const opened = ground.sent.filter(({ method, path }) => {
        return method === "POST" && (/_search\?scroll/.test(path) || /_pit|point_in/.test(path));
      });
      const closed = ground.sent.filter(({ method, path }) => {
        return method === "DELETE" && /_search\/scroll|_pit|point_in/.test(path);
      });
      // Of the run that was stopped, those whose answers had come.
      expect(opened.length).toBeGreaterThan(0);
      expect(closed.length).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );

  test(
    "is restored item by item: what has no room is sent again, what is refused fails the restore, and it goes on where it stopped",
    async () => {
      await begin("export");
      const before = await ground.documentsOf(index);
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const into = `${ground.prefix}re-`;
      const restore = ["backup", "restore", "logs", "--into", `textlogs/${into}`, "--yes"];
      const changeItem = (said: string, item: object): string => {
        const answer = JSON.parse(said) as { errors: boolean; items: object[] };
        if (answer.items.length > 1) {
          answer.errors = true;
          answer.items[1] = { index: item };
        }
        return JSON.stringify(answer);
      };
      const refused = { status: 400, error: { type: "mapper_parsing_exception", reason: "no" } };
      ground.change.answer = ({ path }, said) =>
        path.includes("/_bulk") ? { body: changeItem(said, refused) } : undefined;
      const failed = await lcops(...restore);
      expect(failed.code).toBe(1);
      expect(failed.stderr).toContain("a document is refused, HTTP 400: mapper_parsing_exception");
      expect(failed.stderr).toContain("restored in part");

      let silent = 2;
      ground.change.answer = ({ path }, said) => {
        if (!path.includes("/_bulk") || silent-- <= 0) return undefined;
        return { body: JSON.stringify({ ...(JSON.parse(said) as object), items: [] }) };
      };
      expect(await lcops(...restore)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/documents were sent, and 0 answered for/),
      });

      const busy = [503, 429, 429];
      const sent: string[] = [];
      ground.change.answer = ({ path, body }, said) => {
        if (!path.includes("/_bulk")) return undefined;
        sent.push(body);
        const status = busy.pop();
        if (status === undefined) return undefined;
        return { body: changeItem(said, { status, error: { type: "rejected" } }) };
      };
      expect(await lcops(...restore)).toEqual(QUIET);
      // One document alone was sent again.
      expect(sent.filter((body) => body.trimEnd().split("\n").length === 2)).not.toEqual([]);
      expect(await ground.documentsOf(into + index)).toEqual(before);
    },
    LIMIT_MS,
  );

  test(
    "whose drill finds another document than it wrote says so, and leaves nothing",
    async () => {
      await begin("export");
      expect(await lcops("backup", "run")).toEqual(QUIET);
      // 1.1 for 1.10: a number of JavaScript could not tell.
      ground.change.answer = (sent, said) =>
        isPage(sent) ? { body: said.replace('"ratio":1.10', '"ratio":1.1 ') } : undefined;
      const drill = await lcops("backup", "drill");
      expect(drill.code).toBe(4);
      expect(drill.stderr).toContain("1 of 1 objects are not as they were");
      expect(
        await ground.ask(
          "GET",
          `/_cat/indices/lcops_drill_*${ground.prefix}*?format=json&expand_wildcards=all`,
        ),
      ).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "whose drill is killed leaves indices that the next one removes",
    async () => {
      await begin("export");
      expect(await lcops("backup", "run")).toEqual(QUIET);
      let loading: (() => void) | undefined;
      const isLoading = new Promise<void>((resolve) => (loading = resolve));
      ground.change.answer = ({ path }) => {
        if (path.includes("/_bulk")) loading?.();
        return undefined;
      };
      const running = startLcops(["backup", "drill"], { environment: ground.environment });
      await isLoading;
      running.send("SIGKILL");
      await running.ended;
      const left = async () =>
        (
          (await ground.ask(
            "GET",
            `/_cat/indices/lcops_drill_*${ground.prefix}*?format=json&expand_wildcards=all&h=index`,
          )) as object[]
        ).length;
      expect(await left()).toBe(1);
      // A backup takes none of it for data.
      ground.configure(({ backups }) => {
        const job = backups?.jobs["logs"]?.elasticsearch;
        if (job) job.indices = ["lcops_drill_*", index];
      });
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect((await newest()).facts.map(({ object }) => object)).toEqual([index]);
      expect(await lcops("backup", "drill")).toEqual(QUIET);
      expect(await left()).toBe(0);
    },
    LIMIT_MS,
  );
});

describe.skipIf(!node)("a snapshot", () => {
  const repository = (): string => `/_snapshot/repo-${ground.prefix}1`;
  const snapshots = async (): Promise<string[]> => {
    const found = (await ground.ask("GET", `${repository()}/_all`)) as {
      snapshots: { snapshot: string }[];
    };
    return found.snapshots.map(({ snapshot }) => snapshot);
  };
  const isOurs = ({ method, path }: SentLine, wanted: string): boolean =>
    method === wanted && /\/lcops-[^/]+$/.test(path.split("?")[0] ?? "");
  /** What is said of our snapshot, changed. */
  const onState = (change: (said: string) => Answer | undefined): void => {
    ground.change.answer = (sent, said) => (isOurs(sent, "GET") ? change(said) : undefined);
  };

  test(
    "that failed, is gone, or whose repository not every node can write to is no set, and is removed",
    async () => {
      await begin("snapshot");
      onState((said) => ({
        body: said.replace(/"state":"\w+"/, '"state":"FAILED","reason":"no room"'),
      }));
      expect(await lcops("backup", "run")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("has failed: no room"),
      });
      expect(await snapshots()).toEqual([]);
      onState(() => ({ status: 404, body: '{"error":{"type":"snapshot_missing_exception"}}' }));
      expect(await lcops("backup", "run")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("is gone, or was never begun"),
      });
      ground.change.answer = ({ path }) =>
        path.endsWith("/_verify")
          ? { status: 500, body: '{"error":{"type":"x","reason":"[n2] cannot access it"}}' }
          : undefined;
      expect(await lcops("backup", "run")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("not every node can write to"),
      });
      expect(await ground.sets()).toEqual([]);
      expect(await snapshots()).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "that is partial is an incomplete set that names what it lacks; one that hides that is none",
    async () => {
      await begin("snapshot");
      onState((said) => ({
        body: said
          .replace(/"state":"SUCCESS"/, '"state":"PARTIAL"')
          .replace(
            /"failures":\[\]/,
            `"failures":[{"index":"${index}","reason":"node has left","shard_id":1}]`,
          )
          .replace(/"failed":0/, '"failed":1'),
      }));
      const run = await lcops("backup", "run");
      expect(run.code).toBe(3);
      expect(run.stderr).toContain(`${index}: node has left`);
      expect(await newest()).toMatchObject({ result: "incomplete", skipped: [{ object: index }] });
      onState((said) => ({ body: said.replace(/"failed":0/, '"failed":1') }));
      expect((await lcops("backup", "run")).code).toBe(1);
      onState((said) => ({ body: said.replace(/"successful":2/, '"successful":1') }));
      expect(await lcops("backup", "run")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("with 1 of 2 shards"),
      });
      // An index that it should have, and has not.
      onState((said) => ({ body: said.replace(/"indices":\[[^\]]*\]/, '"indices":[]') }));
      const without = await lcops("backup", "run");
      expect(without.code).toBe(3);
      expect(without.stderr).toContain(`${index}: it is not in the snapshot`);
    },
    LIMIT_MS,
  );

  test(
    "is followed by its name through lost connections and restarts, and begun once",
    async () => {
      await begin("snapshot");
      let answers = 0;
      ground.change.answer = (sent, said) => {
        // It has begun, and nobody hears of it.
        if (isOurs(sent, "PUT")) return { isCut: true };
        if (!isOurs(sent, "GET")) return undefined;
        answers++;
        if (answers === 1) return { isCut: true };
        if (answers === 2) return { status: 503, body: "{}" };
        if (answers === 3) return { body: said.replace(/"state":"\w+"/, '"state":"IN_PROGRESS"') };
        return undefined;
      };
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(ground.sent.filter((sent) => isOurs(sent, "PUT"))).toHaveLength(1);
      expect(await snapshots()).toHaveLength(1);
    },
    LIMIT_MS,
  );

  test.each([502, 503, 504])(
    "that was begun, though what stands in between said %i, is followed; one that was not is begun again",
    async (status) => {
      await begin("snapshot");
      let asked = 0;
      ground.change.refuse = (sent) =>
        isOurs(sent, "PUT") && asked++ === 0 ? { status, body: "<html></html>" } : undefined;
      ground.change.answer = (sent) =>
        isOurs(sent, "PUT") && asked === 2 ? { status, body: "<html></html>" } : undefined;
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(asked).toBe(2);
      expect(await snapshots()).toEqual([(await newest()).external?.id.split("/")[1]]);
    },
    LIMIT_MS,
  );

  test(
    "waits for another one that is under way",
    async () => {
      await begin("snapshot");
      let refused = 0;
      ground.change.refuse = (sent) =>
        isOurs(sent, "PUT") && refused++ < 2
          ? { status: 503, body: '{"error":{"type":"concurrent_snapshot_execution_exception"}}' }
          : undefined;
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(refused).toBe(3);
    },
    LIMIT_MS,
  );

  test(
    "of a run that is stopped is removed by it, and of one that is killed by the next",
    async () => {
      await begin("snapshot");
      for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        let follow: (() => void) | undefined;
        const isFollowed = new Promise<void>((resolve) => (follow = resolve));
        onState((said) => {
          follow?.();
          return { body: said.replace(/"state":"\w+"/, '"state":"IN_PROGRESS"') };
        });
        const running = startLcops(["backup", "run"], { environment: ground.environment });
        await isFollowed;
        running.send(signal);
        await running.ended;
        expect(await snapshots()).toHaveLength(signal === "SIGTERM" ? 0 : 1);
      }
      ground.change.answer = () => undefined;
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(await snapshots()).toEqual([(await newest()).external?.id.split("/")[1]]);
    },
    LIMIT_MS,
  );

  test(
    "of a run that failed and could not remove it is removed by the next",
    async () => {
      await begin("snapshot");
      // The cluster goes away while the snapshot is followed, and is away when it is to be removed.
      let isAway = false;
      onState((said) => {
        isAway = true;
        return { body: said.replace(/"state":"\w+"/, '"state":"FAILED"') };
      });
      ground.change.refuse = () =>
        isAway ? { status: 502, body: '{"error":{"type":"gateway"}}' } : undefined;
      expect(await lcops("backup", "run")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("has failed"),
      });
      expect(await snapshots()).toHaveLength(1);
      ground.change.refuse = () => undefined;
      ground.change.answer = () => undefined;
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(await snapshots()).toEqual([(await newest()).external?.id.split("/")[1]]);
    },
    LIMIT_MS,
  );

  test(
    "that does not say that it is ours is nobody's to remove",
    async () => {
      await begin("snapshot");
      ground.configure(({ backups }) => {
        const job = backups?.jobs["logs"];
        if (job) job.keep = { last: 1 };
      });
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(await lcops("backup", "verify")).toEqual(QUIET);
      expect(await lcops("backup", "drill")).toEqual(QUIET);
      onState((said) => ({ body: said.replace('"lcops":', '"other":') }));
      const pruned = await lcops("backup", "prune", "--yes");
      expect(pruned.code).toBe(5);
      expect(pruned.stderr).toContain("was not made by lcops");
      expect(await snapshots()).toHaveLength(2);
    },
    LIMIT_MS,
  );
});
