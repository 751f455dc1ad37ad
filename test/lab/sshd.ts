/** One OpenSSH server per machine of the estate. */
import { lookup } from "node:dns/promises";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Machine } from "./estate.ts";
import { writePrograms } from "./fleet-programs.ts";
import { fingerprint, knownHostsLines, makeHostKeys } from "./host-keys.ts";
import type { LabHost } from "./lab.ts";
import { LAB_VARIABLE } from "./leftovers.ts";
import { startServer } from "./process.ts";
import type { LabContext } from "./process.ts";
import { exchange } from "./ready.ts";

export const SSHD = "/usr/sbin/sshd";

/** A machine whose files are written; its sshd can be started. */
export type PreparedHost = {
  machine: Machine;
  folder: string;
  configFile: string;
  knownHosts: string[];
  host: LabHost;
};

/** Where a machine's sshd listens: its own loopback address, or all that `localhost` means here. */
async function chooseAddresses(machine: Machine, ownAddress: string): Promise<string[]> {
  if (machine.addressFrom !== "dns") return [ownAddress];
  const found = await lookup("localhost", { all: true }).catch(() => []);
  return found.length === 0 ? [ownAddress] : found.map((entry) => entry.address);
}

function sshdConfig(
  lab: LabContext,
  name: string,
  host: LabHost,
  keyFiles: string[],
  authorizedKeysFile: string,
  variables: Record<string, string>,
): string {
  const listen = [host.address, ...host.otherAddresses].map(
    (address) => `ListenAddress ${address}`,
  );
  return [
    `Port ${host.port}`,
    ...listen,
    ...keyFiles.map((file) => `HostKey ${file}`),
    `PidFile ${path.join(lab.folder, "hosts", name, "sshd.pid")}`,
    `AuthorizedKeysFile ${authorizedKeysFile}`,
    "AuthenticationMethods publickey",
    "PubkeyAuthentication yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin prohibit-password",
    "StrictModes no",
    "UsePAM no",
    "UseDNS no",
    "PrintMotd no",
    "PrintLastLog no",
    "LogLevel VERBOSE",
    "MaxStartups 200:30:400",
    "MaxSessions 200",
    "Subsystem sftp internal-sftp",
    // A home of its own, so that a session neither reads nor writes the user's.
    `SetEnv LAB_HOST=${name} ${LAB_VARIABLE}=${lab.folder} HOME=${path.join(lab.folder, "hosts", name, "home")} PATH=${variables["PATH"]}`,
    "",
  ].join("\n");
}

/** Takes a machine and its own address; makes its keys, home and sshd_config, and returns what is needed to start it. */
export async function prepareHost(
  lab: LabContext,
  machine: Machine,
  ownAddress: string,
  authorizedKeysFile: string,
): Promise<PreparedHost> {
  const { name } = machine;
  const folder = path.join(lab.folder, "hosts", name);
  mkdirSync(path.join(folder, "home"), { recursive: true, mode: 0o755 });
  // Debian's login files set the prompt to the machine's name, which is the same on every host of a lab.
  const prompt = `PS1='${name}:\\w\\$ '\ncd "$HOME"\n`;
  for (const file of [".profile", ".bashrc"])
    writeFileSync(path.join(folder, "home", file), prompt);

  const [keyFiles, [address = ownAddress, ...otherAddresses]] = await Promise.all([
    makeHostKeys(lab, folder, name, machine.hostKeys),
    chooseAddresses(machine, ownAddress),
  ]);
  const [hostKeyFile = ""] = keyFiles;
  const port = await lab.pickPort(address);
  const logFile = path.join(lab.folder, "log", `sshd-${name}.log`);
  const host: LabHost = {
    address,
    port,
    otherAddresses,
    hostKeyFingerprint: fingerprint(hostKeyFile),
    hostKeyFile,
    logFile,
    pid: 0,
  };

  // An upgrade of the estate must never be one of the machine that plays it.
  const variables = writePrograms(folder);
  const configFile = path.join(folder, "sshd_config");
  writeFileSync(configFile, sshdConfig(lab, name, host, keyFiles, authorizedKeysFile, variables), {
    mode: 0o600,
  });
  const names = machine.addressFrom === "dns" ? ["localhost"] : [];
  const knownHosts = knownHostsLines(
    [address, ...otherAddresses, ...names],
    port,
    keyFiles,
    name === "TextLogs",
  );
  return { machine, folder, configFile, knownHosts, host };
}

/** Takes a prepared host; starts its sshd and returns the host once it greets. Throws when it does not. */
export async function startHost(lab: LabContext, prepared: PreparedHost): Promise<LabHost> {
  const { host, machine } = prepared;
  const server = await startServer(lab, {
    name: `sshd-${machine.name}`,
    command: SSHD,
    args: ["-D", "-e", "-f", prepared.configFile],
    probe: () => exchange(host, "", (answer) => answer.includes("SSH-2.0-")),
  });
  return { ...host, pid: server.pid };
}

/** As root, sshd insists on a folder that a stopped system service has taken with it. Returns nothing. */
export function makeSeparationFolder(): void {
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
}
