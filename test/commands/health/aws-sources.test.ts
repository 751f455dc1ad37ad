import { describe, expect, test } from "vitest";
import { alarmSources, planPlaces } from "../../../src/commands/health/aws-sources.ts";
import type { Config } from "../../../src/config/schema.ts";
import { makeFakeContext } from "../../support/fake-context.ts";

const CONFIG: Config = {
  environments: {
    dev: { aws: { profile: "one", account: "111111111111", regions: ["us-west-2"] } },
    prod: { aws: { profile: "two", account: "111111111111", regions: ["us-west-2", "eu-west-1"] } },
    other: { aws: { profile: "three", regions: ["eu-west-1"] } },
    none: {},
  },
};
const show = (scopes: { environments: readonly string[]; region: string }[]): string[] =>
  scopes.map(({ environments, region }) => `${environments.join("+")} ${region}`);

describe("the AWS sources", () => {
  test("ask each region of an account once, for all its profiles", () => {
    const { regions, accounts } = planPlaces(CONFIG, {});
    expect(show(regions)).toEqual(["dev+prod us-west-2", "prod eu-west-1", "other eu-west-1"]);
    expect(regions.map(({ profile }) => profile)).toEqual(["one", "two", "three"]);
    // A global service is asked in its own region.
    expect(show(accounts)).toEqual(["dev+prod us-east-1", "other us-east-1"]);
  });

  test("ask nothing global with --region, and one environment with --env", () => {
    const narrowed = planPlaces(CONFIG, { region: "eu-west-1" });
    expect(show(narrowed.regions)).toEqual(["dev+prod eu-west-1", "other eu-west-1"]);
    expect(narrowed.accounts).toEqual([]);
    expect(show(planPlaces(CONFIG, { environment: "dev" }).regions)).toEqual(["dev us-west-2"]);
  });

  test("ask every region, and the global one, once for alarms", () => {
    const { context } = makeFakeContext();
    const config: Config = {
      environments: { dev: { aws: { regions: ["us-east-1", "us-west-2"] } } },
    };
    expect(alarmSources(config, {}, context).map(({ source }) => source.name)).toEqual([
      "dev us-east-1",
      "dev us-west-2",
    ]);
    expect(alarmSources(CONFIG, {}, context).map(({ source }) => source.name)).toEqual([
      "dev+prod us-west-2",
      "prod eu-west-1",
      "other eu-west-1",
      "dev+prod us-east-1",
      "other us-east-1",
    ]);
  });
});
