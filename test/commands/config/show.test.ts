import { expect, test } from "vitest";
import type { Config } from "../../../src/config/schema.ts";
import { runInProcess } from "../../support/run-in-process.ts";

const CONFIG: Config = { environments: { dev: {} }, hosts: { web: {} } };

test("config show prints what is in force, and says where it comes from", async () => {
  const { stdout, stderr } = await runInProcess(["config", "show", "-v"], {
    config: () => Promise.resolve(CONFIG),
  });
  expect(JSON.parse(stdout)).toEqual(CONFIG);
  expect(stderr).toBe("# /lcops.config.json\n");
});
