import { spawn } from "node:child_process";
import { Duplex } from "node:stream";
import { printable } from "./printable.ts";

const keptStderrBytes = 4096;
const keptStderrLines = 3;
const leaveAfterMs = 200;
const killAfterMs = 1000;

/** A running ProxyCommand. */
export interface ProxyCommand {
  /** Its standard output and input. It fails when the program ends, and destroying it ends the program. */
  stream: Duplex;
  /** The last lines that it has said on standard error so far, printable. */
  words(): string[];
}

/**
 * Given a command line, start it through `sh -c 'exec …'`, as ssh_config(5) has it for ProxyCommand, and return its
 * standard input and output as one stream, which fails with `its ProxyCommand ended with exit code 1` when the program
 * is gone. One that cannot be started is one that ends, with the shell's words for it.
 */
export function spawnProxyCommand(commandLine: string): ProxyCommand {
  const child = spawn("/bin/sh", ["-c", `exec ${commandLine}`], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const { stdin, stdout, stderr } = child;
  let said = "";
  stderr.setEncoding("utf8");
  stderr.on("data", (text: string) => {
    said = (said + text).slice(-keptStderrBytes);
  });
  stderr.on("error", () => {});

  const stream = new Duplex({
    read: () => void stdout.resume(),
    // A failed write is told by the program's end, which knows the exit code.
    write: (chunk: Buffer, _encoding, done) => void stdin.write(chunk, () => done()),
    final: (done) => void stdin.end(() => done()),
    destroy: (error, done) => {
      stdin.destroy();
      stdout.destroy();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGHUP");
        const timer = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
        child.on("exit", () => clearTimeout(timer));
      }
      // A program that it started may still hold the pipe.
      stderr.destroy();
      done(error);
    },
  });
  stdout.on("data", (chunk: Buffer) => {
    if (!stream.push(chunk)) stdout.pause();
  });
  const fail = (how: string): void => void stream.destroy(new Error(`its ProxyCommand ${how}`));
  for (const pipe of [stdin, stdout]) pipe.on("error", () => {});
  stdout.on("end", () => setTimeout(() => fail("closed its output"), leaveAfterMs).unref());
  child.on("error", (error) => fail(`cannot be started: ${error.message}`));
  // `close` rather than `exit`: by then its last words have been read.
  child.on("close", (code, signal) => fail(`ended with ${signal ?? `exit code ${code}`}`));
  return {
    stream,
    words: () => said.trim().split(/\r?\n/).filter(Boolean).slice(-keptStderrLines).map(printable),
  };
}
