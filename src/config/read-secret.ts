import { readFile, stat } from "node:fs/promises";
import { describeError, OperatorError } from "../system/errors.ts";
import { runProgram } from "../system/program.ts";
import { expandHome } from "./folders.ts";
import type { SecretReference } from "./schema-fields.ts";

/**
 * Given a secret reference of the configuration, return its value, without the newline that files and programs end with.
 * `${command:…}` is split at white space and run without a shell. Throws `access` where it cannot be had or is empty;
 * the message names the reference, never the value.
 */
export async function readSecret(
  reference: SecretReference,
  options: { environment: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<string> {
  const [, source, where = ""] = /^\$\{(env|file|command):([^}]+)\}$/.exec(reference) ?? [];
  let value: string | undefined;
  try {
    if (source === "env") value = options.environment[where];
    else if (source === "file") value = await readSecretFile(expandHome(where));
    else value = await readFromCommand(where, options.signal);
  } catch (error) {
    options.signal.throwIfAborted();
    throw new OperatorError(
      "access",
      `cannot read the secret ${reference}: ${describeError(error)}`,
      { cause: error },
    );
  }
  const secret = value?.replace(/\r?\n$/, "");
  if (!secret)
    throw new OperatorError(
      "access",
      `the secret ${reference} is ${value === undefined ? "not set" : "empty"}`,
    );
  return secret;
}

async function readSecretFile(path: string): Promise<string> {
  const { mode } = await stat(path);
  if (mode & 0o077) {
    throw new OperatorError("access", `others can read ${path}; run chmod 600 on it`);
  }
  return readFile(path, "utf8");
}

async function readFromCommand(line: string, signal: AbortSignal): Promise<string> {
  const [program = "", ...args] = line.trim().split(/\s+/);
  const result = await runProgram(program, args, { signal, timeoutMs: 60_000 });
  if (result.code !== 0) {
    throw new OperatorError(
      "access",
      `${program} ended with ${result.code}${lastLine(result.stderr)}`,
    );
  }
  return result.stdout;
}

function lastLine(stderr: string): string {
  const line = stderr.trim().split("\n").at(-1);
  return line ? `: ${line}` : "";
}
