import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findEndpoint } from "../../src/aws/find-endpoint.ts";
import { rereadProfiles } from "../../src/aws/reread-profiles.ts";
import { makeProfileFiles } from "../support/aws-profile-files.ts";

test("rereadProfiles puts a changed file in force, which the SDK keeps from being read otherwise", async () => {
  const files = makeProfileFiles();
  try {
    await files.write("[profile lab]\nendpoint_url = http://old.example\n");
    writeFileSync(
      files.environment["AWS_CONFIG_FILE"] ?? "",
      "[profile lab]\nendpoint_url = http://new.example\n",
    );
    expect(await findEndpoint("lab", "EC2", {})).toBe("http://old.example");
    await rereadProfiles();
    expect(await findEndpoint("lab", "EC2", {})).toBe("http://new.example");
  } finally {
    files.remove();
  }
});
