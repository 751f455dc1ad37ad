import { spawn } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";

/** A server that was started for a while. */
export interface SpawnedServer {
  port: number;
  /** Resolves to what it said last, when it has ended. */
  ended: Promise<string>;
  /** Ends it, and waits until it has. */
  stop(): Promise<void>;
}

const STOP_LIMIT_MS = 10_000;
const LONGEST_LOG = 16 * 1024;

/**
 * Given a server and its arguments for a port, start it on a free port of this machine. It ends when the signal is aborted, and with lcops: its input
 * is lcops' own end of a pipe, and its parent's death is signalled to it by nobody else, so `stop` must be called.
 */
export async function spawnServer(
  program: string,
  args: (port: number) => readonly string[],
  options: { environment: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<SpawnedServer> {
  const port = await findFreePort();
  const child = spawn(program, args(port), {
    stdio: ["ignore", "pipe", "pipe"],
    env: options.environment,
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-LONGEST_LOG);
    });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", () => resolve(said.trim().split("\n").slice(-3).join("; ")));
  });
  const stop = async (): Promise<void> => {
    options.signal.removeEventListener("abort", abort);
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
  };
  const abort = (): void => void child.kill("SIGKILL");
  options.signal.addEventListener("abort", abort);
  return { port, ended, stop };
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
