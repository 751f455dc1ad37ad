import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findEndpoint } from "../../src/aws/find-endpoint.ts";
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
beforeEach(async () => {
  files = makeProfileFiles();
  await files.write(CONFIG);
});
afterEach(() => files.remove());

describe("findEndpoint", () => {
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
