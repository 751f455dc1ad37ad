import { expect, test } from "vitest";
import type { ServiceConfig } from "../../src/config/schema.ts";
import { probeService, serviceTypeOf, KINDS } from "../../src/services/registry.ts";

test("each kind has a name of its own, and is found by it", () => {
  const names = KINDS.map(({ kind }) => kind);
  expect(new Set(names).size).toBe(KINDS.length);
  expect(names.map(serviceTypeOf)).toEqual(KINDS);
});

test.each(["", "toString", "REDIS", "memcached"])("a kind %j that is none is a defect", (kind) => {
  expect(() => serviceTypeOf(kind)).toThrow(`there is no kind of service ${kind}`);
});

test("a kind knows its own services from those of the others, and from none", () => {
  const services: ServiceConfig[] = KINDS.map(({ kind }) => ({ kind, port: 1 }));
  for (const type of KINDS) {
    const own = services.filter((service) => type.is(service)).map(({ kind }) => kind);
    expect(own).toEqual([type.kind]);
    expect(type.is(undefined)).toBe(false);
  }
});

test("a service is asked in the protocol of its kind, where its place says", async () => {
  const asked: string[] = [];
  const endpoint = (): Promise<never> => {
    asked.push("endpoint");
    return Promise.reject(new Error("there is no way"));
  };
  const limits = { timeoutMs: 1, signal: new AbortController().signal };
  await expect(
    probeService({ config: { kind: "redis", port: 1 }, endpoint }, limits),
  ).rejects.toThrow("there is no way");
  expect(asked).toEqual(["endpoint"]);
});
