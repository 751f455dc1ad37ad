import { createInterface } from "node:readline";
import { execa } from "execa";
import { quoteWords } from "../../src/commands/quote-words.ts";

export interface Program {
  /** Path of the built program. */
  lcops: string;
  environment: Record<string, string>;
  signal: AbortSignal;
  /** Told each command line before it runs. */
  announce: (line: string) => void;
}

const optionsOf = ({ environment, signal }: Program) =>
  ({ env: environment, extendEnv: false, cancelSignal: signal, stdin: "ignore" }) as const;

/** Given the words of a command line, run it and return what it printed; throws where it does not end with `code`. */
export async function runLcops(
  program: Program,
  words: readonly string[],
  code = 0,
): Promise<{ stdout: string }> {
  program.announce(`lcops ${quoteWords(words)}`);
  const result = await execa(process.execPath, [program.lcops, ...words], {
    ...optionsOf(program),
    reject: false,
    stripFinalNewline: false,
  });
  if (result.exitCode !== code) {
    throw new Error(
      `lcops ${words[0]} ended with ${result.exitCode ?? result.signal}: ${result.stderr.trim()}`,
    );
  }
  return result;
}

/** Given a service, open its tunnel, look through it once it says that it is ready, close it as Ctrl-C would, and return what was seen. */
export async function withTunnel<T>(
  program: Program,
  service: string,
  look: (url: string) => Promise<T>,
): Promise<T> {
  program.announce(`lcops tunnel open ${service}`);
  const tunnel = execa(process.execPath, [program.lcops, "tunnel", "open", service], {
    ...optionsOf(program),
    reject: false,
  });
  const ready = new Promise<string>((resolve, reject) => {
    createInterface(tunnel.stdout).on("line", (line) => {
      const url = /^\S+ {2}(\S+) {2}ready/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    tunnel.then(
      ({ stderr }) => reject(new Error(`the tunnel ended before it was ready: ${stderr}`)),
      reject,
    );
  });
  let seen: T;
  try {
    seen = await look(await ready);
  } finally {
    tunnel.kill("SIGINT");
    await tunnel;
  }
  const { exitCode } = await tunnel;
  if (exitCode !== 130) throw new Error(`the tunnel ended with ${exitCode} on Ctrl-C, not 130`);
  return seen;
}
