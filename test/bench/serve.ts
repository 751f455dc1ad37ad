import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { stopChild, type TestGround } from "../ssh/start-sshd.ts";

/** Given a script of this folder that prints its port, run it in a process of its own until the ground stops; returns the port. */
export async function serve(
  ground: TestGround,
  script: string,
  ...words: string[]
): Promise<number> {
  const file = join(import.meta.dirname, script);
  const child = spawn(process.execPath, ["--import", "tsx", file, ...words], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  ground.onStop(() => stopChild(child));
  const [line] = (await Promise.race([once(child.stdout, "data"), once(child, "exit")])) as [
    unknown,
  ];
  const port = Number(String(line).trim());
  if (!(port > 0)) throw new Error(`${script} does not start`);
  return port;
}
