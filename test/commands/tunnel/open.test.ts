import { describe, expect, test } from "vitest";
import type { Config } from "../../../src/config/schema.ts";
import { runInProcess } from "../../support/run-in-process.ts";

const CONFIG: Config = {
  hosts: { web: { address: { dns: "web.example" } } },
  services: { graphite: { kind: "graphite", host: "web", port: 80 } },
};
const members = {
  config: () => Promise.resolve(CONFIG),
  hosts: () => Promise.resolve([{ name: "web", sources: ["config"] as const }]),
};

describe("tunnel open", () => {
  test("names the known services for an unknown one", async () => {
    const result = await runInProcess(["tunnel", "open", "NOSUCH"], members);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(/no service NOSUCH; name one of graphite/);
  });

  test("ends with 255 for an unknown service before a command", async () => {
    const words = ["tunnel", "open", "NOSUCH", "--", "true"];
    expect(await runInProcess(words, members)).toMatchObject({ code: 255, stdout: "" });
  });

  test("refuses --detach together with a command", async () => {
    const words = ["tunnel", "open", "--detach", "graphite", "--", "true"];
    const result = await runInProcess(words, members);
    expect(result).toMatchObject({ code: 255, stdout: "" });
    expect(result.stderr).toContain("leave --detach out");
  });
});
