import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';

const keptStderrBytes = 4096;
const leaveAfterMs = 200;
const killAfterMs = 1000;

/** A running ProxyCommand. */
export interface ProxyCommand {
  /** Its standard output and input; destroying it ends the program. */
  stream: Duplex;
  /** The end of what it has said on standard error so far, as it came. */
  stderr(): string;
  /** Resolves to how it ended, once it has: `exit code 1`, `signal SIGTERM`, or why it could not be started. */
  ended: Promise<string>;
}

/**
 * Given a command line, start it through `sh -c 'exec …'`, as ssh_config(5) has it for ProxyCommand, and return its
 * standard input and output as one stream. A program that cannot be started shows as an ended one, with the shell's words in `stderr`.
 */
export function spawnProxyCommand(commandLine: string): ProxyCommand {
  const child = spawn('/bin/sh', ['-c', `exec ${commandLine}`], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const { stdin, stdout, stderr } = child;
  let said = '';
  stderr.setEncoding('utf8');
  stderr.on('data', (text: string) => {
    said = (said + text).slice(-keptStderrBytes);
  });
  stderr.on('error', () => {});

  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    // `close` rather than `exit`: by then its last words have been read.
    child.on('close', (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`));
  });

  const stream = new Duplex({
    // The far end is gone with the program's output, so nothing is left to write to.
    allowHalfOpen: false,
    read: () => void stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => void stdin.write(chunk, done),
    final: (done) => void stdin.end(done),
    destroy: (error, done) => {
      stdin.destroy();
      stdout.destroy();
      if (child.exitCode === null && child.signalCode === null) {
        // A program whose output has ended is about to leave by itself, with an exit code that tells more than our signal.
        const timers = [
          setTimeout(() => child.kill('SIGHUP'), stdout.readableEnded ? leaveAfterMs : 0),
          setTimeout(() => child.kill('SIGKILL'), killAfterMs),
        ];
        child.on('exit', () => {
          for (const timer of timers) clearTimeout(timer);
          // A program that it started may still hold the pipe.
          stderr.destroy();
        });
      }
      done(error);
    },
  });
  stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) stdout.pause();
  });
  stdout.on('end', () => stream.push(null));
  stdout.on('error', (error) => stream.destroy(error));
  // A write to a program that has left is told by the write's own callback.
  stdin.on('error', () => {});
  return { stream, stderr: () => said, ended };
}
