import { expect, test } from "vitest";
import { planParts, requireParts, summarizeParts } from "./parts.ts";

const names = (parts: { name: string; state: string }[], state: string) =>
  parts.filter((part) => part.state === state).map((part) => part.name);

test("with all packages every part is there, stand-ins named as such", () => {
  const parts = planParts(undefined, { missing: [] }, {});
  expect(names(parts, "absent")).toEqual([]);
  expect(names(parts, "stand-in")).toEqual([
    "elasticsearch",
    "kibana",
    "jenkins",
    "aws",
    "opsworks",
  ]);
});

test("a missing package takes its part and what needs it, with the reason", () => {
  const parts = planParts(
    undefined,
    { missing: ["mariadb-server"], reason: "not installed, and only root can" },
    {},
  );
  expect(names(parts, "absent")).toEqual(["mysql", "replica"]);
  expect(parts.find((part) => part.name === "mysql")?.reason).toBe(
    "mariadb-server: not installed, and only root can",
  );
  expect(parts.find((part) => part.name === "replica")?.reason).toBe("it needs mysql");
  expect(names(planParts(undefined, { missing: ["openssh-server"] }, {}), "absent")).not.toContain(
    "mysql",
  );
});

test("a machine that allows no network of our own has no bastion, but all else", () => {
  const parts = planParts(undefined, { missing: [] }, { bastion: "unshare failed" });
  expect(names(parts, "absent")).toEqual(["bastion"]);
});

test("a wish brings what it needs, and no more", () => {
  expect(planParts(["monit"], { missing: [] }, {}).map((part) => part.name)).toEqual([
    "hosts",
    "monit",
  ]);
  expect(planParts(["replica"], { missing: [] }, {}).map((part) => part.name)).toEqual([
    "mysql",
    "replica",
  ]);
});

test("a machine with an emulator has it instead of the stand-in", () => {
  const better = { aws: { state: "emulator", detail: "moto" } } as const;
  const parts = planParts(["opsworks"], { missing: [] }, {}, better);
  expect(parts).toEqual([
    { name: "aws", state: "emulator", detail: "moto" },
    { name: "opsworks", state: "stand-in", detail: "its API of our own" },
  ]);
});

test("LCOPS_LAB_REQUIRE=all makes an absence a failure that names it", () => {
  const parts = planParts(undefined, { missing: ["monit"] }, {});
  expect(() => requireParts(parts, "all")).toThrow("monit (monit: not installed)");
  expect(() => requireParts(parts, undefined)).not.toThrow();
});

test("the summary has a line per part with its state, and the reason of an absence", () => {
  const lines = summarizeParts(planParts(["redis", "kibana"], { missing: ["redis-server"] }, {}));
  expect(lines).toEqual([
    "hosts   real      OpenSSH, a server per machine",
    "redis   absent    redis-server: not installed",
    "kibana  stand-in  a page on its port",
  ]);
});
