import { expect, test } from "vitest";
import { s3 } from "../../../src/services/s3/s3.ts";
import type { S3Job } from "../../../src/services/s3/settings.ts";
import type { Config } from "../../support/known-config.ts";

const mistakesOf = (jobs: Record<string, S3Job>): string[] => {
  const config: Config = {
    environments: { dev: {}, prod: {} },
    services: {
      essays: { kind: "s3", bucket: "essays", prefix: "a", environment: "dev" },
      school: { kind: "mysql", address: "x", port: 3306 },
    },
    backups: { destinations: { server: { folder: "/sets" } }, recipients: [], jobs },
  };
  const found = s3.checkJobs?.(config) ?? [];
  return found.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`);
};
const copy = (to: NonNullable<S3Job["s3"]>["to"]): Record<string, S3Job> => ({
  essays: { service: "essays", s3: { to } },
});

test("a job of a bucket says where it is copied to, one of another service need not", () => {
  expect(mistakesOf({ school: { service: "school" } })).toEqual([]);
  expect(mistakesOf({ essays: { service: "essays" } })).toEqual([
    "backups.jobs.essays: a bucket is copied: say where to, under s3 of the job",
  ]);
});

test.each([
  [{ folder: "/copy" }],
  [{ bucket: "copies" }],
  [{ bucket: "essays", prefix: "b" }],
  [{ bucket: "essays", prefix: "ab" }],
  [{ bucket: "essays", environment: "prod" }],
])("a copy to %j is beside its source", (to) => {
  expect(mistakesOf(copy(to))).toEqual([]);
});

test.each([
  [{ bucket: "essays" }],
  [{ bucket: "essays", prefix: "a" }],
  [{ bucket: "essays", prefix: "a/b" }],
  [{ bucket: "essays", environment: "dev" }],
])("a copy to %j would be copied itself", (to) => {
  expect(mistakesOf(copy(to))).toEqual([
    "backups.jobs.essays.s3.to: essays would be copied into itself, or out of its own copy",
  ]);
});

test("the environment of a copy is one of the configuration", () => {
  expect(mistakesOf(copy({ bucket: "copies", environment: "gone" }))).toEqual([
    "backups.jobs.essays.s3.to.environment: there is no environment gone",
  ]);
});

test("two jobs do not copy to one place, or one within the place of the other", () => {
  const jobs = { ...copy({ folder: "/copy" }), again: { ...copy({ folder: "/copy/" })["essays"] } };
  expect(mistakesOf(jobs as Record<string, S3Job>)).toEqual([
    "backups.jobs.again.s3.to: the copy of the job essays is in the same place, or within it",
  ]);
});
