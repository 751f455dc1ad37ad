import { describe, expect, test } from "vitest";
import { planWaves, type WaveHost } from "../../src/fleet/plan-waves.ts";

const host = (label: string, more: Partial<WaveHost> = {}): WaveHost => ({
  label,
  isProduction: false,
  role: "api",
  region: "us-west-2",
  packages: ["openssl"],
  ...more,
});
const hosts = (count: number, more: Partial<WaveHost> = {}): WaveHost[] =>
  Array.from({ length: count }, (_, index) => host(`h${index + 1}`, more));
const sizes = (all: readonly WaveHost[]): number[] =>
  planWaves(all).map((wave) => wave.hosts.length);

describe("waves", () => {
  test.each([
    [0, []],
    [1, [1]],
    [2, [1, 1]],
    [3, [1, 1, 1]],
    [4, [1, 1, 1, 1]],
    [10, [1, 2, 1, 2, 1, 2, 1]],
    [20, [1, 5, 5, 2, 5, 2]],
  ])("of %i hosts of one role", (count, expected) => {
    expect(sizes(hosts(count))).toEqual(expected);
    expect(planWaves(hosts(count)).flatMap((wave) => wave.hosts)).toHaveLength(count);
  });

  test("begin with one canary for each plan", () => {
    const waves = planWaves([...hosts(8), host("odd", { packages: ["linux-image"] })]);
    const canaries = waves.filter(({ isCanary }) => isCanary).flatMap((wave) => wave.hosts);
    expect(canaries).toEqual(["h1", "odd"]);
  });

  test("have production behind everything else, with canaries of its own", () => {
    const waves = planWaves([...hosts(2, { isProduction: true }), host("dev-1"), host("dev-2")]);
    expect(waves.map((wave) => wave.hosts)).toEqual([["dev-1"], ["dev-2"], ["h1"], ["h2"]]);
    expect(waves.map(({ isCanary }) => isCanary)).toEqual([true, false, true, false]);
  });

  test("never have two regions of a role at once", () => {
    const all = hosts(16).map((one, index) => ({ ...one, region: index % 2 ? "a" : "b" }));
    for (const { hosts: labels } of planWaves(all))
      expect(
        new Set(all.filter(({ label }) => labels.includes(label)).map(({ region }) => region)).size,
      ).toBe(1);
  });

  test("have machines that are alone in their role at the end, one by one", () => {
    const waves = planWaves([
      host("jenkins", { role: "ci" }),
      ...hosts(3),
      host("graph", { role: "stats" }),
    ]);
    expect(waves.slice(-2).map((wave) => wave.hosts)).toEqual([["jenkins"], ["graph"]]);
    expect(waves[0]).toEqual({ isCanary: true, hosts: ["h1"] });
  });
});
