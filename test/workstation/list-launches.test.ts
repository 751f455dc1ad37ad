import { expect, test } from "vitest";
import { listLaunches } from "../../src/workstation/list-launches.ts";

test("launches what the old script did", () => {
  expect(listLaunches({}).map(({ key, name, title }) => `${key}) ${name} ${title}`)).toEqual([
    "ja) ja API",
    "jw) jw WorkerStats",
    "app) app http://localhost:9000/",
  ]);
});

test("launches what is configured instead; an app is shown by its address", () => {
  const load = { kind: "jmeter", plan: "a.jmx" } as const;
  const app = { kind: "app", run: ["true"], url: "http://a/", key: "go" } as const;
  const named = { ...app, title: "The app" };
  const launches = { load, app: { ...app, run: ["true"] }, named: { ...named, run: ["true"] } };
  expect(listLaunches({ workstation: { launches } }).map(({ key, title }) => [key, title])).toEqual(
    [
      ["load", "load"],
      ["go", "http://a/"],
      ["go", "The app"],
    ],
  );
});
