import { describe, expect, test } from "vitest";
import { planMenu } from "../../src/commands/plan-menu.ts";
import type { Config } from "../../src/config/schema.ts";

const ESTATE: Config = {
  hosts: {
    fixed: { address: { eip: "192.0.2.1" } },
    named: { address: { dns: "a.example.com" } },
    looked: { address: { dyn: { tags: { Name: "looked" } } } },
    plain: {},
  },
  services: {
    page: { kind: "http", host: "fixed", port: 80, localPort: 8080, title: "Page" },
    cache: { kind: "redis", host: "looked", port: 6379, localPort: 16379 },
    school: { kind: "mysql", host: "named", port: 3306, localPort: 13306 },
    direct: { kind: "mysql", address: "db.example.com", port: 3306 },
  },
};
const menu = (config: Config): string[] =>
  planMenu(config).flatMap(({ title, choices }) => [
    title,
    ...choices.map(({ key, label, run }) => `${key}) ${label} | ${run.join(" ")}`),
  ]);

describe("the menu", () => {
  test("says of each entry where it leads, and the command line that does the same", () => {
    const entries = [
      { key: "1", service: "page" },
      { key: "2", service: "cache" },
      { key: "3", service: "school" },
      { key: "4", host: "looked" },
      { key: "5", host: "plain" },
      { key: "6", label: "My page", service: "page" },
      { key: "7", label: "All", run: ["hosts", "env=prod"] },
    ];
    expect(menu({ ...ESTATE, menu: [{ title: "EC2:", entries }] })).toEqual([
      "EC2:",
      "1) [EIP] SSH @ fixed => http://localhost:8080/ (Page) | tunnel open page -- lcops ssh fixed",
      "2) [DYN] SSH @ looked => tcp://localhost:16379/ (cache) | tunnel open cache -- lcops ssh looked",
      "3) [DOM] SSH @ named => tcp://localhost:13306/ (school) | tunnel open school -- lcops ssh named",
      "4) [DYN] SSH @ looked | ssh looked",
      "5) SSH @ plain | ssh plain",
      "6) My page | tunnel open page -- lcops ssh fixed",
      "7) All | hosts env=prod",
    ]);
  });

  test("is made of services and hosts where none is written", () => {
    expect(menu(ESTATE).map((line) => line.split(" | ")[1] ?? line)).toEqual([
      "Services:",
      "tunnel open page -- lcops ssh fixed",
      "tunnel open cache -- lcops ssh looked",
      "tunnel open school -- lcops ssh named",
      "Hosts:",
      "ssh fixed",
      "ssh named",
      "ssh looked",
      "ssh plain",
      "Inventory:",
      "hosts",
      "Health:",
      "health",
      "health --watch",
      "Tunnels:",
      "tunnel list",
      "tunnel close --all",
    ]);
    expect(planMenu(ESTATE).flatMap(({ choices }) => choices.map(({ key }) => key))).toEqual([
      "1",
      "2",
      "3",
      "4",
      "5",
      "6",
      "7",
      "li",
      "h",
      "hw",
      "t",
      "tc",
    ]);
  });

  test("is the inventory alone for an empty configuration, and nothing for an empty menu", () => {
    expect(menu({})).toEqual(["Inventory:", "li) List the hosts | hosts"]);
    expect(menu({ menu: [] })).toEqual([]);
  });

  test("has a key that updates the repositories where there are any", () => {
    const repositories = { app: { folder: "/app" }, api: { folder: "/api" } };
    expect(menu({ workstation: { repositories } })).toContain("repo) app+api | machine update");
    expect(menu({ workstation: {} })).toEqual(menu({}));
  });

  test("says the port that the tunnel will have, also where none is written", () => {
    const config: Config = {
      hosts: { web: {} },
      services: { page: { kind: "http", host: "web", port: 80 } },
    };
    expect(planMenu(config)[0]?.choices[0]?.label).toMatch(
      /^SSH @ web => http:\/\/localhost:2\d{4}\/ \(page\)$/,
    );
  });
});
