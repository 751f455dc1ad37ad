/** A tunnel to a service of a test's own, over an sshd of its own: for bench and soak, which need no lab. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../src/config/schema.ts";
import { freePort, user, type TestGround } from "../ssh/start-sshd.ts";

export interface BareTunnel {
  /** Of this machine; the tunnel's name is `bulk`. */
  port: number;
  /** Settings for `ssh`, which lcops reads too. */
  configFile: string;
  environment: Record<string, string>;
}

/** Given where an sshd is reached, the keys that it shows and a port of its machine, write all that it takes to open a tunnel to that port. */
export async function writeTunnel(
  ground: TestGround,
  sshd: { address: string; port: number },
  hostKeys: readonly string[],
  service: number,
): Promise<BareTunnel> {
  const folder = join(ground.folder, `tunnel-${sshd.port}`);
  const configFile = join(folder, "ssh_config");
  const known = hostKeys.map((line) => line.replace(/^\S+/, `[${sshd.address}]:${sshd.port}`));
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, "known_hosts"), `${known.join("\n")}\n`);
  const settings = [
    "Host *",
    `User ${user}`,
    `IdentityFile ${ground.key}`,
    "IdentitiesOnly yes",
    `UserKnownHostsFile ${join(folder, "known_hosts")}`,
    "GlobalKnownHostsFile /dev/null",
    "BatchMode yes",
    "ExitOnForwardFailure yes",
  ];
  await writeFile(configFile, `${settings.join("\n")}\n`);
  const port = await freePort("127.0.0.1");
  const config: Config = {
    ssh: { configFile },
    hosts: { far: { address: { eip: sshd.address }, port: sshd.port } },
    services: { bulk: { kind: "http", host: "far", port: service, localPort: port } },
  };
  const configPath = join(folder, "lcops.config.json");
  await writeFile(configPath, JSON.stringify(config), { mode: 0o600 });
  return {
    port,
    configFile,
    environment: {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      LCOPS_CONFIG: configPath,
    },
  };
}
