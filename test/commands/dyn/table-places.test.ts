import { describe, expect, test } from "vitest";
import { isGuarded, withPlaces } from "../../../src/commands/dyn/table-places.ts";
import type { Config } from "../../../src/config/schema.ts";
import { makeFakeContext, tellFailure } from "../../support/fake-context.ts";

const [DEV, PROD] = ["111111111111", "222222222222"];
const CONFIG: Config = {
  environments: {
    dev: { production: false, aws: { account: DEV } },
    prod: { aws: { account: PROD } },
    loose: { production: false, aws: { profile: "loose" } },
  },
};
const guard = (
  account: string,
  environments: string[],
  config = CONFIG,
  profile?: string,
): boolean => isGuarded(config, { environments }, account, { ...(profile && { profile }) });

describe("an account is guarded", () => {
  test("unless its environment is marked as none of production", () => {
    expect(guard(DEV, ["dev"])).toBe(false);
    expect(guard(PROD, ["prod"])).toBe(true);
  });

  test("by whose it is, whatever the profile is called that leads there", () => {
    expect(guard(PROD, ["dev"])).toBe(true);
  });

  test("where nobody has named it", () => {
    expect(guard("999999999999", ["dev"])).toBe(true);
    expect(guard("999999999999", ["loose"])).toBe(false);
    // A profile that was typed may lead anywhere.
    expect(guard("999999999999", ["loose"], CONFIG, "other")).toBe(true);
  });

  test("where one of several environments that share it is of production", () => {
    const shared: Config = {
      environments: { ...CONFIG.environments, prod: { aws: { account: DEV } } },
    };
    expect(guard(DEV, ["dev"], shared)).toBe(true);
  });
});

test("no environment of AWS is a mistake that says what to add", async () => {
  const { context } = makeFakeContext({ config: () => Promise.resolve({ environments: {} }) });
  expect(await tellFailure(() => withPlaces(context, {}, () => Promise.resolve(0)))).toEqual({
    code: 2,
    stdout: "",
    stderr:
      "lcops: no environment says how AWS is reached, or in which region; give one a section aws with regions, or choose with --env and --region\n",
  });
});
