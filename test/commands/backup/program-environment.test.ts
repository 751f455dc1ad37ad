import { expect, test } from "vitest";
import { programEnvironment } from "../../../src/commands/backup/program-environment.ts";
import { makeFakeContext } from "../../support/fake-context.ts";

test("programs that read data get no key of AWS, and everything else", async () => {
  const { context } = makeFakeContext({
    childEnvironment: () =>
      Promise.resolve({
        PATH: "/usr/bin",
        AWS_PROFILE: "prod",
        AWS_SECRET_ACCESS_KEY: "s3cret",
        AWS_SESSION_TOKEN: "s3cret",
        AWS_CONTAINER_AUTHORIZATION_TOKEN: "s3cret",
      }),
  });
  expect(await programEnvironment(context)).toEqual({ PATH: "/usr/bin", AWS_PROFILE: "prod" });
});
