import { expect, test } from "vitest";
import type { Config } from "../../../src/config/schema.ts";
import { runInProcess } from "../../support/run-in-process.ts";

const CONFIG: Config = {
  environments: { dev: {}, prod: {} },
  hosts: { web: {} },
  menu: [
    {
      title: "a",
      entries: [
        { key: "1", host: "web" },
        { key: "w", host: "web" },
      ],
    },
    { title: "b", entries: [{ key: "2", host: "web" }] },
  ],
};
const run = (...words: string[]) =>
  runInProcess(["config", ...words], { config: () => Promise.resolve(CONFIG) });

test("config check is silent in cron, counts for who watches, and is a document for scripts", async () => {
  expect(await run("check")).toEqual({ code: 0, stdout: "", stderr: "" });
  expect((await run("check", "-v")).stderr).toBe(
    "/lcops.config.json: well formed, 2 environments, 1 host, 0 services, 3 menu entries\n",
  );
  expect(JSON.parse((await run("check", "--json")).stdout)).toEqual({
    valid: true,
    path: "/lcops.config.json",
    environments: 2,
    hosts: 1,
    services: 0,
    menuEntries: 3,
  });
});
