import { describe, expect, test } from "vitest";
import { openEstate } from "../../src/cli/open-estate.ts";
import type { Config } from "../../src/config/schema.ts";
import type { ScopeWishes } from "../../src/inventory/plan-scopes.ts";
import { makeFakeTerminal } from "../terminal/fake-streams.ts";
import { tellFailure } from "../support/fake-context.ts";

const CONFIG: Config = {
  environments: { dev: {}, prod: { aws: { profile: "live" } } },
  hosts: {
    "dev-1": { environment: "dev", region: "eu-west-1", address: { dns: "a.example" } },
    "prod-1": { environment: "prod", address: { dns: "b.example" } },
    loose: { region: "us-west-2", address: { dns: "c.example" } },
  },
  ssh: { configFile: "/dev/null" },
};

/** No environment has a region: AWS is never asked. */
const open = (wishes: ScopeWishes = {}, config: Config = CONFIG) =>
  openEstate({
    config: () => Promise.resolve(config),
    wishes,
    folders: { config: "/nosuch", state: "/nosuch", cache: "/nosuch", runtime: "/nosuch" },
    configPath: "/lcops.config.json",
    environment: {},
    terminal: makeFakeTerminal().terminal,
    signal: new AbortController().signal,
  });
const names = (hosts: readonly { name: string }[]): string[] => hosts.map(({ name }) => name);

describe("hosts", () => {
  test("are those of --env, and all of them without", async () => {
    expect(names(await open().hosts())).toEqual(["dev-1", "prod-1", "loose"]);
    expect(names(await open({ environment: "dev" }).hosts())).toEqual(["dev-1"]);
    expect(names(await open({ environment: "dev" }).allHosts())).toHaveLength(3);
  });
});

describe("the inventory", () => {
  test("leaves out hosts of another region, and keeps those that say none", async () => {
    const { hosts } = await open(
      { region: "eu-west-1" },
      { ...CONFIG, environments: {} },
    ).inventory("list");
    expect(names(hosts)).toEqual(["dev-1", "prod-1"]);
  });

  test("leaves out hosts of the configuration that are of another environment", async () => {
    const { hosts, gaps } = await open({ environment: "dev" }).inventory("list");
    expect(names(hosts)).toEqual(["dev-1"]);
    expect(gaps).toEqual([]);
  });

  test("names an environment whose machines nobody asks for", async () => {
    for (const wishes of [{}, { environment: "prod" }]) {
      const { gaps } = await open(wishes).inventory("list");
      expect(gaps).toMatchObject([
        {
          error: {
            kind: "configuration",
            message: "the environment prod has no regions in the configuration",
            next: "give it regions, or name them with --region",
          },
          lost: "its hosts are missing below",
          hidesInstances: true,
        },
      ]);
    }
  });
});

describe("findHost", () => {
  test("finds a host of the configuration by its name or a pattern, without asking AWS", async () => {
    expect((await open().findHost("prod-1")).name).toBe("prod-1");
    expect((await open().findHost("dev-*")).name).toBe("dev-1");
  });

  test("finds none of another environment", async () => {
    const { code, stderr } = await tellFailure(() =>
      open({ environment: "dev" }).findHost("prod-1"),
    );
    expect(code).toBe(2);
    expect(stderr).toBe("lcops: no host matches prod-1; lcops hosts lists them\n");
  });
});
