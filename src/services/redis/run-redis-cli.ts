import { runInForeground, runProgram } from "../../system/program.ts";
import type { RedisPlace } from "./connect-redis.ts";

/**
 * Given the path of redis-cli and where a Redis is, run it on the terminal and return its exit code. The password is in REDISCLI_AUTH, which
 * only that child has, and never in an argument.
 */
export async function runRedisCli(
  program: string,
  place: RedisPlace,
  args: readonly string[],
  options: { environment: NodeJS.ProcessEnv; signal: AbortSignal; ownGroup: boolean },
): Promise<number> {
  const { REDISCLI_AUTH: _another, ...others } = options.environment;
  const environment =
    place.password === undefined ? others : { ...others, REDISCLI_AUTH: place.password };
  const failing = await failingArguments(program, args, options);
  const words = [...placeArguments(place), ...failing, ...args];
  return runInForeground(program, words, { ...options, environment });
}

/**
 * A redis-cli ends with 0 after an error of the server, unless -e is said (since 7.0). Of what may be a conversation it would make an end with the
 * first mistyped line: only a command gets it.
 */
async function failingArguments(
  program: string,
  [first]: readonly string[],
  { environment, signal }: { environment: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<string[]> {
  if (first === undefined || first.startsWith("-")) return [];
  const { code } = await runProgram(program, ["-e", "--version"], { environment, signal });
  return code === 0 ? ["-e"] : [];
}

/** Given where a Redis is, return the arguments with which redis-cli finds it. Pure. */
function placeArguments({ host, port, user, database, tls }: RedisPlace): string[] {
  const option = (flag: string, value: string | undefined): string[] =>
    value === undefined ? [] : [flag, value];
  return [
    ...option("-h", host),
    ...option("-p", String(port)),
    ...option("--user", user),
    ...(database === 0 ? [] : ["-n", String(database)]),
    ...(tls ? ["--tls"] : []),
    ...option("--sni", tls?.serverName),
    ...option("--cacert", tls?.ca),
    ...option("--cert", tls?.certificate),
    ...option("--key", tls?.key),
  ];
}
