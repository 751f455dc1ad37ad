/** `npm run test:nodes`: the unit tests on the other versions of Node that lcops promises to run on. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { findNode, OTHER_NODES } from "../lab/node-cache.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const VITEST = path.join(ROOT, "node_modules/vitest/vitest.mjs");

for (const version of OTHER_NODES) {
  const node = findNode(version, process.env);
  if (node === undefined) {
    process.stdout.write(`unit on Node ${version}: not fetched, npm run lab:fetch\n`);
    process.stdout.write("\n0 passed, 0 failed, 1 skipped\n");
    continue;
  }
  process.stdout.write(`unit on Node ${version}:\n`);
  // Programs that a test starts by name are of this version too.
  const environment = {
    ...process.env,
    PATH: `${path.dirname(node)}:${process.env["PATH"] ?? ""}`,
  };
  const child = spawn(node, [VITEST, "run", "--project", "unit"], {
    cwd: ROOT,
    stdio: "inherit",
    env: environment,
  });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) process.exitCode = 1;
}
