import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type MetricPoint, renderMetrics } from "../../src/services/graphite/render.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Ask a Graphite that answers so. */
async function render(
  targets: readonly string[],
  answer: (form: URLSearchParams) => string,
  status = 200,
): Promise<MetricPoint[][]> {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => response.writeHead(status).end(answer(new URLSearchParams(body))));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { signal } = new AbortController();
  return renderMetrics({ host: "127.0.0.1", port }, targets, {
    back: "1h",
    mostPoints: 20,
    signal,
  });
}

test("each target has its own points, whatever came first and whatever is missing", async () => {
  const found = await render(["a.*", "none", "b"], (form) => {
    expect(Object.fromEntries(form)).toMatchObject({ from: "-1h", maxDataPoints: "20" });
    expect(form.getAll("target")).toEqual(['alias(a.*,"0")', 'alias(none,"1")', 'alias(b,"2")']);
    return JSON.stringify([
      {
        target: "2",
        datapoints: [
          [5, 60],
          [null, 120],
        ],
      },
      {
        target: "0",
        datapoints: [
          [null, 60],
          [null, 120],
        ],
      },
      {
        target: "0",
        datapoints: [
          [1, 60],
          [2, 120],
        ],
      },
      {
        target: "0",
        datapoints: [
          [8, 60],
          [9, 120],
        ],
      },
    ]);
  });
  expect(found).toEqual([
    [
      [60_000, 1],
      [120_000, 2],
    ],
    [],
    [
      [60_000, 5],
      [120_000, null],
    ],
  ]);
});

test("more than a hundred are asked for a hundred at a time", async () => {
  const targets = Array.from({ length: 250 }, (_, index) => `m.${index}`);
  const sizes: number[] = [];
  const found = await render(targets, (form) => {
    const asked = form.getAll("target");
    sizes.push(asked.length);
    return JSON.stringify(
      asked.map((target) => {
        const name = /"(\d+)"/.exec(target)?.[1] ?? "";
        return { target: name, datapoints: [[Number(name), 1]] };
      }),
    );
  });
  expect(sizes).toEqual([100, 100, 50]);
  expect(found.map(([point]) => point?.[1])).toEqual(targets.map((_, index) => index));
});

test.each([
  ["a page", "<html>It works!</html>", 200, "no list of series"],
  ["another kind of JSON", '{"error": "?"}', 200, "no list of series"],
  ["a list of something else", "[1, null]", 200, "no list of series"],
  ["a refusal", "Invalid target", 400, "HTTP 400 from /render"],
  ["what does not end", `[${" ".repeat(9 * 1024 * 1024)}]`, 200, "does not end"],
])("%s is no answer", async (_what, body, status, message) => {
  await expect(render(["a"], () => body, status)).rejects.toThrow(message);
});
