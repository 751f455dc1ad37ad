/** A ground whose whisper files stand at the far end of an ssh connection that can be cut, on a machine whose programs can be others. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeGround, startRelay, startSshd, user } from "../ssh/start-sshd.ts";
import { type BackupGround, makeBackupGround } from "./backup-ground.ts";

export interface FarWhisper extends BackupGround {
  /** Resets every connection. */
  cut: () => void;
  /** Puts a script before a program of that machine: `$real "$@"` is the program itself. */
  wrap: (program: string, script: string) => void;
  /** Puts another program in its place. */
  replace: (program: string, by: string) => void;
  close: () => Promise<void>;
}

/** Takes an address of its own for its sshd. */
export async function makeFarWhisper(address: string): Promise<FarWhisper> {
  const ground = makeBackupGround();
  const ssh = await makeGround();
  const bin = ground.at("bin");
  mkdirSync(bin);
  const search = `${bin}:${process.env["PATH"]}`;
  const settings = [`SetEnv PATH=${search} HOME=${ground.at("home")}`];
  const sshd = await startSshd(ssh, "sshd", { address, settings });
  const relay = await startRelay(ssh, sshd);
  const knownHosts = ground.at("known_hosts");
  const lines = sshd.knownHosts.map((line) =>
    line.replace(/^\S+/, `[${relay.address}]:${relay.port}`),
  );
  writeFileSync(knownHosts, `${lines.join("\n")}\n`);
  const configFile = ground.at("ssh_config");
  const options = [
    "Host *",
    `User ${user}`,
    `IdentityFile ${ssh.key}`,
    "IdentitiesOnly yes",
    `UserKnownHostsFile ${knownHosts}`,
    "GlobalKnownHostsFile /dev/null",
  ];
  writeFileSync(configFile, `${options.join("\n")}\n`);
  ground.configure((config) => {
    config.ssh = { configFile };
    config.hosts = {
      far: { environment: "dev", address: { eip: relay.address }, port: relay.port },
    };
    config.services = { graphite: { kind: "graphite", host: "far", port: 9 } };
    if (config.backups)
      config.backups.destinations = { operator: { folder: ground.at("operator") } };
  });
  return {
    ...ground,
    cut: relay.cut,
    wrap: (program, script) => {
      const real = execFileSync("sh", ["-c", `command -v ${program}`])
        .toString()
        .trim();
      const text = `#!/bin/bash\nreal='${real}'\nground='${ground.folder}'\n${script}\n`;
      writeFileSync(path.join(bin, program), text, { mode: 0o755 });
    },
    replace: (program, by) => symlinkSync(by, path.join(bin, program)),
    close: async () => {
      await ssh.stop();
      ground.remove();
    },
  };
}
