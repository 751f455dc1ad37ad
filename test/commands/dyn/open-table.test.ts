import { describe, expect, test } from "vitest";
import { narrowWishes } from "../../../src/commands/dyn/open-table.ts";

describe("narrowWishes", () => {
  const narrow = (environmentFlag: string | undefined, defaultEnvironment?: string) =>
    narrowWishes({
      environmentFlag,
      scopeWishes: { region: "eu-west-1" },
      config: () => Promise.resolve({ ...(defaultEnvironment && { defaultEnvironment }) }),
    });

  test("takes --env, else the default environment, else none", async () => {
    expect(await narrow("prod", "dev")).toEqual({ region: "eu-west-1", environment: "prod" });
    expect(await narrow(undefined, "dev")).toEqual({ region: "eu-west-1", environment: "dev" });
    expect(await narrow(undefined)).toEqual({ region: "eu-west-1" });
  });
});
