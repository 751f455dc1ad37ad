import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clientOptions, findEndpoint } from "../../src/aws/client-options.ts";
import { makeProfileFiles, type ProfileFiles } from "../support/aws-profile-files.ts";

const CONFIG = `
[profile plain]
region = eu-west-1
[profile whole]
endpoint_url = http://whole.example
[profile parted]
endpoint_url = http://whole.example
services = local
[services local]
ec2 =
  endpoint_url = http://ec2.example
`;

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

describe("findEndpoint", () => {
  beforeEach(() => files.write(CONFIG));

  test.each<[string | undefined, string, string | undefined]>([
    ["plain", "EC2", undefined],
    ["nosuch", "EC2", undefined],
    [undefined, "EC2", undefined],
    ["whole", "EC2", "http://whole.example"],
    ["parted", "EC2", "http://ec2.example"],
    ["parted", "STS", "http://whole.example"],
  ])("reads the profile %s for %s: %s", async (profile, service, endpoint) => {
    expect(await findEndpoint(profile, service, {})).toBe(endpoint);
  });

  test.each([
    ["AWS_ENDPOINT_URL", "http://variable.example"],
    ["AWS_ENDPOINT_URL_EC2", "http://variable.example"],
    ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"],
  ])("leaves the endpoint to the SDK where %s is set", async (name, value) => {
    expect(await findEndpoint("parted", "EC2", { [name]: value })).toBeUndefined();
  });

  test("heeds no variable of another service, and no empty one", async () => {
    const environment = {
      AWS_ENDPOINT_URL: "",
      AWS_ENDPOINT_URL_S3: "http://s3.example",
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "false",
    };
    expect(await findEndpoint("parted", "EC2", environment)).toBe("http://ec2.example");
  });
});
