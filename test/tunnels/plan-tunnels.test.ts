import { describe, expect, test } from "vitest";
import type { Config } from "../support/known-config.ts";
import type { Host } from "../../src/inventory/host.ts";
import { derivePort } from "../../src/tunnels/describe-url.ts";
import { planTunnels } from "../../src/tunnels/plan-tunnels.ts";

const HOSTS: readonly Host[] = [
  { name: "web", sources: ["config"] },
  { name: "Web", sources: ["config"] },
  { name: "quiet", sources: ["ssh-config"] },
];
const CONFIG: Config = {
  services: {
    page: { kind: "http", host: "web", port: 8080, localPort: 18080, path: "/login" },
    cache: { kind: "redis", host: "quiet", address: "10.0.0.1", port: 6379 },
    direct: { kind: "mysql", address: "db.example.com", port: 3306 },
    orphan: { kind: "graphite", host: "gone", port: 80 },
  },
};
const plan = (...names: string[]) => planTunnels(CONFIG, HOSTS, names);

describe("the plan of tunnels", () => {
  test("says what is forwarded from where to where, in the order asked for, each once", () => {
    expect(plan("cache", "page", "cache")).toEqual([
      {
        name: "cache",
        service: CONFIG.services?.["cache"],
        host: HOSTS[2],
        target: { host: "10.0.0.1", port: 6379 },
        localPort: derivePort("cache"),
      },
      {
        name: "page",
        service: CONFIG.services?.["page"],
        host: HOSTS[0],
        target: { host: "127.0.0.1", port: 8080 },
        localPort: 18080,
      },
    ]);
  });

  test.each(["nothing", "toString", "__proto__", "constructor", "", "PAGE"])(
    "refuses %j, which is no service, and names those that are",
    (name) => {
      expect(() => plan("page", name)).toThrow(
        expect.objectContaining({
          kind: "usage",
          message: `there is no service ${name}`,
          next: "name one of page, cache, orphan",
        }),
      );
    },
  );

  test("refuses a service that needs no tunnel, and says where it is", () => {
    expect(() => plan("direct")).toThrow("direct is reached directly, at db.example.com:3306");
  });

  test("refuses a service whose host is not in the inventory", () => {
    expect(() => plan("orphan")).toThrow("no host matches gone");
  });

  test("advises to add a service where there is none", () => {
    expect(() => planTunnels({}, HOSTS, ["x"])).toThrow(
      expect.objectContaining({ next: "add one to the configuration" }),
    );
  });
});

describe("the port of a service that names none", () => {
  test("is the same every day", () => {
    expect([derivePort("graphite"), derivePort("a"), derivePort("")]).toEqual([
      derivePort("graphite"),
      // FNV-1a of "a" is e40c292c, of nothing 811c9dc5.
      20_000 + (0xe40c292c % 10_000),
      20_000 + (0x811c9dc5 % 10_000),
    ]);
  });

  test("lies from 20000 to 29999, and seldom is that of another", () => {
    const ports = Array.from({ length: 1_000 }, (_, index) => derivePort(`service-${index}`));
    for (const port of ports) expect(port >= 20_000 && port <= 29_999).toBe(true);
    expect(new Set(ports).size).toBeGreaterThan(900);
  });
});
