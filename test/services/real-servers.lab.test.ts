import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import type { ServiceKind } from "../../src/services/registry.ts";
import { KINDS, serviceTypeOf } from "../../src/services/registry.ts";
import { useLab } from "../support/lab.ts";
import type { Endpoint } from "../../src/reach/service-place.ts";

const lab = await useLab(
  "mysql",
  "redis",
  "graphite",
  "monit",
  "elasticsearch",
  "kibana",
  "jenkins",
);
const { mysql, redis, graphite, monit, elasticsearch, kibana, jenkins } = lab.services;
const at = (found: { address: string; port: number } | undefined): Endpoint | undefined =>
  found && { host: found.address, port: found.port };

const ask = async (kind: ServiceKind, endpoint: Endpoint | undefined) => {
  if (!endpoint) throw new Error("absent from the lab");
  const type = serviceTypeOf(kind);
  const limits = { timeoutMs: 10_000, signal: new AbortController().signal };
  return type.probe(endpoint, { kind, port: endpoint.port }, limits);
};

const REAL: readonly [string, ServiceKind, Endpoint | undefined, RegExp][] = [
  ["MariaDB, the primary", "mysql", at(mysql?.primary), /^version .*MariaDB/],
  ["MariaDB, the replica", "mysql", at(mysql?.replica), /^version .*MariaDB/],
  ["Redis", "redis", at(redis), /^PONG$/],
  ["Graphite", "graphite", at(graphite), /^(1 metric root|[1-9]\d* metric roots)$/],
  ["Monit", "monit", at(Object.values(monit ?? {})[0]), /^it wants a login$/],
  ["Elasticsearch", "elasticsearch", at(elasticsearch), /^cluster .*, version \d/],
  ["Kibana", "http", at(kibana), /^HTTP 200/],
  ["Jenkins", "http", at(jenkins), /^HTTP (200|403)/],
];

describe("a server of the lab answers in its own protocol", () => {
  for (const [name, kind, endpoint, detail] of REAL) {
    test.skipIf(!endpoint)(name, async () => {
      const result = await ask(kind, endpoint);
      expect(result.answers).toBe(true);
      expect(result.detail).toMatch(detail);
    });
  }
});

describe("a server of the lab is not taken for another kind", () => {
  const wrong = REAL.flatMap(([name, kind, endpoint]) =>
    // A web page is whatever answers over HTTP.
    (["elasticsearch", "graphite", "monit", "mysql", "redis"] as const)
      .filter((other) => other !== kind && endpoint)
      .map((other) => ({ name, other, endpoint })),
  );
  test.concurrent.each(wrong)("$name asked as $other", async ({ name, other, endpoint }) => {
    const type = serviceTypeOf(other);
    if (!endpoint) throw new Error("absent from the lab");
    const limits = { timeoutMs: 1_500, signal: new AbortController().signal };
    const result = await type.probe(endpoint, { kind: other, port: endpoint.port }, limits);
    // Elasticsearch cannot be told from another server that wants credentials.
    expect(result.answers).toBe(name === "Monit" && other === "elasticsearch");
  });
});

test("the lab's configuration names services of every kind that it has", () => {
  const kinds = new Set(
    Object.values(loadConfig(lab.configPath, KINDS).services ?? {}).map(({ kind }) => kind),
  );
  for (const [, kind, endpoint] of REAL) if (endpoint) expect(kinds).toContain(kind);
});
