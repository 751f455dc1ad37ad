import { execFile, spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { promisify } from "node:util";
import { OperatorError } from "../../src/system/errors.ts";
import type { Hop } from "../../src/ssh/route.ts";
import { until } from "../support/until.ts";

export const run = promisify(execFile);
export const sshdMissing = !existsSync("/usr/sbin/sshd");
export const user = userInfo().username;

export type KeyKind = "ed25519" | "ecdsa" | "rsa";

/** A folder for one test file, its operator's key, and everything that is to be stopped with it. */
export interface TestGround {
  folder: string;
  /** Private key that every server started here lets in. */
  key: string;
  onStop(stop: () => unknown): void;
  stop(): Promise<void>;
}

export interface TestSshd {
  address: string;
  port: number;
  /** Lines for known_hosts, one per host key. */
  knownHosts: string[];
  /** What it has logged so far, at level VERBOSE. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

export async function makeGround(): Promise<TestGround> {
  const folder = await mkdtemp(join(tmpdir(), "lcops-ssh-"));
  const stops: (() => unknown)[] = [];
  return {
    folder,
    key: await makeKey(join(folder, "operator"), "ed25519"),
    onStop: (stop) => void stops.push(stop),
    stop: async () => {
      for (const stop of stops.reverse()) await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function makeKey(
  file: string,
  kind: KeyKind = "ed25519",
  passphrase = "",
  ...more: string[]
): Promise<string> {
  const size = kind === "rsa" ? ["-b", "2048"] : [];
  await run("ssh-keygen", [
    "-q",
    "-t",
    kind,
    ...size,
    "-N",
    passphrase,
    "-C",
    file.split("/").at(-1) ?? "",
    "-f",
    file,
    ...more,
  ]);
  return file;
}

export async function publicKey(file: string): Promise<string> {
  return (await readFile(`${file}.pub`, "utf8")).split(" ").slice(0, 2).join(" ");
}

/** Starts an sshd that lets in the ground's key and `keys`; ready when it greets. */
export async function startSshd(
  ground: TestGround,
  name: string,
  options: { address?: string; hostKeys?: KeyKind[]; keys?: string[]; settings?: string[] } = {},
): Promise<TestSshd> {
  const { address = "127.0.0.81", hostKeys = ["ed25519"], keys = [], settings = [] } = options;
  if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true });
  const folder = join(ground.folder, name);
  await mkdir(folder);
  const files = await Promise.all(
    hostKeys.map((kind) => makeKey(join(folder, `host_${kind}`), kind)),
  );
  const authorized = await Promise.all([ground.key, ...keys].map(publicKey));
  await writeFile(join(folder, "authorized_keys"), `${authorized.join("\n")}\n`);
  const port = await freePort(address);
  const config = [
    "MaxStartups 100",
    ...settings,
    `ListenAddress ${address}`,
    `Port ${port}`,
    ...files.map((file) => `HostKey ${file}`),
    `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
    `PidFile ${join(folder, "pid")}`,
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin prohibit-password",
    "PrintMotd no",
    "PrintLastLog no",
    "LogLevel VERBOSE",
  ];
  await writeFile(join(folder, "sshd_config"), `${config.join("\n")}\n`);
  const log = join(folder, "log");
  const child = spawn("/usr/sbin/sshd", ["-D", "-f", join(folder, "sshd_config"), "-E", log], {
    stdio: "ignore",
  });
  const stop = (): Promise<void> => stopChild(child);
  ground.onStop(stop);
  await until(`${name} greets`, () => greets(address, port));
  return {
    address,
    port,
    knownHosts: await Promise.all(
      files.map(async (file) => `[${address}]:${port} ${await publicKey(file)}`),
    ),
    log: () => readFile(log, "utf8"),
    stop,
  };
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

/** A hop to that server as the ground's operator, who knows its host keys and nothing else. */
export async function hopTo(
  ground: TestGround,
  sshd: TestSshd,
  name: string,
  changes: Partial<Hop> = {},
): Promise<Hop> {
  const knownHosts = join(
    ground.folder,
    `known_hosts-${name}-${Math.random().toString(36).slice(2)}`,
  );
  await writeFile(knownHosts, `${sshd.knownHosts.join("\n")}\n`);
  return {
    name,
    address: sshd.address,
    port: sshd.port,
    user,
    identityFiles: [ground.key],
    identitiesOnly: false,
    knownHostsFiles: [knownHosts],
    ...changes,
  };
}

/** A plain TCP server that does what `serve` says with every connection. */
export async function startServer(
  ground: TestGround,
  serve: (socket: Socket) => void,
): Promise<{ address: string; port: number }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.82", resolve));
  ground.onStop(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address: "127.0.0.82", port: (server.address() as AddressInfo).port };
}

/** A relay in front of a server; `cut` resets every connection through it, `stall` lets nothing more through, `garble` adds noise. */
export async function startRelay(
  ground: TestGround,
  target: { address: string; port: number },
): Promise<{ address: string; port: number; cut(): void; stall(): void; garble(): void }> {
  const sockets: Socket[] = [];
  const at = await startServer(ground, (socket) => {
    const onward = connect(target.port, target.address);
    onward.on("error", () => {});
    socket.pipe(onward).pipe(socket);
    sockets.push(socket, onward);
  });
  return {
    ...at,
    cut: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    garble: () => sockets[0]?.write("x".repeat(1000)),
    stall: () => sockets.forEach((socket) => socket.unpipe().pause()),
  };
}

export async function freePort(address: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function greets(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(500, () => finish(false));
    socket.on("error", () => finish(false));
    socket.on("data", (chunk) => finish(chunk.toString("latin1").startsWith("SSH-")));
  });
}

/** What a promise that must fail with an error for the operator fails with. */
export async function operatorError(failing: Promise<unknown>): Promise<OperatorError> {
  const error: unknown = await failing.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  if (error instanceof OperatorError) return error;
  throw error;
}

/** A stream that keeps what it is given. */
export function collect(): Writable & { text(): string; sizeBytes(): number } {
  const chunks: Buffer[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
  return Object.assign(sink, {
    text: () => Buffer.concat(chunks).toString(),
    sizeBytes: () => chunks.reduce((sum, chunk) => sum + chunk.length, 0),
  });
}
