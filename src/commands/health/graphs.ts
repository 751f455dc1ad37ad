import type { Host } from "../../inventory/host.ts";
import type { SharedConnections } from "../../reach/share-connections.ts";
import { graphite } from "../../services/graphite/graphite.ts";
import type { MetricsConfig } from "../../services/graphite/settings.ts";
import type { MetricPoint } from "../../services/graphite/render.ts";
import { describeInOneLine } from "../../system/errors.ts";
import type { Reading } from "../../system/reading.ts";
import type { Context } from "../command.ts";
import type { NamedService } from "../pick-services.ts";
import { keyOf } from "./memory.ts";
import type { DiskSample } from "./predict-full.ts";
import { askWithin } from "./source.ts";
import { CONNECT_LIMIT_MS } from "./host-sources.ts";
import { withPlace } from "./service-sources.ts";

/** What is drawn beside a reading. */
export interface DrawnLine {
  label: string;
  points: readonly MetricPoint[];
}

/** A Graphite of which is configured what it knows of disks, and what is to be drawn of it. */
export interface Graph {
  name: string;
  /** Given readings of disks, return what the disks of them had in use, by `keyOf`; nothing of those that it does not know. */
  readDisks(readings: readonly Reading[], signal: AbortSignal): Promise<Map<string, DiskSample[]>>;
  /** Return what is to be drawn, by `keyOf` of the reading that it belongs to. */
  readLines(signal: AbortSignal): Promise<Map<string, DrawnLine[]>>;
}

type Render = (
  targets: readonly string[],
  options: { back: string; mostPoints: number },
  signal: AbortSignal,
) => Promise<MetricPoint[][]>;

const LIMIT_MS = CONNECT_LIMIT_MS + 10_000;
/** Weeks have a rhythm: two of them. */
const DISKS = { back: "14d", mostPoints: 14 * 12 };
const LINES = { back: "1h", mostPoints: 20 };
const OLDEST_MS = 86_400_000;
/** How far a series may be from what df says, of the whole disk: between their looks somebody writes. */
const APART = 0.1;

/** Given the services and hosts that are wanted, return each Graphite that can tell more of them. */
export function graphsOf(
  services: readonly NamedService[],
  hosts: readonly Host[],
  connections: SharedConnections,
  context: Context,
): Graph[] {
  return services.flatMap(([name, service]) => {
    if (!graphite.is(service) || !service.metrics) return [];
    const render: Render = (targets, options, signal) =>
      askWithin(LIMIT_MS, signal, (limited) =>
        withPlace(name, service, connections, context, async (place) => {
          const { renderMetrics } = await import("../../services/graphite/render.ts");
          return renderMetrics(await place.endpoint(), targets, { ...options, signal: limited });
        }),
      );
    return [makeGraph(name, service.metrics, hosts, render)];
  });
}

/** Given what is configured of a Graphite, the hosts, and how it is asked, return what it can tell. */
export function makeGraph(
  name: string,
  { diskUsed, diskFree, lines = {} }: MetricsConfig,
  hosts: readonly Pick<Host, "name">[],
  render: Render,
): Graph {
  const diskTarget = diskUsed ?? diskFree;
  const readDisks: Graph["readDisks"] = async (readings, signal) => {
    const asked = readings.flatMap((reading) => {
      const host = hosts.find((one) => reading.name.startsWith(`${one.name}:/`))?.name;
      if (diskTarget === undefined || reading.area !== "disk" || !reading.disk || !host) return [];
      const mount = reading.name.slice(host.length + 1);
      const target = fillTarget(diskTarget, host, mount);
      return target === undefined ? [] : [{ key: keyOf(reading), disk: reading.disk, target }];
    });
    if (asked.length === 0) return new Map();
    const rendered = await render(
      asked.map(({ target }) => target),
      DISKS,
      signal,
    );
    const found = asked.map(({ key, disk }, index): [string, DiskSample[]] => {
      const samples = (rendered[index] ?? []).flatMap(([at, value]): DiskSample[] =>
        value === null ? [] : [[at, diskUsed === undefined ? disk.totalBytes - value : value]],
      );
      return [key, isOf(disk, samples, Date.now()) ? samples : []];
    });
    return new Map(found.filter(([, samples]) => samples.length > 0));
  };
  const readLines: Graph["readLines"] = async (signal) => {
    const asked = Object.entries(lines).flatMap(([label, target]) =>
      target.includes("{host}")
        ? hosts.map((host) => ({
            key: keyOf({ area: "host", name: host.name }),
            label,
            target: fillTarget(target, host.name, "/") ?? target,
          }))
        : [{ key: keyOf({ area: "graphite", name }), label, target }],
    );
    if (asked.length === 0) return new Map();
    const rendered = await render(
      asked.map(({ target }) => target),
      LINES,
      signal,
    );
    const found = new Map<string, DrawnLine[]>();
    asked.forEach(({ key, label }, index) => {
      const points = rendered[index] ?? [];
      if (points.length > 0) found.set(key, [...(found.get(key) ?? []), { label, points }]);
    });
    return found;
  };
  return { name, readDisks, readLines };
}

/**
 * Given a target with `{host}` and `{mount}`, return it for that disk; without `{mount}` it is that of `/` alone. Collectors write names in their own
 * ways: collectd `var-lib` and `root`, Diamond `_var_lib` and `root`, others `var_lib`; Graphite is given the choice. Pure.
 */
export function fillTarget(target: string, host: string, mount: string): string | undefined {
  if (mount !== "/" && !target.includes("{mount}")) return undefined;
  const words = mount
    .split("/")
    .filter((word) => word !== "")
    .map(plain);
  const spellings = [...new Set([words.join("-"), words.join("_"), `_${words.join("_")}`])];
  return target
    .replaceAll("{host}", plain(host))
    .replaceAll("{mount}", words.length === 0 ? "root" : `{${spellings.join(",")}}`);
}

/** In a name Graphite takes a dot for the end of a word, and what else is no letter for a pattern. */
const plain = (name: string): string => name.replaceAll(/[^A-Za-z0-9_-]/g, "_");

/** A series that has ended, or does not say what df says, is that of something else. */
function isOf(
  disk: NonNullable<Reading["disk"]>,
  samples: readonly DiskSample[],
  nowMs: number,
): boolean {
  const last = samples.at(-1);
  if (!last || nowMs - last[0] > OLDEST_MS) return false;
  return Math.abs(last[1] - disk.usedBytes) <= APART * disk.totalBytes;
}

/** Given what can be asked, and readings, return what their disks had in use as far as any Graphite knows it. One that cannot be asked is told of with `-v`: its own reading says how it is. */
export async function readDisks(
  graphs: readonly Graph[],
  readings: readonly Reading[],
  { signal, terminal }: Pick<Context, "signal" | "terminal">,
): Promise<Map<string, DiskSample[]>> {
  const found = new Map<string, DiskSample[]>();
  await Promise.all(
    graphs.map(async (graph) => {
      try {
        for (const [key, samples] of await graph.readDisks(readings, signal))
          found.set(key, samples);
      } catch (error) {
        signal.throwIfAborted();
        terminal.trace(`${graph.name}: nothing of disks: ${describeInOneLine(error)}`);
      }
    }),
  );
  return found;
}
