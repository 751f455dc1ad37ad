/** What one test file has of its own in the lab that all of them share: a configuration, ports, a home. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import type { Config } from "./known-config.ts";
import { createPortPicker } from "../lab/free-port.ts";
import type { LabDescription, PartName } from "../lab/lab.ts";
import { useLab } from "./lab.ts";

export interface Ground {
  lab: LabDescription;
  folder: string;
  configPath: string;
  /** Its configuration: the lab's, with other ports for the tunnels. */
  config: Config;
  environment: Record<string, string>;
  /** A free port of 127.0.0.1. */
  pickPort: () => Promise<number>;
  /** The port of that service's tunnel. */
  portOf: (service: string) => number;
  /** Writes a changed copy of the configuration and returns its path. */
  deriveConfig: (change: (config: Config) => void) => string;
  writeFile: (name: string, content: string, mode?: number) => string;
  /** Writes ssh settings of the lab's operator who knows only these hosts, and returns their path and that of known_hosts. */
  writeSshConfig: (knownHosts: readonly string[], identityFile?: string) => SshFiles;
  remove: () => void;
}

export interface SshFiles {
  configFile: string;
  knownHostsFile: string;
}

/** Databases that tests make in the lab's primary. */
export const TEST_DATABASES = ["everything", "moving", "held", "rescued", "belongings"];

/**
 * Makes a ground in the lab of the parts that the file's tests name, and of these. Files run at the same time, so nothing on
 * it is another's.
 */
export async function makeGround(...parts: PartName[]): Promise<Ground> {
  const lab = await useLab(...parts);
  const folder = mkdtempSync(path.join(os.tmpdir(), "lcops-e2e-"));
  const pick = createPortPicker();
  const pickPort = (): Promise<number> => pick("127.0.0.1");
  const config = JSON.parse(readFileSync(lab.configPath, "utf8")) as Config;
  for (const service of Object.values(config.services ?? {}))
    if (service.host !== undefined) service.localPort = await pickPort();
  // Those that tests make come and go meanwhile.
  const { mysql } = config.backups?.jobs ?? {};
  if (mysql) mysql.mysql = { exclude: [...TEST_DATABASES] };
  // A test that has other services would miss those that are checked.
  delete config.consistency;
  // Nobody is told of what tests break on purpose.
  delete config.health;
  // Sets of its own too.
  const destinations = config.backups?.destinations ?? {};
  for (const [name, destination] of Object.entries(destinations)) {
    if (!destination) continue;
    if ("bucket" in destination) destination.prefix = path.basename(folder);
    else destination.folder = path.join(folder, "sets", name);
  }
  let files = 0;
  const writeFile = (name: string, content: string, mode = 0o600): string => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content, { mode });
    return file;
  };
  const home = path.join(folder, "home");
  mkdirSync(home);
  const configPath = writeFile("lcops.config.json", JSON.stringify(config));
  return {
    lab,
    folder,
    configPath,
    config,
    pickPort,
    writeFile,
    writeSshConfig: (knownHosts, identityFile = lab.identityFile) => {
      const name = `ssh-${++files}`;
      const knownHostsFile = writeFile(`${name}/known_hosts`, `${knownHosts.join("\n")}\n`);
      const settings = [
        "Host *",
        `User ${os.userInfo().username}`,
        `UserKnownHostsFile ${knownHostsFile}`,
        "GlobalKnownHostsFile /dev/null",
        `IdentityFile ${identityFile}`,
        "IdentitiesOnly yes",
      ];
      return {
        knownHostsFile,
        configFile: writeFile(`${name}/config`, `${settings.join("\n  ")}\n`),
      };
    },
    environment: {
      ...lab.environment,
      HOME: home,
      XDG_CONFIG_HOME: path.join(home, ".config"),
      XDG_STATE_HOME: path.join(home, ".local/state"),
      XDG_CACHE_HOME: path.join(home, ".cache"),
      LCOPS_CONFIG: configPath,
    },
    portOf: (name) => {
      const port = config.services?.[name]?.localPort;
      if (port === undefined) throw new Error(`${name} has no tunnel`);
      return port;
    },
    deriveConfig: (change) => {
      const copy = structuredClone(config);
      change(copy);
      return writeFile(`config-${++files}.json`, JSON.stringify(copy));
    },
    // A supervisor that is ending may still write its last line.
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }),
  };
}

/** Given a host of the lab and where else it is reached now, return its line for known_hosts. */
export function knownHostLine(hostKeyFile: string, address: string, port: number): string {
  const [type, base64] = readFileSync(`${hostKeyFile}.pub`, "utf8").split(" ");
  return `[${address}]:${port} ${type} ${base64}`;
}

/** Given a port of 127.0.0.1, return whether something listens on it. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Given a port of 127.0.0.1 and what to send, return what has come once it matches; rejects after five seconds. */
export function askPort(port: number, send: string, wanted: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1");
    let answer = "";
    const fail = (why: string): void => {
      socket.destroy();
      reject(new Error(`port ${port} ${why} after ${JSON.stringify(answer)}`));
    };
    socket.setTimeout(5_000, () => fail("is silent"));
    socket.on("connect", () => socket.write(send));
    socket.on("error", (error) => fail(error.message));
    socket.on("close", () => fail("closed"));
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      if (!wanted.test(answer)) return;
      resolve(answer);
      socket.destroy();
    });
  });
}
