import { startSshd, makeGround, hopTo } from "../ssh/start-sshd.ts";
import {
  measureConnections,
  measureDownload,
  measureEchoes,
  measureUpload,
} from "./measure-service.ts";
import { measureShellDuringBulk } from "./measure-shell.ts";
import { openDoors, WAYS, type Doors, type Way } from "./open-doors.ts";
import { measureSpread, type Ratio, type Spread } from "./ratio.ts";
import { serve } from "./serve.ts";

const ROUNDS = 5;
/** A connection's budget of windows, src/ssh/window-budget.ts. */
const BUDGET_MB = 64;
const SMALL_BAR = 2;
/** Time limit for the echo of a key press, beside a download on the same connection. */
const SHELL_BAR_MS = 200;
/** The relay must carry that much more than is measured through it. */
const RELAY_BAR = 1.5;

/** Each path: its round trip, the MiB that it carries, the number of small requests, and the bars. */
const PATHS = [
  { name: "loopback", delayMs: 0, mebibytes: 150, small: 1000, downBar: 0.8, upBar: undefined },
  { name: "relay, 20 ms", delayMs: 20, mebibytes: 100, small: 20, downBar: 1.5, upBar: 0.9 },
  { name: "relay, 80 ms", delayMs: 80, mebibytes: 100, small: 10, downBar: 3, upBar: 0.9 },
] as const;
type Path = (typeof PATHS)[number];

interface Samples {
  down: number[];
  up: number[];
  echo: number[];
  connection: number[];
  /** Of the process, over what it had when it was ready. */
  memory: number[];
}
const noSamples = (): Samples => ({ down: [], up: [], echo: [], connection: [], memory: [] });

/** Measure bulk and small requests through `lcops tunnel open` beside `ssh -L`, on loopback and through the lab's relay. */
export async function benchTunnel(): Promise<Ratio[]> {
  const ground = await makeGround();
  try {
    const sshd = await startSshd(ground, "sshd");
    const service = await serve(ground, "serve-bulk.ts");
    const ratios: Ratio[] = [];
    for (const path of PATHS) {
      const relay = (address: string, port: number): Promise<number> =>
        serve(ground, "serve-relay.ts", address, String(port), String(path.delayMs));
      const isFar = path.delayMs > 0;
      const at = isFar
        ? { address: "127.0.0.1", port: await relay(sshd.address, sshd.port) }
        : { address: sshd.address, port: sshd.port };
      // What there is without a tunnel: the service itself, or the relay alone in front of it.
      const bare = isFar ? await relay("127.0.0.1", service) : service;
      const doors = await openDoors(ground, at, sshd.knownHosts, service);
      ratios.push(...(await measurePath(path, doors, bare)));
      await doors.close();
      const knownHosts = sshd.knownHosts.map((line) =>
        line.replace(/^\S+/, `[${at.address}]:${at.port}`),
      );
      const hop = await hopTo(ground, { ...sshd, ...at, knownHosts }, "shell");
      ratios.push(judgeShell(path, await measureShellDuringBulk(hop, service, path.small)));
    }
    return ratios;
  } finally {
    await ground.stop();
  }
}

function judgeShell(path: Path, echoes: readonly number[]): Ratio {
  const spread = measureSpread(echoes);
  return {
    what: `${path.name}, a shell's echo beside a download on its connection`,
    value: Math.max(...echoes),
    bar: SHELL_BAR_MS,
    unit: "ms",
    rounds: echoes.length,
    ours: spread,
    peer: spread,
  };
}

async function measurePath(path: Path, doors: Doors, bare: number): Promise<Ratio[]> {
  const samples = new Map([...WAYS, "bare" as const].map((way) => [way, noSamples()]));
  // The first round is not counted: it reads the programs from the disk.
  for (let round = -1; round < ROUNDS; round++) {
    for (const [way, into] of samples) {
      const port = way === "bare" ? bare : doors.ports[way];
      const found = {
        echo: measureSpread(await measureEchoes(port, path.small)).median,
        connection: measureSpread(await measureConnections(port, path.small / 2)).median,
        down: await measureDownload(port, path.mebibytes),
        up: await measureUpload(port, path.mebibytes),
        memory: way === "lcops" ? await doors.readGrowthMb() : 0,
      };
      if (round < 0) continue;
      for (const name of ["down", "up", "echo", "connection", "memory"] as const)
        into[name].push(found[name]);
    }
  }
  const of = (way: Way | "bare", name: keyof Samples): Spread =>
    measureSpread(samples.get(way)?.[name] ?? []);
  return judge(path, of);
}

function judge(path: Path, of: (way: Way | "bare", name: keyof Samples) => Spread): Ratio[] {
  const peers = WAYS.filter((way) => way !== "lcops");
  const isFar = path.delayMs > 0;
  const compare = (name: "down" | "up", bar: number, among: readonly Way[]): Ratio => {
    const [best = "ssh -L"] = among.toSorted((a, b) => of(b, name).median - of(a, name).median);
    const [ours, peer] = [of("lcops", name), of(best, name)];
    const what = `${path.name}, ${name === "down" ? "download" : "upload"} beside ${best}`;
    return { what, value: ours.median / peer.median, bar, of: "speed", rounds: ROUNDS, ours, peer };
  };
  const small = (name: "echo" | "connection"): Ratio => {
    // On loopback what the tunnel adds is all there is to see; over a distance its own time would be lost in the noise of the way.
    const least = isFar ? 0 : of("bare", name).median;
    const added = ({ median, low, high }: Spread): Spread => ({
      median: median - least,
      low: low - least,
      high: high - least,
    });
    const [best = "ssh -L"] = peers.toSorted((a, b) => of(a, name).median - of(b, name).median);
    const [ours, peer] = [added(of("lcops", name)), added(of(best, name))];
    const subject = name === "echo" ? "one byte and back" : "a new connection";
    const what = `${path.name}, ${subject}${isFar ? "" : ", added"}, beside ${best}`;
    return { what, value: ours.median / peer.median, bar: SMALL_BAR, rounds: ROUNDS, ours, peer };
  };
  const [down, alone, memory] = [of("lcops", "down"), of("bare", "down"), of("lcops", "memory")];
  const ratios: Ratio[] = [
    compare("down", path.downBar, isFar ? peers : ["ssh -L"]),
    ...(path.upBar === undefined ? [] : [compare("up", path.upBar, peers)]),
    small("echo"),
    small("connection"),
    {
      what: `${path.name}, memory growth of lcops`,
      value: memory.high,
      bar: BUDGET_MB,
      unit: "MB",
      rounds: ROUNDS,
      ours: memory,
      peer: memory,
    },
  ];
  if (isFar) {
    ratios.push({
      what: `${path.name}, the relay alone beside lcops through it`,
      value: alone.median / down.median,
      bar: RELAY_BAR,
      of: "speed",
      rounds: ROUNDS,
      ours: alone,
      peer: down,
    });
  }
  return ratios;
}
