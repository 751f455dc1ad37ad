/** The logs of three days, as Logstash would have written them: an index a day, a template, an alias. */

const DAY_MS = 86_400_000;
const LINES_PER_DAY = 400;

async function ask(url: string, method: string, body: unknown, type = "application/json") {
  const response = await fetch(url, {
    method,
    headers: { "Content-Type": type },
    body: typeof body === "string" ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  if (!response.ok || text.includes('"errors":true'))
    throw new Error(`lab: ${method} ${url}: ${response.status} ${text.slice(0, 300)}`);
}

const TEMPLATE = {
  index_patterns: ["logstash-*"],
  template: {
    settings: { number_of_shards: 2, number_of_replicas: 0 },
    mappings: {
      properties: {
        "@timestamp": { type: "date" },
        host: { type: "keyword" },
        message: { type: "text" },
        serial: { type: "long" },
      },
    },
  },
};

/** As text, since a number of JavaScript would not hold the serial, and a document must come back digit by digit. */
function logLine(dayMs: number, index: number): string {
  const stamp = new Date(dayMs + index * 200_000).toISOString();
  const serial = 9_007_199_254_740_993n + BigInt(index);
  const host = ["prod-api3-1", "dev-api3-2", "WorkerStats"][index % 3];
  return `{"@timestamp":"${stamp}","host":"${host}","serial":${serial},"ratio":1.10,"message":"GET /exercises/${index} 学生 \\ud83c\\udf92"}`;
}

/** The first few have ids that a URL, a shell or a path would trip over; Logstash lets the server choose, and so do most. */
const ODD_IDS = ["a/b", "..", "ü ö", "%2F", "-_", "a?b#c", '"quoted"', "学生", "a\\b", "+1"];

/** Takes an index's name and its day; returns the body of the bulk request that fills it. */
function bulkBody(index: string, dayMs: number): string {
  const lines = Array.from({ length: LINES_PER_DAY }, (_unused, line) => {
    const id = ODD_IDS[line] ?? `${index}-${line}`;
    const routing = line % 10 === 3 ? ',"routing":"r3"' : "";
    return `{"index":{"_index":"${index}","_id":${JSON.stringify(id)}${routing}}}\n${logLine(dayMs, line)}\n`;
  });
  return lines.join("");
}

/** Takes the node's URL; fills it, and returns how many documents each index has. Throws when it refuses one. */
export async function seedLogs(url: string): Promise<Record<string, number>> {
  await ask(`${url}/_index_template/logstash`, "PUT", TEMPLATE);
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const days = [today - 2 * DAY_MS, today - DAY_MS, today];
  const documents: Record<string, number> = {};
  for (const day of days) {
    const index = `logstash-${new Date(day).toISOString().slice(0, 10).replaceAll("-", ".")}`;
    const body = bulkBody(index, day);
    await ask(`${url}/_bulk?refresh=true`, "POST", body, "application/x-ndjson");
    documents[index] = LINES_PER_DAY;
  }
  await ask(`${url}/_aliases`, "POST", {
    actions: [{ add: { index: Object.keys(documents).at(-1), alias: "logs-today" } }],
  });
  await ask(`${url}/_ingest/pipeline/logs`, "PUT", { description: "as it comes", processors: [] });
  return documents;
}
