import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "../../system/errors.ts";
import { takeKernelLock } from "../../system/kernel-lock.ts";
import { endMarked } from "../../system/marked-program.ts";
import { listLaunches } from "../../workstation/list-panel.ts";
import { makeRunFolder, runsFolder } from "../../workstation/run-folder.ts";
import type { Context } from "../command.ts";

/** It has outlived its lcops: nothing waits for it. */
const LEFTOVER_PATIENCE_MS = 3_000;

/** Given the name of a launch, do what `lcops machine launch` says and return the exit code. */
export async function runLaunch(
  name: string,
  context: Pick<
    Context,
    "terminal" | "environment" | "config" | "signal" | "folders" | "childEnvironment"
  >,
): Promise<number> {
  const launches = listLaunches(await context.config());
  const found = launches.find((launch) => launch.name === name);
  if (!found) {
    const names = launches.map((launch) => launch.name).join(", ");
    throw new OperatorError("usage", `there is nothing to launch of the name ${name}`, {
      next: names === "" ? "add it to workstation.launches" : `name one of ${names}`,
    });
  }
  const { state } = context.folders;
  const mark = runsFolder(state, name);
  const release = await takeLock(name, state);
  try {
    const { told, left } = await endMarked(mark, { patienceMs: LEFTOVER_PATIENCE_MS });
    if (left.length > 0) {
      const pids = left.join(", ");
      throw new OperatorError("refused", `a launch of ${name} before has left process ${pids}`, {
        next: "end it first; it is not this user's, or does not end",
      });
    }
    if (told > 0) {
      const what = told === 1 ? "a process" : `${told} processes`;
      context.terminal.note(`ended ${what} that a launch before had left behind`);
    }
    const launch = { name, mark, makeFolder: () => makeRunFolder(mark) };
    if (found.config.kind === "jmeter") {
      const { runLoadTest } = await import("./run-load-test.ts");
      return await runLoadTest({ ...launch, config: found.config }, context);
    }
    const { runAppLaunch } = await import("./run-app-launch.ts");
    return await runAppLaunch({ ...launch, config: found.config }, context);
  } finally {
    await release();
  }
}

async function takeLock(name: string, state: string): Promise<() => Promise<void>> {
  const folder = join(state, "machine");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const release = await takeKernelLock(join(folder, `launch-${name}.lock`));
  if (release) return release;
  throw new OperatorError("locked", `${name} is launched already, by another lcops`, {
    next: "use that one, or end it with Ctrl-C",
  });
}
