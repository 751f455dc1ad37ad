import type { Reading } from "../../system/reading.ts";
import { type DrawnLine, type Graph, readDisks } from "./graphs.ts";
import type { DiskSample } from "./predict-full.ts";
import { repeat } from "./watch-sources.ts";
import type { Context } from "../command.ts";

/** What Graphite has told of late. */
export interface WatchedGraphs {
  disks: ReadonlyMap<string, readonly DiskSample[]>;
  lines: ReadonlyMap<string, readonly DrawnLine[]>;
}

const LINES_EVERY_MS = 30_000;
/** How a disk grows is a matter of days. */
const DISKS_EVERY_MS = 600_000;
/** Until df has said which disks there are. */
const DISKS_SOON_MS = 5_000;

/** Given each Graphite and how the readings are known, ask again and again until the signal is aborted; `changed` is told. One that does not answer draws nothing: old lines would pass for new ones. */
export function watchGraphs(
  graphs: readonly Graph[],
  readings: () => readonly Reading[],
  { terminal }: Pick<Context, "terminal">,
  signal: AbortSignal,
  changed: () => void,
): WatchedGraphs {
  const linesOf = new Map<Graph, ReadonlyMap<string, readonly DrawnLine[]>>();
  const watched = {
    disks: new Map<string, readonly DiskSample[]>() as ReadonlyMap<string, readonly DiskSample[]>,
    get lines() {
      return mergeLines([...linesOf.values()]);
    },
  };
  for (const graph of graphs) {
    void repeat(LINES_EVERY_MS, signal, async () => {
      const lines = await graph.readLines(signal).catch(() => {
        signal.throwIfAborted();
        return new Map<string, DrawnLine[]>();
      });
      linesOf.set(graph, lines);
      changed();
    });
  }
  let askedAtMs = -Infinity;
  void repeat(DISKS_SOON_MS, signal, async () => {
    const now = readings().filter(({ disk }) => disk);
    if (now.length === 0 || Date.now() - askedAtMs < DISKS_EVERY_MS) return;
    askedAtMs = Date.now();
    watched.disks = await readDisks(graphs, now, { signal, terminal });
    changed();
  });
  return watched;
}

function mergeLines(
  all: readonly ReadonlyMap<string, readonly DrawnLine[]>[],
): Map<string, readonly DrawnLine[]> {
  const merged = new Map<string, readonly DrawnLine[]>();
  for (const lines of all)
    for (const [key, drawn] of lines) merged.set(key, [...(merged.get(key) ?? []), ...drawn]);
  return merged;
}
