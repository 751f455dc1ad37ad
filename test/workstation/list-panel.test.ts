import { expect, test } from "vitest";
import { listLaunches, listServices } from "../../src/workstation/list-panel.ts";

test("shows the six of the old script, numbered", () => {
  expect(listServices({}).map(({ key, name, title }) => `${key}) ${name} ${title}`)).toEqual([
    "1) apache Apache2",
    "2) xdebug mod_xdebug",
    "3) apc mod_apc",
    "4) mysql MySQL",
    "5) rammysql /rammysql",
    "6) log -log",
  ]);
});

test("shows what is configured instead, with its own key and title", () => {
  const web = { kind: "systemd", unit: "web" } as const;
  const own = { ...web, key: "w", title: "Our web" };
  expect(listServices({ workstation: { services: { web, own } } })).toEqual([
    { name: "web", key: "1", title: "web", config: web },
    { name: "own", key: "w", title: "Our web", config: own },
  ]);
  expect(listServices({ workstation: { services: {} } })).toEqual([]);
});

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
