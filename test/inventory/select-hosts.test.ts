import { describe, expect, test } from "vitest";
import type { Host } from "../../src/inventory/host.ts";
import { findHost, selectHosts } from "../../src/inventory/select-hosts.ts";

const host = (name: string, more: Partial<Host> = {}): Host => ({
  name,
  sources: ["config"],
  ...more,
});
const HOSTS: readonly Host[] = [
  host("dev-api3-2", { environment: "dev", role: "api", region: "us-west-2" }),
  host("prod-api3-1", { environment: "prod", role: "api", region: "eu-west-1" }),
  host("prod-api3-2", { environment: "prod", role: "api", region: "us-west-2" }),
  host("GraphStats", { environment: "prod", role: "stats", region: "eu-west-1" }),
  host("a.b", { sources: ["ssh-config"] }),
  host("axb", { sources: ["ssh-config"] }),
];
const names = (...selectors: string[]): string[] =>
  selectHosts(HOSTS, selectors).map(({ name }) => name);

describe("a selector", () => {
  test.each([
    [["GraphStats"], ["GraphStats"]],
    [["graphstats"], ["GraphStats"]],
    [["prod-*"], ["prod-api3-1", "prod-api3-2"]],
    [["*api3-?"], ["dev-api3-2", "prod-api3-1", "prod-api3-2"]],
    [["a.b"], ["a.b"]],
    [["a?b"], ["a.b", "axb"]],
    [["env=dev"], ["dev-api3-2"]],
    [["environment=DEV"], ["dev-api3-2"]],
    [["role=api,region=us-west-2"], ["dev-api3-2", "prod-api3-2"]],
    [["region=us-*,env=prod"], ["prod-api3-2"]],
    [["prod-*,region=eu-west-1"], ["prod-api3-1"]],
    [["source=ssh-config"], ["a.b", "axb"]],
    [["name=axb"], ["axb"]],
    [["env="], ["a.b", "axb"]],
    [
      ["role=stats", "dev-*"],
      ["dev-api3-2", "GraphStats"],
    ],
    [["GraphStats", "*Stats", "role=stats"], ["GraphStats"]],
  ])("%j picks %j, in the order of the inventory", (selectors, expected) => {
    expect(names(...selectors)).toEqual(expected);
  });

  test("that is not there picks all", () => {
    expect(names()).toHaveLength(HOSTS.length);
  });

  test.each(["(a", "[a-z]*", "a|b", "^a", "a+", "\\d*", "$(id)", "__proto__", "env=prod,"])(
    "%j is no pattern of another language, and picks nothing",
    (selector) => {
      expect(() => names(selector)).toThrow(`no host matches ${selector}`);
    },
  );

  test.each([
    "colour=red",
    "toString=x",
    "__proto__=x",
    "constructor=",
    "=prod",
    "env=prod,os=bsd",
  ])("%j names a field that hosts do not have", (selector) => {
    expect(() => names(selector)).toThrow(/hosts have no/);
  });

  test("that picks nothing fails the whole, with what is near", () => {
    expect(() => names("env=prod", "api3")).toThrow(
      expect.objectContaining({
        kind: "usage",
        message: "no host matches api3",
        next: "did you mean dev-api3-2 or prod-api3-1 or prod-api3-2?",
      }),
    );
    expect(() => names("zzz")).toThrow(expect.objectContaining({ next: "lcops hosts lists them" }));
  });

  test("that is near to many proposes a few, each name once", () => {
    const hosts = [...Array(900).keys()].flatMap((index) => [
      host(`web-${index}`),
      host(`web-${index}`),
    ]);
    expect(() => selectHosts(hosts, ["web"])).toThrow(
      expect.objectContaining({
        next: "did you mean web-0 or web-1 or web-2 or web-3 or web-4, or one of 895 more?",
      }),
    );
  });

  test("that is empty is near to nothing", () => {
    expect(() => names("")).toThrow(
      expect.objectContaining({
        message: 'no host matches ""',
        next: "lcops hosts lists them",
      }),
    );
  });

  test("that picks only what does not run says so", () => {
    const stopped = [host("old-batch", { state: "stopped" })];
    const select = (...selectors: string[]): Host[] => selectHosts(HOSTS, selectors, { stopped });
    expect(() => select("old-*")).toThrow(
      expect.objectContaining({
        kind: "usage",
        message: "no host that runs matches old-*",
        next: "--all lists those that do not, too",
      }),
    );
    expect(() => select("zzz")).toThrow("no host matches zzz");
    expect(select("env=dev").map(({ name }) => name)).toEqual(["dev-api3-2"]);
  });

  test("an unknown field lists the known ones", () => {
    expect(() => names("os=bsd")).toThrow(
      expect.objectContaining({
        kind: "usage",
        message: "os=bsd: hosts have no os",
        next: "select by name, env, environment, role, region, source",
      }),
    );
  });

  test("of many asterisks is answered in bounded time", () => {
    const long = [host("a".repeat(100))];
    const started = performance.now();
    expect(() => selectHosts(long, ["******b"])).toThrow("no host matches");
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe("one host", () => {
  test("is found by its exact name, even where that is a part of others", () => {
    const hosts = [host("API"), host("api"), host("api-2")];
    expect(findHost(hosts, "api")).toBe(hosts[1]);
    expect(findHost(hosts, "API")).toBe(hosts[0]);
  });

  test("is found by a selector that picks one", () => {
    expect(findHost(HOSTS, "role=stats").name).toBe("GraphStats");
  });

  test("is refused with the candidates where several fit", () => {
    expect(() => findHost(HOSTS, "prod-*")).toThrow(
      expect.objectContaining({
        kind: "usage",
        message: "prod-* is 2 hosts, and one is needed",
        next: "name one of prod-api3-1, prod-api3-2",
      }),
    );
    expect(() => findHost([host("Web"), host("WEB")], "web")).toThrow("web is 2 hosts");
  });

  test("that there is not is refused", () => {
    expect(() => findHost(HOSTS, "toString")).toThrow("no host matches toString");
    expect(() => findHost([], "web")).toThrow("no host matches web");
  });
});
