import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { MachineServiceConfig } from "../../src/config/workstation-schema.ts";
import { observeServices, openServices } from "../../src/workstation/open-services.ts";
import { makeTools } from "../support/machine-tools.ts";

const { find: _, ...tools } = makeTools();
const open = (configs: Record<string, MachineServiceConfig>, stateFolder = tools.stateFolder) =>
  openServices(
    Object.entries(configs).map(([name, config]) => ({ name, key: name, title: name, config })),
    { ...tools, stateFolder },
  );
const command = (...status: string[]): MachineServiceConfig => ({
  kind: "command",
  status,
  on: ["true"],
  off: ["true"],
});

describe("the rows of the panel", () => {
  test("are looked at in their order, each for itself", async () => {
    const rows = open({ own: command("true"), idle: command("false"), gone: command("/no/such") });
    const seen = await observeServices(rows);
    expect(seen[0]).toEqual({
      name: "own",
      key: "own",
      title: "own",
      kind: "command",
      state: "on",
      pending: null,
      partly: false,
      detail: null,
    });
    expect(seen.map(({ state }) => state)).toEqual(["on", "off", "not installed"]);
  });

  test("are unknown where looking fails, and not off", async () => {
    const stateFolder = mkdtempSync(path.join(os.tmpdir(), "lcops-services-"));
    mkdirSync(path.join(stateFolder, "machine"));
    const record = path.join(stateFolder, "machine/torn.json");
    writeFileSync(record, "{");
    try {
      const configs: Record<string, MachineServiceConfig> = {
        locked: command("/etc/hostname"),
        killed: command("sh", "-c", "kill -SEGV $$"),
        torn: { kind: "mysql-variable", variable: "general_log" },
      };
      expect(await observeServices(open(configs, stateFolder))).toMatchObject([
        { state: "unknown" },
        { state: "unknown", detail: expect.stringMatching(/^sh ended with \d+$/) as string },
        { state: "unknown", detail: `${record} cannot be read` },
      ]);
    } finally {
      rmSync(stateFolder, { recursive: true });
    }
  });

  test("open each kind with what that kind can do", () => {
    const rows = open({
      unit: { kind: "systemd", unit: "web" },
      script: { kind: "sysv", script: "web" },
      php: { kind: "php-module", module: "xdebug" },
      apache: { kind: "apache-module", module: "rewrite" },
      log: { kind: "mysql-variable", variable: "general_log" },
      ram: { kind: "ram-mysql" },
      own: command("true"),
    });
    const can = rows.map(({ name, service }) => [
      name,
      "restart" in service,
      "planReset" in service,
    ]);
    expect(can).toEqual([
      ["unit", true, false],
      ["script", true, false],
      ["php", false, false],
      ["apache", false, false],
      ["log", false, false],
      ["ram", false, true],
      ["own", false, false],
    ]);
  });
});
