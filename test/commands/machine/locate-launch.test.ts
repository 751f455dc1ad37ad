import { homedir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { locateApp, locateTest } from "../../../src/commands/machine/locate-launch.ts";
import type { Config } from "../../../src/config/schema.ts";

test("looks for a bare program as a shell does, and resolves a path", () => {
  const plan = "~/jmeter/api.jmx";
  const home = path.join(homedir(), "jmeter/api.jmx");
  expect(locateTest({ kind: "jmeter", plan })).toEqual({ program: "jmeter", plan: home });
  expect(locateTest({ kind: "jmeter", plan: "/a/../b.jmx", program: "~/bin/jmeter" })).toEqual({
    program: path.join(homedir(), "bin/jmeter"),
    plan: "/b.jmx",
  });
});

const app = { kind: "app" as const, run: ["sbt"], url: "http://localhost:9000/" };
const locate = (name: string, folder: string | undefined, config: Config) =>
  locateApp(
    name,
    { ...app, ...(folder !== undefined && { folder }) },
    { config: () => Promise.resolve(config) },
  );

test("runs an app in its folder, or in the repository of its name", async () => {
  const config = { workstation: { repositories: { app: { folder: "~/src/app" } } } };
  expect(await locate("app", "/own", config)).toBe("/own");
  expect(await locate("app", undefined, config)).toBe(path.join(homedir(), "src/app"));
});

test.each(["other", "toString"])(
  "needs a folder for an app without a repository: %s",
  async (name) => {
    const config = { workstation: { repositories: { app: { folder: "~/src/app" } } } };
    await expect(locate(name, undefined, config)).rejects.toMatchObject({
      kind: "configuration",
      message: `where ${name} is run is not configured`,
      next: `say it in workstation.launches.${name}.folder`,
    });
  },
);
