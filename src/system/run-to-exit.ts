import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "./errors.ts";
import { missingProgram } from "./explain-start.ts";
import type { ProgramResult } from "./program.ts";

/** POSIX, Shell Command Language, 2.8.2. */
const NOT_FOUND = 127;

/**
 * Given a program that may leave a server running, run it without input, and return its exit code and output once it has ended itself, whoever holds
 * its output open. Ctrl-C reaches neither it nor what it leaves; it stays in the terminal's session, by which sudo knows who has given a password.
 * Throws `missing`, and `failed` past `timeoutMs`; it is ended then.
 */
export async function runToExit(
  program: string,
  args: readonly string[],
  options: { environment: NodeJS.ProcessEnv; timeoutMs: number },
): Promise<ProgramResult> {
  const [stdout, stderr] = [await openUnnamed(), await openUnnamed()];
  try {
    const code = await new Promise<number>((resolve, reject) => {
      const child = spawn("/bin/sh", ["-c", 'trap "" INT; exec "$0" "$@"', program, ...args], {
        stdio: ["ignore", stdout.fd, stderr.fd],
        env: options.environment,
      });
      const timer = setTimeout(() => {
        child.kill("SIGTERM");
        const seconds = options.timeoutMs / 1000;
        reject(new OperatorError("failed", `${program} did not end within ${seconds} s`));
      }, options.timeoutMs);
      child.once("error", reject);
      child.once("exit", (code) => {
        clearTimeout(timer);
        resolve(code ?? 255);
      });
    });
    if (code === NOT_FOUND) throw missingProgram(program);
    const read = async (file: typeof stdout): Promise<string> => {
      const { size } = await file.stat();
      const { buffer } = await file.read(Buffer.alloc(size), 0, size, 0);
      return buffer.toString();
    };
    return { code, stdout: await read(stdout), stderr: await read(stderr) };
  } finally {
    await stdout.close();
    await stderr.close();
  }
}

async function openUnnamed() {
  const path = join(tmpdir(), `lcops-${randomBytes(9).toString("hex")}`);
  const file = await open(path, "wx+", 0o600);
  await rm(path);
  return file;
}
