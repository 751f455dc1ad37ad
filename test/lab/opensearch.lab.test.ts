import { existsSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { useLab } from "../support/lab.ts";

const { services } = await useLab("elasticsearch");
const { address, port, node } = services.elasticsearch ?? {};
const url = `http://${address}:${port}`;

async function ask(path: string, method = "GET", body?: unknown): Promise<string> {
  const response = await fetch(`${url}${path}`, {
    method,
    ...(body !== undefined && {
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return text;
}

test.skipIf(!node)("OpenSearch has an index a day, with every document that was sent", async () => {
  for (const [index, count] of Object.entries(node?.documents ?? {}))
    expect(JSON.parse(await ask(`/${index}/_count`))).toMatchObject({ count });
  expect(Object.keys(node?.documents ?? {})).toHaveLength(3);
  expect(Object.keys(JSON.parse(await ask("/_alias/logs-today")) as object)).toHaveLength(1);
});

test.skipIf(!node)("odd ids and numbers past 2^53 come back digit by digit", async () => {
  const [index] = Object.keys(node?.documents ?? {});
  const found = await ask(`/${index}/_source/${encodeURIComponent("a/b")}`);
  expect(found).toContain('"serial":9007199254740993,"ratio":1.10,');
  for (const id of ["..", "%2F", "学生", "a\\b"])
    expect(await ask(`/${index}/_search`, "POST", { query: { ids: { values: [id] } } })).toContain(
      `"_id":${JSON.stringify(id)}`,
    );
});

test.skipIf(!node)("a snapshot of it is whole, in the folder that it may write to", async () => {
  const settings = { type: "fs", settings: { location: "lab-test" } };
  await ask("/_snapshot/lab-test", "PUT", settings);
  try {
    const [index] = Object.keys(node?.documents ?? {});
    const made = await ask("/_snapshot/lab-test/one?wait_for_completion=true", "PUT", {
      indices: index,
      include_global_state: false,
    });
    expect(JSON.parse(made)).toMatchObject({
      snapshot: { state: "SUCCESS", indices: [index], shards: { total: 2, failed: 0 } },
    });
    expect(existsSync(node?.snapshotFolder ?? "")).toBe(true);
    expect(readdirSync(`${node?.snapshotFolder}/lab-test`)).toContain("index.latest");
  } finally {
    await ask("/_snapshot/lab-test/one", "DELETE");
    await ask("/_snapshot/lab-test", "DELETE");
  }
});
