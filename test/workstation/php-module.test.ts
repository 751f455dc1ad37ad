import { describe, expect, test } from "vitest";
import type { MachineServiceConfig } from "../../src/config/workstation-schema.ts";
import type { ServingPhp } from "../../src/workstation/find-php.ts";
import type { Observation } from "../../src/workstation/machine-service.ts";
import {
  joinObservations,
  phpModuleService,
  pickConfigured,
  pickServing,
} from "../../src/workstation/php-module.ts";
import { makeServer, makeTools } from "../support/machine-tools.ts";

const [APACHE, FPM2, FPM3]: [ServingPhp, ServingPhp, ServingPhp] = [
  { version: "8.2", sapi: "apache2" },
  { version: "8.2", sapi: "fpm" },
  { version: "8.3", sapi: "fpm" },
];
const ALL = [APACHE, FPM2, FPM3];

describe("the PHPs that the configuration means", () => {
  const servers: Record<string, MachineServiceConfig> = {
    apache: { kind: "systemd", unit: "apache2" },
    fpm: { kind: "systemd", unit: "php8.3-fpm.service" },
    script: { kind: "sysv", script: "php8.2-fpm" },
  };
  const find = (name: string) => {
    const config = servers[name];
    return config && { config, service: makeServer({ state: "on" }) };
  };
  test.each<[string, object, ServingPhp[]]>([
    ["are all of them unless it says more", {}, ALL],
    ["have the version that it names", { version: "8.3" }, [FPM3]],
    ["serve in the way that it names", { sapi: "fpm" }, [FPM2, FPM3]],
    ["have both", { version: "8.2", sapi: "fpm" }, [FPM2]],
    ["are Apache's where Apache is the server", { server: "apache" }, [APACHE]],
    ["are that of the unit of an FPM", { server: "fpm" }, [FPM3]],
    ["are that of the script of an FPM", { server: "script" }, [FPM2]],
    ["are none where nothing fits", { version: "7.4" }, []],
  ])("%s", (_what, more, found) => {
    expect(pickConfigured(ALL, { module: "xdebug", ...more }, { find })).toEqual(found);
  });

  test("are all where another server loads them, and Apache has no PHP", () => {
    const config = { module: "xdebug", server: "apache" };
    expect(pickConfigured([FPM2, FPM3], config, { find })).toEqual([FPM2, FPM3]);
  });
});

describe("the PHPs whose module is changed", () => {
  const pick = async (...states: Observation["state"][]): Promise<ServingPhp[]> => {
    const all = ALL.slice(0, states.length).map((php, at) => ({
      php,
      server: makeServer({ state: states[at] ?? "off" }),
    }));
    return (await pickServing(all)).map(({ php }) => php);
  };
  test("are those that run", async () => {
    expect(await pick("off", "on", "on")).toEqual([FPM2, FPM3]);
    expect(await pick("on", "failed", "off")).toEqual([APACHE]);
  });

  test("are Apache's where none runs, and those beside it where Apache has none", async () => {
    expect(await pick("off", "off", "off")).toEqual([APACHE]);
    const beside = [FPM2, FPM3].map((php) => ({ php, server: makeServer({ state: "off" }) }));
    expect((await pickServing(beside)).map(({ php }) => php)).toEqual([FPM2, FPM3]);
  });

  test("are the only one there is, whether it runs or not", async () => {
    expect(await pick("off")).toEqual([APACHE]);
  });
});

describe("what was seen of several PHPs", () => {
  const seen = (label: string, state: "on" | "off", more: Partial<Observation> = {}) => ({
    label,
    seen: { state, ...more },
  });
  test("is told without a place where there is one PHP", () => {
    expect(joinObservations([seen("8.2 fpm", "on")], [])).toEqual({ state: "on" });
    expect(joinObservations([seen("8.2 fpm", "off", { detail: "it is down" })], [])).toEqual({
      state: "off",
      detail: "it is down",
    });
  });

  test("is told once where all are the same", () => {
    const pending = { pending: "off", detail: "disabled" } as const;
    expect(
      joinObservations([seen("8.2 apache2", "on", pending), seen("8.2 fpm", "on", pending)], []),
    ).toEqual({
      state: "on",
      pending: "off",
      detail: "in PHP 8.2 apache2 and 8.2 fpm; disabled",
    });
  });

  test("is told each by itself where they differ, also by what is pending", () => {
    expect(
      joinObservations(
        [seen("8.2 apache2", "off"), seen("8.3 fpm", "on", { pending: "off" })],
        ["8.2 fpm"],
      ),
    ).toEqual({
      state: "on",
      partly: true,
      detail:
        "OFF in PHP 8.2 apache2; ON in PHP 8.3 fpm, restart pending; not installed in PHP 8.2 fpm",
    });
    expect(
      joinObservations([seen("a", "off"), seen("b", "off", { pending: "on" })], []),
    ).toMatchObject({ state: "off", partly: true });
  });

  test("names those that have no such module", () => {
    expect(joinObservations([seen("8.2 fpm", "on")], ["8.3 fpm"])).toEqual({
      state: "on",
      detail: "in PHP 8.2 fpm; not installed in PHP 8.3 fpm",
    });
  });
});

test("finds no PHP of a version that is not there", async () => {
  const service = phpModuleService({ module: "xdebug", version: "0.1" }, makeTools());
  expect(await service.observe()).toEqual({
    state: "not installed",
    detail: "no PHP serves pages here",
  });
});
