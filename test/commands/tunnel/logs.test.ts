import { describe, expect, test } from "vitest";
import type { Config } from "../../../src/config/schema.ts";
import { runInProcess } from "../../support/run-in-process.ts";

const CONFIG: Config = { services: { graphite: { kind: "graphite", address: "x", port: 80 } } };

describe("tunnel logs", () => {
  test.each(["nosuch", "constructor"])("of %s, which is no service", async (name) => {
    const result = await runInProcess(["tunnel", "logs", "graphite", name], {
      config: () => Promise.resolve(CONFIG),
    });
    expect(result).toEqual({
      code: 2,
      stdout: "",
      stderr: `lcops: there is no service ${name}; see lcops tunnel list\n`,
    });
  });
});
