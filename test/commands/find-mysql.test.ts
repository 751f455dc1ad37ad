import { describe, expect, test } from "vitest";
import { findMysql, findReplica } from "../../src/commands/find-mysql.ts";
import type { MysqlConfig } from "../../src/services/mysql/settings.ts";
import type { Config } from "../support/known-config.ts";
import { tellFailure } from "../support/fake-context.ts";
import { runInProcess } from "../support/run-in-process.ts";

const mysql = (more: Partial<MysqlConfig>): MysqlConfig => ({ kind: "mysql", port: 3306, ...more });
const CONFIG: Config = {
  environments: { dev: {}, prod: {} },
  hosts: { db: { environment: "prod" } },
  services: {
    "dev-school": mysql({ environment: "dev", address: "dev.example" }),
    school: mysql({ host: "db" }),
    cache: { kind: "redis", environment: "dev", address: "x", port: 6379 },
  },
};
const find = (config: Config, environmentFlag?: string): string =>
  findMysql(config, { environmentFlag }).name;

describe("findMysql", () => {
  test("takes the only one, whatever its environment", () => {
    const { school, cache } = CONFIG.services ?? {};
    if (!school || !cache) throw new Error("they are there");
    expect(find({ ...CONFIG, services: { school, cache } })).toBe("school");
  });

  test("takes that of --env, of a host by the host's environment", () => {
    expect(find(CONFIG, "prod")).toBe("school");
    expect(find(CONFIG, "dev")).toBe("dev-school");
  });

  test("takes that of the default environment, and --env goes before it", () => {
    const config = { ...CONFIG, defaultEnvironment: "prod" };
    expect(find(config)).toBe("school");
    expect(find(config, "dev")).toBe("dev-school");
  });

  test.each<[Config, string | undefined, string]>([
    [CONFIG, undefined, "there are several mysql services: dev-school, school; choose with --env"],
    [
      CONFIG,
      "qa",
      "there is no mysql service in the environment qa; add one to the services of the configuration, or choose another --env",
    ],
    [
      {},
      undefined,
      "there is no mysql service; add one to the services of the configuration, or choose another --env",
    ],
  ])("does not guess: %#", async (config, flag, said) => {
    expect(await tellFailure(() => find(config, flag))).toEqual({
      code: 2,
      stdout: "",
      stderr: `lcops: ${said}\n`,
    });
  });
});

describe("findReplica", () => {
  test("is reached as the server is, but for what it says itself", () => {
    const service = mysql({ host: "db", address: "10.0.0.1", replica: { address: "10.0.0.2" } });
    expect(findReplica("school", service)).toEqual({ ...service, address: "10.0.0.2" });
    const other = { ...service, replica: { port: 3307 } };
    expect(findReplica("school", other)).toEqual({
      ...other,
      host: "db",
      address: "10.0.0.1",
      port: 3307,
    });
  });

  test("is refused where there is none, before anything is reached", async () => {
    const config: Config = { services: { school: mysql({ address: "x" }) } };
    const result = await runInProcess(["mysql", "--replica", "--", "-e", "select 1"], {
      config: () => Promise.resolve(config),
    });
    expect(result).toMatchObject({ code: 255, stdout: "" });
    expect(result.stderr).toMatch(/^lcops: school has no replica.*; .+\n$/);
  });
});
