import { describe, expect, test } from "vitest";
import { findLeftOut, pickEntries } from "../../../src/commands/db/open-subjects.ts";
import type { MysqlConfig } from "../../../src/services/mysql/settings.ts";
import type { Config } from "../../support/known-config.ts";
import { tellFailure } from "../../support/fake-context.ts";

const mysql = (more: Partial<MysqlConfig>): MysqlConfig => ({ kind: "mysql", port: 3306, ...more });
const CONFIG: Config = {
  environments: { dev: {}, prod: {} },
  hosts: { db: { environment: "prod" } },
  services: {
    school: mysql({ host: "db" }),
    "dev-school": mysql({ environment: "dev", address: "x" }),
    archive: mysql({ environment: "prod", address: "x" }),
    cache: { kind: "redis", environment: "prod", address: "x", port: 6379 },
  },
};
const CHECKED: Config = { ...CONFIG, consistency: { check: { service: "school" } } };
const pick = (config: Config, names: string[] = [], environment?: string): string[] =>
  pickEntries(names, config, environment).map(({ name, config: { service } }) =>
    name === service ? name : `${name} of ${service}`,
  );

describe("the checked services", () => {
  test("are all MySQL services of the environment when nothing is configured", () => {
    expect(pick(CONFIG)).toEqual(["school", "dev-school", "archive"]);
    expect(pick(CONFIG, [], "prod")).toEqual(["school", "archive"]);
  });

  test("are the configured checks, where there are any", () => {
    expect(pick(CHECKED)).toEqual(["check of school"]);
    expect(pick(CHECKED, [], "prod")).toEqual(["check of school"]);
  });

  test("are the named checks or services, each once", () => {
    expect(pick(CHECKED, ["archive", "check", "archive"])).toEqual(["archive", "check of school"]);
  });

  test.each<[Config, string[], string | undefined, string]>([
    [
      CHECKED,
      ["nosuch"],
      undefined,
      "there is nothing to check that is called nosuch; name one of check, school, dev-school, archive",
    ],
    [CHECKED, ["constructor"], undefined, "there is nothing to check that is called constructor; "],
    [CHECKED, ["cache"], undefined, "there is nothing to check that is called cache; "],
    [{}, ["x"], undefined, "that is called x; add a MySQL service to the services"],
    [CONFIG, ["school"], "dev", "school belongs to prod, not to dev; correct --env or the name"],
    [CHECKED, ["check"], "dev", "check belongs to prod, not to dev; correct --env or the name"],
    [
      CHECKED,
      [],
      "dev",
      "there is no MySQL service to be checked; add one to the services of the configuration, or choose another --env",
    ],
    [{}, [], undefined, "there is no MySQL service to be checked; add one"],
  ])("must exist and match --env: %#", async (config, names, environment, said) => {
    const result = await tellFailure(() => pick(config, names, environment));
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toContain(said);
  });
});

test("services that nobody has configured a check of are left out, and known", () => {
  const entries = pickEntries([], CHECKED, undefined);
  expect(findLeftOut(entries, CHECKED, undefined)).toEqual(["dev-school", "archive"]);
  expect(findLeftOut(entries, CHECKED, "prod")).toEqual(["archive"]);
  expect(findLeftOut(pickEntries([], CONFIG, undefined), CONFIG, undefined)).toEqual([]);
});
