import { access, constants } from "node:fs/promises";
import { OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import { splitLines } from "../../system/split-lines.ts";
import { streamThrough } from "../../system/stream-through.ts";
import { findQueryLogs } from "../../workstation/find-query-log.ts";
import { listServices } from "../../workstation/list-panel.ts";
import { systemEnvironment, wordsForRoot } from "../../workstation/run-as-root.ts";
import type { Context } from "../command.ts";

const LINES_BEFORE = 10;

/** Follow the query log until it is stopped, and return the exit code. */
export async function runLog(context: Context): Promise<number> {
  const { terminal, signal, outputGone } = context;
  const environment = await context.childEnvironment();
  const files = await findQueryLogs({ environment, socket: findSocket(await context.config()) });
  terminal.note(
    printable(`following ${files.join(" and ")}; it holds what queries hold, secrets too`),
  );
  const words = [
    "tail",
    `--lines=${LINES_BEFORE}`,
    "--follow=name",
    "--retry",
    "--quiet",
    "--",
    ...files,
  ];
  const [program = "", ...args] = (await areReadable(files)) ? words : wordsForRoot(words);
  const output = streamThrough(program, args, undefined, {
    environment: systemEnvironment(environment),
    signal: AbortSignal.any([signal, outputGone]),
  });
  try {
    for await (const line of splitLines(output)) {
      if (terminal.flags.json) terminal.printEvent({ line });
      else terminal.print(printable(line.replaceAll("\t", " ")));
    }
  } catch (error) {
    if (error instanceof OperatorError && /a password is required|sudo:/.test(error.message)) {
      throw new OperatorError("access", `sudo refuses to read ${files.join(" and ")}`, {
        next: "run sudo -v first, or join the group of the file",
        cause: error,
      });
    }
    throw error;
  }
  return 0;
}

type Configured = Parameters<typeof listServices>[0];

/** Returns the socket of the server whose query log the panel turns on; undefined where the client knows it. Pure. */
export function findSocket(config: Configured): string | undefined {
  for (const { config: service } of listServices(config))
    if (service.kind === "mysql-variable" && /^(general|slow_query)_log$/.test(service.variable))
      return service.socket;
  return undefined;
}

async function areReadable(files: readonly string[]): Promise<boolean> {
  return Promise.all(files.map((file) => access(file, constants.R_OK))).then(
    () => true,
    () => false,
  );
}
