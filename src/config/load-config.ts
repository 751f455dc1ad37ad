import { readFileSync, statSync } from "node:fs";
import { describeError, errorCode, OperatorError } from "../system/errors.ts";
import { checkReferences } from "./check-references.ts";
import { parseJson, type Problem } from "./parse-json.ts";
import { type Config, type Kinds, makeConfigSchema } from "./schema.ts";

/** An estate is kilobytes; anything past this is the wrong file. */
const SIZE_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * Given the path of a configuration file and the kinds of service that there are, read and validate it whole.
 * Throws `configuration` with every mistake at once, each with its path in the file and its line.
 */
export function loadConfig(path: string, kinds: Kinds): Config {
  const text = readConfigFile(path);
  const { value, problems, locate } = parseJson(text);
  if (problems.length > 0) throw invalid(path, problems);
  const parsed = makeConfigSchema(kinds).safeParse(value);
  if (!parsed.success) {
    throw invalid(
      path,
      parsed.error.issues.flatMap((issue) =>
        issue.code === "unrecognized_keys"
          ? issue.keys.map((key) => locate([...issue.path, key], "this key is not known"))
          : [
              locate(
                issue.path,
                issue.code === "invalid_key"
                  ? (issue.issues[0]?.message ?? issue.message)
                  : issue.message,
              ),
            ],
      ),
    );
  }
  const references = checkReferences(parsed.data, kinds);
  if (references.length > 0)
    throw invalid(
      path,
      references.map((found) => locate(found.path, found.message)),
    );
  return parsed.data;
}

function readConfigFile(path: string): string {
  let bytes: Buffer;
  try {
    // Synchronous: it is the first thing of every run, and the other way would load another module for it.
    const { size } = statSync(path);
    if (size > SIZE_LIMIT_BYTES) {
      throw new OperatorError(
        "configuration",
        `${path}: ${size} bytes is no configuration, the limit is 4 MiB`,
        { next: "name the right file with --config" },
      );
    }
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    if (errorCode(error) === "ENOENT") {
      throw new OperatorError("configuration", `there is no configuration at ${path}`, {
        next: "run lcops config init, or name another file with --config",
      });
    }
    throw new OperatorError("configuration", `cannot read ${path}: ${describeError(error)}`, {
      cause: error,
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new OperatorError("configuration", `${path}: it is not UTF-8 text`, {
      next: "save it as UTF-8",
      cause: error,
    });
  }
}

function invalid(path: string, problems: readonly Problem[]): OperatorError {
  const lines = problems.map(
    (problem) =>
      `${path}:${problem.line}: ${problem.path === "" ? "" : `${problem.path}: `}${problem.message}`,
  );
  const [only] = lines;
  return problems.length === 1 && only !== undefined
    ? new OperatorError("configuration", only)
    : new OperatorError("configuration", `${path} has ${problems.length} mistakes`, {
        details: lines,
      });
}

/** Given the configuration, return the environment variables that its secrets stand in. Pure. */
export function listSecretVariables(config: Config): string[] {
  const references = [
    ...Object.values(config.services ?? {}).map(({ password }) => password),
    ...Object.values(config.notify ?? {}).flatMap((target) => {
      if ("webhook" in target) return [target.webhook];
      return "xmpp" in target ? [target.xmpp.password, target.xmpp.roomPassword] : [];
    }),
    ...(config.backups?.identities ?? []),
    ...Object.values(config.workstation?.launches ?? {}).flatMap((launch) =>
      launch.kind === "jmeter" ? Object.values(launch.properties ?? {}).map(String) : [],
    ),
  ];
  return references.flatMap((reference) => /^\$\{env:([^}]+)\}$/.exec(reference ?? "")?.[1] ?? []);
}
