import { request } from "node:http";
import { OperatorError } from "../../system/errors.ts";
import type { Endpoint } from "../../reach/service-place.ts";

/** A value, null where there is none, and when (Unix milliseconds). */
export type MetricPoint = readonly [atMs: number, value: number | null];

export interface RenderOptions {
  /** How far back, as Graphite writes it: `1h`, `14d`. */
  back: string;
  /** Points that are near each other are averaged until there are no more than so many. */
  mostPoints: number;
  signal: AbortSignal;
}

/** Of so many targets at once Graphite answers in a moment. */
const TARGETS_AT_ONCE = 100;
const LIMIT_BYTES = 8 * 1024 * 1024;

/**
 * Given where a Graphite is reached, and what it is to render (graphite.readthedocs.io, The Render URL API), return the points of each target, oldest
 * first; of a target with several series those of the first that has a value, and none where nothing has. Throws OperatorError where the answer is
 * no such thing, the system's error where there is none.
 */
export async function renderMetrics(
  endpoint: Endpoint,
  targets: readonly string[],
  options: RenderOptions,
): Promise<MetricPoint[][]> {
  const found: MetricPoint[][] = targets.map(() => []);
  for (let first = 0; first < targets.length; first += TARGETS_AT_ONCE) {
    const form = new URLSearchParams({
      from: `-${options.back}`,
      until: "now",
      format: "json",
      maxDataPoints: String(options.mostPoints),
    });
    // Under the number of its target each series is known again, whatever it is made of.
    targets
      .slice(first, first + TARGETS_AT_ONCE)
      .forEach((target, index) => form.append("target", `alias(${target},"${first + index}")`));
    for (const { target, points } of parseSeries(await post(endpoint, form, options.signal))) {
      const index = Number(target);
      const isBetter = points.some(([, value]) => value !== null);
      if (found[index]?.length === 0 && isBetter) found[index] = points;
    }
  }
  return found;
}

async function post(
  endpoint: Endpoint,
  form: URLSearchParams,
  signal: AbortSignal,
): Promise<string> {
  const body = form.toString();
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    "content-length": Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const asked = request(
      { ...endpoint, path: "/render", method: "POST", headers, agent: false, signal },
      (response) => {
        const { statusCode = 0 } = response;
        let said = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          said += chunk;
          if (said.length > LIMIT_BYTES)
            response.destroy(new OperatorError("failed", "what Graphite renders does not end"));
        });
        response.on("error", reject);
        response.on("end", () => {
          if (statusCode === 200) resolve(said);
          else
            reject(
              new OperatorError("failed", `HTTP ${statusCode} from /render`, {
                next: "look at the metrics of that service in the configuration",
              }),
            );
        });
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

function parseSeries(text: string): { target: string; points: MetricPoint[] }[] {
  const strange = new OperatorError("failed", "what /render answers is no list of series");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw strange;
  }
  if (!Array.isArray(value)) throw strange;
  return (value as { target?: unknown; datapoints?: unknown }[]).map((one) => {
    if (typeof one?.target !== "string" || !Array.isArray(one.datapoints)) throw strange;
    return { target: one.target, points: (one.datapoints as unknown[]).flatMap(readPoint) };
  });
}

/** Graphite writes value first, and seconds. */
function readPoint(point: unknown): MetricPoint[] {
  if (!Array.isArray(point)) return [];
  const [value, seconds] = point as unknown[];
  if (typeof seconds !== "number") return [];
  return [[seconds * 1000, typeof value === "number" && Number.isFinite(value) ? value : null]];
}
