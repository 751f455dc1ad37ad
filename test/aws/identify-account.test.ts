import { describe, expect, test } from "vitest";
import { explainMissingProfile } from "../../src/aws/identify-account.ts";
import { tellError } from "../support/fake-context.ts";

describe("explainMissingProfile", () => {
  const scope = { region: "us-west-2", profile: "nosuch" };

  test("names the profiles that exist", () => {
    expect(explainMissingProfile(scope, [{ name: "dev" }, { name: "prod" }])).toMatchObject({
      kind: "access",
      message:
        "sts:GetCallerIdentity in us-west-2 (profile nosuch): there is no such profile in the AWS files",
      next: "name one of dev, prod",
    });
  });

  test("says how to make the first profile", () => {
    expect(tellError(explainMissingProfile(scope, []))).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "lcops: sts:GetCallerIdentity in us-west-2 (profile nosuch): there is no such profile in the AWS files; make it: aws configure sso --profile nosuch\n",
    });
  });

  test("leaves a profile that exists, and no profile, to the SDK's own words", () => {
    expect(explainMissingProfile(scope, [{ name: "nosuch" }])).toBeUndefined();
    expect(explainMissingProfile({ region: "us-west-2" }, [])).toBeUndefined();
  });
});
