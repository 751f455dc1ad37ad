import type { Readable } from "node:stream";
import { describeError } from "../../system/errors.ts";
import type { BackupDriver, SelectOptions } from "../backup-driver.ts";
import { type RestoreTarget, serviceOf } from "../restore-target.ts";
import type { Fact, PartRecord, SetReader } from "../set-content.ts";
import { checkDocuments } from "./bulk.ts";
import { withCluster } from "./cluster.ts";
import { exportIndices, measureIndex, planExport } from "./export.ts";
import { listIndices } from "./indices.ts";
import { snapshots } from "./kept-snapshots.ts";
import { planIndexRestore } from "./plan-restore.ts";
import { readLines } from "./read-lines.ts";
import { restoreExport } from "./restore-export.ts";
import { restoreSnapshot } from "./restore-snapshot.ts";
import { measureSample } from "./sample.ts";
import { openIndexScratch } from "./scratch.ts";
import { DEFINITIONS } from "./save-definitions.ts";
import { isExport } from "./repository.ts";
import { planSnapshot, takeSnapshot } from "./snapshot.ts";

/** Elasticsearch and OpenSearch: a snapshot in a repository of theirs, or their documents in parts of the set. */
export const elasticsearchBackup: BackupDriver = {
  plan: (place, options) =>
    isExport(options) ? planExport(place, options) : planSnapshot(place, options),
  dump: (place, plan, sink, options) =>
    isExport(options)
      ? exportIndices(place, plan, sink, options)
      : takeSnapshot(place, plan, sink, options),
  external: snapshots,
  checkPart,
  planRestore: (set, target, options) => planIndexRestore(set, serviceOf(target), options),
  restore: (set, target, options) =>
    set.external
      ? restoreSnapshot(set, set.external, serviceOf(target), options)
      : restoreExport(set, serviceOf(target), options),
  openScratch: openIndexScratch,
  measure,
  describeRestore: (set, decode) =>
    set.external ? describeSnapshot(set.external.id) : describeExport(set, decode),
};

function measure(set: SetReader, target: RestoreTarget, options: SelectOptions): Promise<Fact[]> {
  const place = serviceOf(target);
  const nameOf = (index: string): string => (place.within ?? "") + index;
  return withCluster(place, options, async (cluster) => {
    if (set.external) return measureSample(cluster, set, nameOf);
    const there = new Map((await listAll(cluster)).map((index) => [index.name, index]));
    const facts: Fact[] = [];
    for (const { object } of set.facts) {
      options.signal.throwIfAborted();
      const index = there.get(nameOf(object));
      if (index) facts.push(await measureIndex(cluster, index, object, options));
    }
    return facts;
  });
}

/** Those that drills have made too. */
const listAll = (cluster: Parameters<typeof listIndices>[0]) =>
  listIndices(cluster, ["*"], { withOwn: true });

async function checkPart(part: PartRecord, content: Readable): Promise<string | undefined> {
  try {
    if (part.object !== DEFINITIONS) await checkDocuments(content as AsyncIterable<Buffer>);
    else if (part.path.includes(".ndjson"))
      for await (const line of readLines(content as AsyncIterable<Buffer>)) JSON.parse(line);
    else {
      const chunks: Buffer[] = [];
      for await (const chunk of content as AsyncIterable<Buffer>) chunks.push(chunk);
      JSON.parse(Buffer.concat(chunks).toString("utf8"));
    }
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

const describeSnapshot = (id: string): string[] => [
  `Its indices are in the snapshot ${id}, in the cluster's repository of that name.`,
  "With the address of a cluster that has the repository registered in URL, each under its own name:",
  "",
  "URL=http://localhost:9200",
  `curl -f -X POST "$URL/_snapshot/${id}/_restore?wait_for_completion=true" -H 'Content-Type: application/json' -d '{"include_global_state":false}'`,
  "",
  "The parts are the templates, pipelines and aliases that stood beside them.",
];

const describeExport: BackupDriver["describeRestore"] = (set, decode) => [
  "Each part has the documents of a slice of an index, as lines for _bulk. Make the index first: its settings and mappings are a line of",
  ...set.parts.filter(({ role }) => role === "indices").map((part) => decode(part)),
  "",
  "export URL=http://localhost:9200",
  ...set.parts
    .filter(({ object }) => object !== DEFINITIONS)
    .map((part) => {
      const send = `curl -sf -X POST "$URL/${encodeURIComponent(part.object)}/_bulk?pipeline=_none" -H 'Content-Type: application/x-ndjson' --data-binary @-`;
      return `${decode(part)} | split -l 2000 --filter='${send.replaceAll("'", `'\\''`)}'`;
    }),
  "",
  'Look for "errors":true in what it answers.',
];
