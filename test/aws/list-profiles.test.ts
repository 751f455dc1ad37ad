import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findEndpoint } from "../../src/aws/client-options.ts";
import { listProfiles, rereadProfiles } from "../../src/aws/list-profiles.ts";
import { makeProfileFiles, type ProfileFiles } from "../support/aws-profile-files.ts";

let files: ProfileFiles;
beforeEach(() => {
  files = makeProfileFiles();
});
afterEach(() => files.remove());

describe("listProfiles", () => {
  test("lists the profiles of both files once, without sections of another kind", async () => {
    await files.write(
      "[default]\nregion = us-east-1\n\n[profile dev]\n[ profile live ]\n[profile eu]\nregion=eu-west-1\n[sso-session corp]\nregion = x\n[services s]\n",
      "[prod]\n[dev]\n",
    );
    expect(await listProfiles(files.environment)).toEqual([
      { name: "default", region: "us-east-1" },
      { name: "dev" },
      { name: "live" },
      { name: "eu", region: "eu-west-1" },
      { name: "prod" },
    ]);
  });

  test("understands quoted names with blanks, and ignores comments", async () => {
    await files.write(`[profile "two words"]\n# [profile old]\n; [profile older]\n[]\n`);
    expect(await listProfiles(files.environment)).toEqual([{ name: "two words" }]);
  });

  test("finds none where the files are missing", async () => {
    const missing = { AWS_CONFIG_FILE: "/nosuch/a", AWS_SHARED_CREDENTIALS_FILE: "/nosuch/b" };
    expect(await listProfiles(missing)).toEqual([]);
  });
});

test("rereadProfiles puts a changed file in force, which the SDK keeps from being read otherwise", async () => {
  await files.write("[profile lab]\nendpoint_url = http://old.example\n");
  writeFileSync(
    files.environment["AWS_CONFIG_FILE"] ?? "",
    "[profile lab]\nendpoint_url = http://new.example\n",
  );
  expect(await findEndpoint("lab", "EC2", {})).toBe("http://old.example");
  await rereadProfiles();
  expect(await findEndpoint("lab", "EC2", {})).toBe("http://new.example");
});
