/** Many machines for one test file: an sshd each, with a home and programs of its own; a configuration of them all. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Config } from "./known-config.ts";
import type { JournalEntry } from "../../src/system/journal.ts";
import { readJournal } from "../../src/system/journal.ts";
import { makeGround, startSshd, user, type TestGround, type TestSshd } from "../ssh/start-sshd.ts";
import { runLcops, startLcops, type LcopsResult, type RunningLcops } from "./run-lcops.ts";

export interface FleetHost {
  name: string;
  sshd: TestSshd;
  /** Its own: home, programs, state. */
  folder: string;
}

export interface FleetGround {
  ground: TestGround;
  hosts: FleetHost[];
  config: Config;
  environment: Record<string, string>;
  /** Writes the configuration anew. */
  configure(change: (config: Config) => void): void;
  /** Have the host be reached somewhere else, as through a relay; its keys are known there too. */
  reachAt(host: FleetHost, port: number, address?: string): void;
  /** Have those host keys be known there. */
  trust(knownHosts: readonly string[], port: number, address?: string): void;
  lcops(...args: string[]): Promise<LcopsResult>;
  start(...args: string[]): RunningLcops;
  journal(): Promise<JournalEntry[]>;
  stateFolder: string;
  stop(): Promise<void>;
}

export interface FleetOptions {
  names: readonly string[];
  /** Variables of every session of that host. */
  variables?: (host: { name: string; folder: string }) => Record<string, string>;
}

/** Starts an sshd for each name. */
export async function makeFleetGround({
  names,
  variables = () => ({}),
}: FleetOptions): Promise<FleetGround> {
  const ground = await makeGround();
  const at = (name: string): string => path.join(ground.folder, name);
  const hosts: FleetHost[] = [];
  for (const [index, name] of names.entries()) {
    const folder = at(`host-${name}`);
    mkdirSync(path.join(folder, "home"), { recursive: true });
    const set = { LAB_HOST: name, HOME: path.join(folder, "home"), ...variables({ name, folder }) };
    const settings = [
      `SetEnv ${Object.entries(set)
        .map((pair) => pair.join("="))
        .join(" ")}`,
    ];
    const address = `127.0.${90 + Math.floor(index / 200)}.${(index % 200) + 1}`;
    hosts.push({ name, folder, sshd: await startSshd(ground, name, { address, settings }) });
  }
  const knownHosts = hosts.flatMap(({ sshd }) => sshd.knownHosts);
  const writeKnownHosts = (): void =>
    writeFileSync(at("known_hosts"), `${knownHosts.join("\n")}\n`);
  writeKnownHosts();
  const settings = [
    "Host *",
    `User ${user}`,
    `IdentityFile ${ground.key}`,
    "IdentitiesOnly yes",
    `UserKnownHostsFile ${at("known_hosts")}`,
    "GlobalKnownHostsFile /dev/null",
  ];
  writeFileSync(at("ssh_config"), `${settings.join("\n  ")}\n`);
  const config: Config = {
    environments: { dev: { production: false }, prod: { production: true } },
    ssh: { configFile: at("ssh_config") },
    hosts: Object.fromEntries(
      hosts.map(({ name, sshd }) => [
        name,
        { environment: "dev", role: "api", address: { eip: sshd.address }, port: sshd.port },
      ]),
    ),
  };
  const configure: FleetGround["configure"] = (change) => {
    change(config);
    writeFileSync(at("lcops.config.json"), JSON.stringify(config), { mode: 0o600 });
  };
  configure(() => {});
  mkdirSync(at("home"));
  const stateFolder = at("home/.local/state/lcops");
  const environment = {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    LANG: "C.UTF-8",
    TZ: "UTC",
    HOME: at("home"),
    XDG_STATE_HOME: at("home/.local/state"),
    LCOPS_CONFIG: at("lcops.config.json"),
  };
  const trust: FleetGround["trust"] = (lines, port, address = "127.0.0.1") => {
    knownHosts.push(...lines.map((line) => line.replace(/^\S+/, `[${address}]:${port}`)));
    writeKnownHosts();
  };
  const limits = { environment, timeoutMs: 120_000 };
  return {
    ground,
    hosts,
    config,
    environment,
    configure,
    reachAt: (host, port, address = "127.0.0.1") => {
      trust(host.sshd.knownHosts, port, address);
      configure(({ hosts: all }) =>
        Object.assign(all?.[host.name] ?? {}, { address: { eip: address }, port }),
      );
    },
    trust,
    lcops: (...args) => runLcops(args, limits),
    start: (...args) => startLcops(args, limits),
    journal: () => readJournal(stateFolder),
    stateFolder,
    stop: () => ground.stop(),
  };
}
