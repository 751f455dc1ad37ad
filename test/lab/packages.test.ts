import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  decideInstall,
  denyServiceStarts,
  findMissing,
  LAB_PACKAGES,
  registryAllowed,
} from "./packages.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "packages-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a package counts only when it is installed, not when it is known or was removed", () => {
  const output = [
    "openssh-client installed",
    "monit config-files",
    "openssh-server not-installed",
    "iproute2 installed",
  ].join("\n");
  const missing = findMissing(output);
  expect(missing).toContain("monit");
  expect(missing).toContain("openssh-server");
  expect(missing).not.toContain("openssh-client");
  expect(missing).toHaveLength(LAB_PACKAGES.length - 2);
});

test.each([
  { only: undefined, allowed: true },
  { only: "", allowed: true },
  { only: "npm,debian", allowed: true },
  { only: " debian ", allowed: true },
  { only: "npm", allowed: false },
  { only: "debianish", allowed: false },
])("LCOPS_LAB_ONLY=$only lets debian be asked: $allowed", ({ only, allowed }) => {
  expect(registryAllowed(only, "debian")).toBe(allowed);
});

test("only root, with apt and debian allowed, installs; everybody else learns why not", () => {
  const facts = { missing: ["monit" as const], root: true, only: undefined, apt: true };
  expect(decideInstall(facts).install).toBe(true);
  expect(decideInstall({ ...facts, missing: [] })).toEqual({ missing: [], install: false });
  expect(decideInstall({ ...facts, root: false })).toMatchObject({
    install: false,
    command: "apt-get update && apt-get install -y --no-install-recommends monit",
  });
  expect(decideInstall({ ...facts, only: "npm" })).toMatchObject({
    install: false,
    reason: expect.stringContaining("LCOPS_LAB_ONLY"),
  });
  expect(decideInstall({ ...facts, apt: false })).toMatchObject({
    install: false,
    reason: expect.stringContaining("apt-get"),
  });
});

test("services are denied while packages are installed, and the file is gone afterwards", () => {
  const file = path.join(folder, "policy-rc.d");
  const allow = denyServiceStarts(file);
  expect(readFileSync(file, "utf8")).toMatch(/^#!\/bin\/sh\n.*lcops.*\nexit 101\n$/);
  allow();
  expect(existsSync(file)).toBe(false);
});

test("a killed run's file is taken over and removed, somebody else's is left alone", () => {
  const file = path.join(folder, "policy-rc.d");
  denyServiceStarts(file);
  denyServiceStarts(file)();
  expect(existsSync(file)).toBe(false);
  writeFileSync(file, "#!/bin/sh\nexit 101\n");
  denyServiceStarts(file)();
  expect(readFileSync(file, "utf8")).toBe("#!/bin/sh\nexit 101\n");
});
