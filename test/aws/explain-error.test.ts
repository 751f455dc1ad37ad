import { describe, expect, test } from "vitest";
import { explainAwsError } from "../../src/aws/explain-error.ts";

const SCOPE = { region: "eu-west-1", profile: "prod" };
const ACTION = "ec2:DescribeInstances";
const WHERE = "ec2:DescribeInstances in eu-west-1 (profile prod): ";

/** An error as the SDK throws it. */
const named = (name: string, message = "the SDK's words"): Error =>
  Object.assign(new Error(message), { name });

describe("explainAwsError", () => {
  test.each<[string, "access" | "unreachable", string, string]>([
    [
      "ExpiredToken",
      "access",
      "the credentials have expired or are not valid (ExpiredToken)",
      "sign in: aws sso login --profile prod",
    ],
    [
      "ExpiredTokenException",
      "access",
      "the credentials have expired or are not valid (ExpiredTokenException)",
      "sign in: aws sso login --profile prod",
    ],
    [
      "TokenProviderError",
      "access",
      "the credentials have expired or are not valid (TokenProviderError)",
      "sign in: aws sso login --profile prod",
    ],
    [
      "RequestExpired",
      "access",
      "the credentials have expired or are not valid (RequestExpired)",
      "sign in: aws sso login --profile prod, or set this machine's clock",
    ],
    [
      "InvalidClientTokenId",
      "access",
      "the credentials are not valid, or the region is not enabled for their account (InvalidClientTokenId)",
      "sign in: aws sso login --profile prod, or leave the region out",
    ],
    [
      "UnrecognizedClientException",
      "access",
      "the credentials are not valid, or the region is not enabled for their account (UnrecognizedClientException)",
      "sign in: aws sso login --profile prod, or leave the region out",
    ],
    [
      "CredentialsProviderError",
      "access",
      "there are no credentials: the SDK's words",
      "sign in: aws sso login --profile prod",
    ],
    [
      "ProviderError",
      "access",
      "there are no credentials: the SDK's words",
      "sign in: aws sso login --profile prod",
    ],
    [
      "UnauthorizedOperation",
      "access",
      "permission denied (UnauthorizedOperation)",
      "have ec2:DescribeInstances allowed for it",
    ],
    [
      "AccessDenied",
      "access",
      "permission denied (AccessDenied)",
      "have ec2:DescribeInstances allowed for it",
    ],
    [
      "AccessDeniedException",
      "access",
      "permission denied (AccessDeniedException)",
      "have ec2:DescribeInstances allowed for it",
    ],
    [
      "AuthFailure",
      "access",
      "the region is not enabled for the account, or refuses it (AuthFailure)",
      "enable it, or take it out of the regions",
    ],
    [
      "OptInRequired",
      "access",
      "the region is not enabled for the account, or refuses it (OptInRequired)",
      "enable it, or take it out of the regions",
    ],
    [
      "SignatureDoesNotMatch",
      "access",
      "the signature was refused (SignatureDoesNotMatch)",
      "check this machine's clock, and the keys of the profile",
    ],
    [
      "RequestTimeTooSkewed",
      "access",
      "the signature was refused (RequestTimeTooSkewed)",
      "check this machine's clock, and the keys of the profile",
    ],
    [
      "InvalidSignatureException",
      "access",
      "the signature was refused (InvalidSignatureException)",
      "check this machine's clock, and the keys of the profile",
    ],
    [
      "RequestLimitExceeded",
      "unreachable",
      "AWS asks to slow down (RequestLimitExceeded)",
      "try again in a minute",
    ],
    ["Throttling", "unreachable", "AWS asks to slow down (Throttling)", "try again in a minute"],
    [
      "ThrottlingException",
      "unreachable",
      "AWS asks to slow down (ThrottlingException)",
      "try again in a minute",
    ],
    [
      "TooManyRequestsException",
      "unreachable",
      "AWS asks to slow down (TooManyRequestsException)",
      "try again in a minute",
    ],
    [
      "TimeoutError",
      "unreachable",
      "no answer in time",
      "try again, or leave the region out with --region",
    ],
    [
      "AbortError",
      "unreachable",
      "no answer in time",
      "try again, or leave the region out with --region",
    ],
    [
      "InternalError",
      "unreachable",
      "the SDK's words (InternalError)",
      "check the network and the endpoint, then try again",
    ],
  ])("explains %s", (name, kind, what, next) => {
    const cause = named(name);
    expect(explainAwsError(cause, ACTION, SCOPE)).toMatchObject({
      kind,
      message: `${WHERE}${what}`,
      next,
      cause,
    });
  });

  test.each<[string, unknown, string]>([
    [
      "the code of a system error",
      Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" }),
      "connect ECONNREFUSED 127.0.0.1:1 (ECONNREFUSED)",
    ],
    ["only the first line of a message", new Error("first\nsecond"), "first"],
    ["a thrown string", "a string", "a string ()"],
  ])("shows %s", (_what, thrown, said) => {
    expect(explainAwsError(thrown, ACTION, SCOPE)).toMatchObject({
      kind: "unreachable",
      message: `${WHERE}${said}`,
      next: "check the network and the endpoint, then try again",
    });
  });

  test("does not advise a profile where none is used", () => {
    const { message, next } = explainAwsError(named("ExpiredToken"), ACTION, {
      region: "eu-west-1",
    });
    expect(message).toMatch(/in eu-west-1 \(no profile\): /);
    expect(next).toBe("sign in: aws configure, or name a --profile");
  });
});
