import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../lab/cache-folder.ts";
import { makeGround, startSshd, user, type TestGround } from "../ssh/start-sshd.ts";
import { watchMemory } from "../support/aws-ground.ts";
import { LCOPS } from "../support/program.ts";
import { measureSpread, type Ratio } from "./ratio.ts";
import { timeCommand } from "./time-command.ts";

const [HOSTS, AT_ONCE, ROUNDS] = [50, 20, 5];
const [TIME_BAR, MEMORY_BAR_MB] = [1, 200];
/** sshd_config(5) takes sixteen addresses for one server. */
const ADDRESSES = 16;
const COMMAND = "echo here";
const PEERS = ["clush", "pssh"] as const;
type Way = "lcops" | (typeof PEERS)[number];

/** Measure a short command on 50 hosts, 20 at a time, beside clush and pssh with the same settings of ssh; and the memory of lcops. */
export async function benchFleet(): Promise<Ratio[]> {
  const peers = unpackPeers();
  const ground = await makeGround();
  try {
    const { words, environment } = await prepare(ground, peers);
    const memory = watchMemory(ground.folder);
    const ways: readonly Way[] = ["lcops", ...PEERS];
    const times: Record<Way, number[]> = { lcops: [], clush: [], pssh: [] };
    const megabytes: number[] = [];
    // The first round warms what is read from the disk.
    for (let round = -1; round < ROUNDS; round++) {
      for (const turn of ways.keys()) {
        const way = ways[(turn + round + ways.length) % ways.length] ?? "lcops";
        const variables = way === "lcops" ? memory.variables : {};
        const none = (): Promise<number> => Promise.resolve(0);
        const { ms } = await timeCommand(words[way], { ...environment, ...variables }, none);
        if (round < 0) continue;
        times[way].push(ms);
        if (way === "lcops") megabytes.push(memory.readMb());
      }
    }
    const ours = measureSpread(times.lcops);
    const [faster, slower] = PEERS.map((name) => ({
      name,
      ...measureSpread(times[name]),
    })).toSorted((left, right) => left.median - right.median);
    if (!faster || !slower) throw new Error("there are two peers");
    const mb = measureSpread(megabytes);
    const what = `lcops fleet run of a short command on ${HOSTS} hosts, ${AT_ONCE} at a time`;
    const seconds = (slower.median / 1000).toFixed(2);
    return [
      {
        what: `${what}, beside ${faster.name} (${slower.name}: ${seconds} s)`,
        value: ours.median / faster.median,
        bar: TIME_BAR,
        rounds: ROUNDS,
        ours,
        peer: faster,
      },
      {
        what: "its peak memory",
        value: mb.high,
        bar: MEMORY_BAR_MB,
        unit: "MB",
        rounds: ROUNDS,
        ours: mb,
        peer: mb,
      },
    ];
  } finally {
    await ground.stop();
  }
}

/** Debian's packages, unpacked into the lab's cache: nothing is installed, and root is not needed. Returns the folder. */
function unpackPeers(): string {
  const folder = join(cacheFolder(process.env), "fleet-peers");
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  try {
    const packages = ["clustershell", "python3-clustershell", "pssh", "python3-psshlib"];
    const run = (program: string, ...args: string[]): Buffer =>
      execFileSync(program, args, { cwd: fresh, stdio: ["ignore", "ignore", "pipe"] });
    run("apt-get", "-q", "download", ...packages);
    for (const name of readdirSync(fresh).filter((file) => file.endsWith(".deb")))
      run("dpkg", "-x", name, ".");
    renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

async function prepare(
  ground: TestGround,
  peers: string,
): Promise<{ words: Record<Way, string[]>; environment: Record<string, string> }> {
  const at = (name: string): string => join(ground.folder, name);
  const hosts: { name: string; address: string; port: number }[] = [];
  const known: string[] = [];
  for (let first = 1; first <= HOSTS; first += ADDRESSES) {
    const addresses = Array.from(
      { length: Math.min(ADDRESSES, HOSTS - first + 1) },
      (_, index) => `127.0.93.${first + index}`,
    );
    const [address = "", ...others] = addresses;
    const { port, knownHosts } = await startSshd(ground, `sshd-${first}`, {
      address,
      // What the user's own shell does when it starts is none of the measure.
      settings: [
        ...others.map((other) => `ListenAddress ${other}`),
        `SetEnv HOME=${ground.folder}`,
      ],
    });
    for (const [index, each] of addresses.entries()) {
      hosts.push({ name: `web-${first + index}`, address: each, port });
      known.push(...knownHosts.map((line) => line.replace(/^\S+/, `[${each}]:${port}`)));
    }
  }
  await writeFile(at("known_hosts"), `${known.join("\n")}\n`);
  const settings = [
    ...hosts.map(
      ({ name, address, port }) => `Host ${name}\n  HostName ${address}\n  Port ${port}`,
    ),
    "Host *",
    `  User ${user}`,
    `  IdentityFile ${ground.key}`,
    "  IdentitiesOnly yes",
    `  UserKnownHostsFile ${at("known_hosts")}`,
    "  GlobalKnownHostsFile /dev/null",
    "  BatchMode yes",
  ];
  await writeFile(at("ssh_config"), `${settings.join("\n")}\n`);
  const names = hosts.map(({ name }) => name);
  await writeFile(at("hosts"), `${names.join("\n")}\n`);
  const config = {
    ssh: { configFile: at("ssh_config") },
    hosts: Object.fromEntries(names.map((name) => [name, { role: "web" }])),
    fleet: { atOnce: AT_ONCE },
  };
  await writeFile(at("lcops.config.json"), JSON.stringify(config), { mode: 0o600 });
  const program = (name: string): string => join(peers, "usr/bin", name);
  const limit = String(AT_ONCE);
  const ssh = `-F ${at("ssh_config")}`;
  return {
    words: {
      lcops: [process.execPath, LCOPS, "fleet", "run", "web-*", "--", COMMAND],
      clush: [
        program("clush"),
        "-f",
        limit,
        "-q",
        "-b",
        "-S",
        "-o",
        ssh,
        "-w",
        names.join(","),
        COMMAND,
      ],
      pssh: [program("parallel-ssh"), "-p", limit, "-i", "-x", ssh, "-h", at("hosts"), COMMAND],
    },
    environment: {
      PATH: process.env["PATH"] ?? "",
      HOME: ground.folder,
      LANG: "C.UTF-8",
      LCOPS_CONFIG: at("lcops.config.json"),
      PYTHONPATH: join(peers, "usr/lib/python3/dist-packages"),
      CLUSTERSHELL_CFGDIR: join(peers, "etc/clustershell"),
    },
  };
}
