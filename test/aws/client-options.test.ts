import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clientOptions } from "../../src/aws/client-options.ts";
import { makeProfileFiles, type ProfileFiles } from "../support/aws-profile-files.ts";

let files: ProfileFiles;
beforeEach(() => {
  files = makeProfileFiles();
});
afterEach(() => files.remove());

const access = { environment: {}, signal: new AbortController().signal };

describe("clientOptions", () => {
  test("are those of the profile, with its endpoint", async () => {
    await files.write("[profile lab]\nendpoint_url = http://lab.example\n");
    const scope = { region: "eu-west-1", profile: "lab", account: "1" };
    const { region, profile, endpoint } = await clientOptions(scope, "EC2", access);
    expect({ region, profile, endpoint }).toEqual({
      region: "eu-west-1",
      profile: "lab",
      endpoint: "http://lab.example",
    });
  });

  test("have neither profile nor endpoint where none is given, so that the environment counts", async () => {
    await files.write("[default]\nendpoint_url = http://default.example\n");
    const options = await clientOptions({ region: "eu-west-1" }, "EC2", access);
    expect(Object.keys(options)).toEqual(["region", "retryMode", "maxAttempts", "requestHandler"]);
  });

  test("wait out throttling, and end a request that hangs", async () => {
    expect(await clientOptions({ region: "eu-west-1" }, "EC2", access)).toMatchObject({
      retryMode: "adaptive",
      maxAttempts: 4,
      requestHandler: {
        connectionTimeout: 5_000,
        requestTimeout: 15_000,
        throwOnRequestTimeout: true,
      },
    });
  });
});
