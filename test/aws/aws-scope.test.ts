import { expect, test } from "vitest";
import { describeScope } from "../../src/aws/aws-scope.ts";

test("describeScope names the region and the profile", () => {
  expect(describeScope({ region: "us-west-2", profile: "prod", account: "1" })).toBe(
    "us-west-2 (profile prod)",
  );
  expect(describeScope({ region: "eu-west-1" })).toBe("eu-west-1 (no profile)");
});
