/** A private network that only the bastion can enter: a network namespace, into which its sshd sessions are born. */
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readlinkSync } from "node:fs";
import net from "node:net";
import type { LabHost } from "./lab.ts";
import { runCommand, spawnRecorded, startServer, stopProcess } from "./process.ts";
import type { LabContext } from "./process.ts";
import { exchange } from "./ready.ts";
import { SSHD } from "./sshd.ts";
import type { PreparedHost } from "./sshd.ts";

const isRoot = () => process.getuid?.() === 0;

/** Not as root, a user namespace of our own gives the right to make a network. */
function unshareArguments(): string[] {
  return isRoot() ? ["--net"] : ["--user", "--map-current-user", "--keep-caps", "--net"];
}

function enterArguments(pid: number): string[] {
  const user = isRoot() ? [] : [`--user=/proc/${pid}/ns/user`, "--preserve-credentials"];
  return [...user, `--net=/proc/${pid}/ns/net`, "--"];
}

/** Returns why this machine does not let us make a private network, or undefined when it does. */
export async function findNamespaceObstacle(lab: LabContext): Promise<string | undefined> {
  try {
    await runCommand(lab, "unshare", [
      ...unshareArguments(),
      "--",
      "ip",
      "link",
      "set",
      "lo",
      "up",
    ]);
    return undefined;
  } catch (error) {
    return (error as Error).message.replaceAll("\n", " ");
  }
}

/** Takes a prepared host; starts its sshd in a network of its own and returns it once it greets there. */
export async function startPrivateHost(lab: LabContext, prepared: PreparedHost): Promise<LabHost> {
  const { host, machine } = prepared;
  let pid = 0;
  const server = await startServer(lab, {
    name: `sshd-${machine.name}`,
    command: "unshare",
    args: [
      ...unshareArguments(),
      "--",
      "sh",
      "-c",
      'ip link set lo up && exec "$@"',
      "sh",
      SSHD,
      "-D",
      "-e",
      "-f",
      prepared.configFile,
    ],
    onSpawn: (spawned) => {
      pid = spawned;
    },
    probe: async () => {
      // Until unshare has done its work the process is still in our own network.
      if (readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync("/proc/self/ns/net"))
        throw new Error("no network yet");
      const keys = await runCommand(lab, "nsenter", [
        ...enterArguments(pid),
        "ssh-keyscan",
        "-T",
        "2",
        "-p",
        String(host.port),
        host.address,
      ]);
      if (!keys.includes("ssh-ed25519")) throw new Error("no host key yet");
    },
  });
  return { ...host, pid: server.pid };
}

/**
 * Takes the prepared bastion and a process of the private network; accepts connections in our network and gives each to
 * an sshd in the private one. Returns the bastion once it greets. Its sessions end with the lab.
 */
export async function startBastion(
  lab: LabContext,
  prepared: PreparedHost,
  insidePid: number,
): Promise<LabHost> {
  const { host } = prepared;
  const sessions = new Set<ChildProcess>();
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    socket.on("error", () => {});
    const log = openSync(host.logFile, "a", 0o600);
    const child = spawnRecorded(lab, {
      command: "nsenter",
      args: [...enterArguments(insidePid), SSHD, "-i", "-e", "-f", prepared.configFile],
      stdio: [socket, socket, log],
    });
    closeSync(log);
    child.once("error", (error) => lab.log(`lab: bastion: ${error.message}`));
    sessions.add(child);
    child.once("exit", () => sessions.delete(child));
    // The session has the connection now; ours is only a copy.
    socket.destroy();
  });
  lab.closers.push(async () => {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    await Promise.all([closed, ...[...sessions].map((child) => stopProcess(child, 1_000))]);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: host.address, port: host.port }, resolve);
  });
  await exchange(host, "", (answer) => answer.includes("SSH-2.0-"));
  return { ...host, pid: process.pid };
}
