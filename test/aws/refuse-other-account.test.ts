import { expect, test } from "vitest";
import { refuseOtherAccount } from "../../src/aws/refuse-other-account.ts";

const IDENTITY = { account: "111111111111", principal: "arn:aws:iam::111111111111:user/ops" };

test("refuseOtherAccount accepts the configured account, and any where none is configured", () => {
  const scope = { region: "eu-west-1", profile: "prod" };
  expect(() => refuseOtherAccount(scope, IDENTITY)).not.toThrow();
  expect(() => refuseOtherAccount({ ...scope, account: "111111111111" }, IDENTITY)).not.toThrow();
});

test.each([
  ["prod", "the profile prod belongs"],
  [undefined, "the profile of the environment belongs"],
])("refuseOtherAccount refuses another account of the profile %s", (profile, said) => {
  const scope = { region: "eu-west-1", account: "222222222222", ...(profile && { profile }) };
  expect(() => refuseOtherAccount(scope, IDENTITY)).toThrow(
    expect.objectContaining({
      kind: "refused",
      message: `${said} to account 111111111111, the configuration says 222222222222`,
      next: "nothing was done; correct the profile, or the account in the configuration",
    }),
  );
});

test("refuseOtherAccount refuses an identity without an account", () => {
  const scope = { region: "eu-west-1", account: "222222222222" };
  expect(() => refuseOtherAccount(scope, { account: "", principal: "" })).toThrow(/belongs to/);
});
