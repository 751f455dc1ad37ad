import type { RedisClient, Words } from "../../services/redis/connect-redis.ts";
import { RedisFailure, type Reply } from "../../services/redis/reply-reader.ts";
import { OperatorError } from "../../system/errors.ts";
import { findProgram } from "../../system/program.ts";
import { printable } from "../../system/printable.ts";
import type { Context, Input } from "../command.ts";
import { describePlace } from "./describe-flush.ts";
import { type OpenRedis, withRedis } from "./open-redis.ts";

/** Given what was typed, do what `lcops redis console` says; return the exit code of redis-cli, or of our own console where there is none. */
export async function runConsole(input: Input, context: Context): Promise<number> {
  return withRedis(context, input.operands[0] ?? "", async (open) => {
    // The prompt of redis-cli shows no more than a port of the loopback, whatever is behind it.
    if (context.terminal.canPrompt && !input.rest)
      context.terminal.note(printable(describePlace(open)));
    const environment = await context.childEnvironment();
    const program = await findProgram(["redis-cli"], environment["PATH"] ?? "");
    if (program === undefined) return openOwnConsole(open, input.rest, context);
    const { runRedisCli } = await import("../../services/redis/run-redis-cli.ts");
    const code = await context.leaveSigintTo(() =>
      runRedisCli(program, open.place, input.rest ?? [], {
        environment,
        signal: context.signal,
        ownGroup: !context.hasTerminal,
      }),
    );
    const obstacle = code === 0 ? undefined : open.obstacle();
    if (obstacle) throw obstacle;
    return code;
  });
}

/** What answers more than once. */
const ENDLESS = /^(p?|s)subscribe$|^monitor$|^psync$|^sync$/i;

async function openOwnConsole(
  open: OpenRedis,
  command: readonly string[] | undefined,
  context: Context,
): Promise<number> {
  const { connectRedis } = await import("../../services/redis/connect-redis.ts");
  const { terminal } = context;
  const client = await connectRedis(open.place, context.signal);
  try {
    if (command) {
      const [first = "", ...rest] = command;
      return (await ask(client, [first, ...rest], context)) ? 0 : 1;
    }
    terminal.note("redis-cli is not installed: this is a console of lcops; Ctrl-D leaves it");
    return await converse(client, open, context);
  } finally {
    client.close();
  }
}

async function converse(client: RedisClient, open: OpenRedis, context: Context): Promise<number> {
  const { readLines } = await import("../../terminal/read-lines.ts");
  const { splitLine } = await import("../../services/redis/split-line.ts");
  const { terminal } = context;
  let { database } = open.place;
  let isWell = true;
  for await (const line of readLines(
    terminal,
    () => `${open.name}[${database}]> `,
    context.signal,
  )) {
    const words = splitLine(line);
    const [first, ...rest] = words ?? [];
    if (!words) terminal.warn("the quotes of that line do not match");
    if (first === undefined) continue;
    const name = first.toString();
    if (/^(quit|exit)$/i.test(name)) break;
    const isDone = await ask(client, [name, ...rest], context);
    context.outputGone.throwIfAborted();
    isWell &&= isDone;
    if (isDone && /^select$/i.test(name)) database = Number(rest[0]);
  }
  context.signal.throwIfAborted();
  // On a terminal whoever typed it has seen it.
  return isWell || terminal.canPrompt ? 0 : 1;
}

/** Returns whether it was answered without an error. */
async function ask(client: RedisClient, words: Words, { terminal }: Context): Promise<boolean> {
  if (ENDLESS.test(words[0])) {
    throw new OperatorError("missing", `${words[0].toUpperCase()} needs redis-cli`, {
      next: "install redis-tools",
    });
  }
  const [reply = null] = await client.sendAll([words]);
  await show(reply, terminal);
  return !(reply instanceof RedisFailure);
}

async function show(reply: Reply, terminal: Context["terminal"]): Promise<void> {
  const { formatRaw, formatReply } = await import("../../services/redis/format-reply.ts");
  if (terminal.isScreen) terminal.print(formatReply(reply));
  else if (reply instanceof RedisFailure) terminal.warn(formatReply(reply));
  else terminal.stdout.write(Buffer.concat([formatRaw(reply), Buffer.from("\n")]));
}
