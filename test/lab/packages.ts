/** The Debian packages of the lab: which are missing, and how to get them without starting anything. */
import { execFile, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { takeLock } from "./state-folder.ts";
import type { Lock } from "./state-folder.ts";

const run = promisify(execFile);

export const LAB_PACKAGES = [
  "openssh-server",
  "openssh-client",
  "mariadb-server",
  "mariadb-client",
  "redis-server",
  "graphite-carbon",
  "graphite-web",
  "monit",
  "prosody",
  "iproute2",
  "zstd",
  "age",
  "apache2",
  "libapache2-mod-php",
  "php-fpm",
  "php-xdebug",
  "php-apcu",
  "sudo",
  "git",
  "busybox",
  "libarchive-tools",
] as const;
export type PackageName = (typeof LAB_PACKAGES)[number];

const POLICY_FILE = "/usr/sbin/policy-rc.d";
const POLICY_MARK = "# Written by the lcops lab while it installs packages; safe to delete.";

/** Missing packages, why they stay so, and the command that mends it. */
export type PackageReport = { missing: PackageName[]; reason?: string; command?: string };

/** Takes the output of dpkg-query (`package status` per line); returns which of the lab's packages are missing. */
export function findMissing(output: string): PackageName[] {
  const installed = new Set(
    output
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return LAB_PACKAGES.filter((name) => !installed.has(name));
}

/** Takes LCOPS_LAB_ONLY; returns whether that registry may be asked (all may when it is not set). */
export function registryAllowed(only: string | undefined, registry: string): boolean {
  if (only === undefined || only.trim() === "") return true;
  return only.split(",").some((name) => name.trim() === registry);
}

/** Takes missing packages; returns the command line that installs them. */
function installCommand(missing: readonly string[]): string {
  return `apt-get update && apt-get install -y --no-install-recommends ${missing.join(" ")}`;
}

/** Takes what is known; returns what to do about the missing packages. */
export function decideInstall(known: {
  missing: PackageName[];
  root: boolean;
  only: string | undefined;
  apt: boolean;
}): PackageReport & {
  install: boolean;
} {
  const { missing } = known;
  if (missing.length === 0) return { missing, install: false };
  const command = installCommand(missing);
  if (!known.apt) return { missing, install: false, reason: "no apt-get on this machine" };
  if (!registryAllowed(known.only, "debian"))
    return {
      missing,
      install: false,
      reason: "not installed, and LCOPS_LAB_ONLY leaves debian out",
    };
  if (!known.root)
    return { missing, install: false, reason: "not installed, and only root can", command };
  return { missing, install: true, command };
}

async function queryMissing(): Promise<PackageName[]> {
  // It fails when one is unknown, and says on stdout what it knows of the others.
  const output = await run("dpkg-query", [
    "-W",
    "-f",
    "${Package} ${db:Status-Status}\n",
    ...LAB_PACKAGES,
  ]).then(
    (result) => result.stdout,
    (error: { stdout?: string }) => error.stdout ?? "",
  );
  return findMissing(output);
}

/**
 * Takes the file that Debian asks before it starts a service; denies starting until the returned function is called.
 * A file that somebody else wrote is left alone.
 */
export function denyServiceStarts(file: string): () => void {
  const ours = !existsSync(file) || readFileSync(file, "utf8").includes(POLICY_MARK);
  if (!ours) return () => {};
  writeFileSync(file, `#!/bin/sh\n${POLICY_MARK}\nexit 101\n`, { mode: 0o755 });
  return () => rmSync(file, { force: true });
}

function aptGet(words: string[], lock: Lock): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    // Detached: Ctrl-C in the terminal must not leave packages half configured.
    const child = spawn("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=300", ...words], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
    });
    const lines: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => lines.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => lines.push(chunk));
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code: code ?? 1, output: Buffer.concat(lines).toString() }),
    );
    if (child.pid !== undefined) lock.addHolder(child.pid);
  });
}

function listsAreEmpty(): boolean {
  try {
    return !readdirSync("/var/lib/apt/lists").some((name) => /_Packages(\.\w+)?$/.test(name));
  } catch {
    return true;
  }
}

async function install(
  missing: readonly string[],
  lock: Lock,
  log: (line: string) => void,
): Promise<string | undefined> {
  const words = ["install", "-y", "--no-install-recommends", ...missing];
  let updated = false;
  if (listsAreEmpty()) {
    log("lab: apt-get update");
    await aptGet(["update"], lock);
    updated = true;
  }
  log(`lab: apt-get install ${missing.join(" ")}`);
  let result = await aptGet(words, lock);
  if (result.code !== 0 && !updated) {
    log("lab: apt-get update, then once more");
    await aptGet(["update"], lock);
    result = await aptGet(words, lock);
  }
  return result.code === 0
    ? undefined
    : (result.output.match(/^E: .*$/m)?.[0] ?? `apt-get ended with ${result.code}`);
}

/**
 * Takes where to report progress; installs the missing packages when this user and LCOPS_LAB_ONLY allow it, without
 * starting a service. Returns what is still missing and why. Throws only when the state folder cannot be used.
 */
export async function ensurePackages(log: (line: string) => void): Promise<PackageReport> {
  const root = process.getuid?.() === 0;
  const leftPolicy =
    root && existsSync(POLICY_FILE) && readFileSync(POLICY_FILE, "utf8").includes(POLICY_MARK);
  const facts = { root, only: process.env["LCOPS_LAB_ONLY"], apt: existsSync("/usr/bin/apt-get") };
  const first = decideInstall({ missing: await queryMissing(), ...facts });
  if (!first.install && !leftPolicy) return first;

  const lock = await takeLock("apt");
  const allowStarts = denyServiceStarts(POLICY_FILE);
  try {
    const decision = decideInstall({ missing: await queryMissing(), ...facts });
    if (!decision.install) return decision;
    const problem = await install(decision.missing, lock, log);
    const missing = await queryMissing();
    if (missing.length === 0) return { missing };
    return { missing, reason: problem ?? "apt-get left it out", command: installCommand(missing) };
  } finally {
    allowStarts();
    lock.release();
  }
}
