import { describe, expect, test } from "vitest";
import { pickServices } from "../../src/commands/pick-services.ts";
import type { Config } from "../support/known-config.ts";
import type { Host } from "../../src/inventory/host.ts";

const CONFIG: Config = {
  services: {
    page: { kind: "http", host: "web", port: 80 },
    hidden: { kind: "http", host: "other", port: 80 },
    dev: { kind: "redis", environment: "dev", address: "x", port: 6379 },
    prod: { kind: "redis", environment: "prod", address: "x", port: 6379 },
    loose: { kind: "monit", address: "x", port: 2812 },
    files: { kind: "s3", environment: "dev", bucket: "files" },
  },
};
const HOSTS: Host[] = [{ name: "web", sources: ["config"], environment: "dev" }];
const pick = (environment?: string): string[] =>
  pickServices(CONFIG, HOSTS, environment).map(([name]) => name);

describe("pickServices", () => {
  test("picks services of the hosts, those without a host, and no bucket", () => {
    expect(pick()).toEqual(["page", "dev", "prod", "loose"]);
  });

  test("leaves services of another environment out, and keeps those of none", () => {
    expect(pick("dev")).toEqual(["page", "dev", "loose"]);
    expect(pick("prod")).toEqual(["page", "prod", "loose"]);
  });

  test("picks nothing of an empty configuration", () => {
    expect(pickServices({}, HOSTS, undefined)).toEqual([]);
  });
});
