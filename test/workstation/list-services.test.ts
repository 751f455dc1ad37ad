import { expect, test } from "vitest";
import { listServices } from "../../src/workstation/list-services.ts";

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
