/** What the operator of the lab has in ~/.ssh: a key, the known hosts, a configuration. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { makeKey } from "./host-keys.ts";
import type { LabContext } from "./process.ts";
import type { PreparedHost } from "./sshd.ts";

export type OperatorFiles = {
  identityFile: string;
  authorizedKeysFile: string;
  knownHostsFile: string;
  sshConfigFile: string;
};

/**
 * Takes whether there are hosts; makes the operator's key and the file that lets it in everywhere.
 * Returns where all files of the operator are.
 */
export async function makeOperatorFiles(lab: LabContext, withKey: boolean): Promise<OperatorFiles> {
  const folder = path.join(lab.folder, "operator");
  mkdirSync(folder, { mode: 0o700 });
  const identityFile = path.join(folder, "id_ed25519");
  const authorizedKeysFile = path.join(lab.folder, "hosts", "authorized_keys");
  if (withKey) {
    await makeKey(lab, "ed25519", identityFile, "operator of the lab");
    copyFileSync(`${identityFile}.pub`, authorizedKeysFile);
  }
  return {
    identityFile,
    authorizedKeysFile,
    knownHostsFile: path.join(folder, "known_hosts"),
    sshConfigFile: path.join(folder, "config"),
  };
}

/** Takes the operator's files and hosts; returns the text of the ssh configuration. */
function sshConfigText(files: OperatorFiles, hosts: PreparedHost[]): string {
  const entry = (name: string, host: PreparedHost["host"], ...more: string[]) =>
    [`Host ${name}`, `HostName ${host.address}`, `Port ${host.port}`, ...more].join("\n  ");
  const entries = hosts.flatMap(({ machine, host }) => {
    if (machine.isPrivate)
      return [
        entry(
          `${machine.name}-proxy`,
          host,
          `ProxyCommand ssh -F ${files.sshConfigFile} -W %h:%p bastion`,
        ),
        entry(machine.name, host, "ProxyJump bastion"),
      ];
    return machine.addressFrom === "ssh config" || machine.role === "bastion"
      ? [entry(machine.name, host)]
      : [];
  });
  const common = [
    "Host *",
    `User ${os.userInfo().username}`,
    `UserKnownHostsFile ${files.knownHostsFile}`,
    "GlobalKnownHostsFile /dev/null",
    `IdentityFile ${files.identityFile}`,
    "IdentitiesOnly yes",
    "StrictHostKeyChecking yes",
  ].join("\n  ");
  return [...entries, common, ""].join("\n\n");
}

/** Takes the operator's files and hosts; writes known_hosts and the ssh configuration. */
export function writeOperatorFiles(files: OperatorFiles, hosts: PreparedHost[]): void {
  writeFileSync(files.knownHostsFile, `${hosts.flatMap((host) => host.knownHosts).join("\n")}\n`, {
    mode: 0o600,
  });
  writeFileSync(files.sshConfigFile, sshConfigText(files, hosts), { mode: 0o600 });
}
