import type { UpgradeRun } from "../../fleet/upgrade-state.ts";
import { upgradeFleet, type UpgradeFleetOptions } from "../../fleet/upgrade-fleet.ts";
import { OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import { startProgress } from "../../terminal/progress.ts";
import type { Context } from "../command.ts";
import { describeCounts } from "./describe-upgrade.ts";

/** All that an upgrade needs but what the terminal gives it. */
export type FollowOptions = Omit<
  UpgradeFleetOptions,
  "isStopping" | "onWave" | "onHost" | "onStep"
>;

/**
 * Given an upgrade that is opened, do it before the eyes of the operator: the first Ctrl-C begins no further host, the second leaves. Returns why it has
 * ended early, undefined where it has not. Throws what `upgradeFleet` throws, and `cancelled` where it was left; what goes on there is told then.
 */
export async function followUpgrade(
  run: UpgradeRun,
  options: FollowOptions,
  { terminal, leaveSigintTo }: Pick<Context, "terminal" | "leaveSigintTo">,
): Promise<string | undefined> {
  const progress = startProgress(terminal);
  const steps = new Map<string, string>();
  const draw = (): void =>
    progress.update(
      printable([...steps].map(([host, step]) => `${host}: ${step}`).join("  ") || "waits"),
    );
  const event = (value: object): void => {
    if (terminal.flags.json) terminal.printEvent(value);
  };
  event({ event: "begin", run: run.id, waves: options.waves.map((wave) => wave.hosts) });
  let isStopping = false;
  const leave = new AbortController();
  const signal = AbortSignal.any([options.reach.signal, leave.signal]);
  try {
    return await leaveSigintTo(
      () =>
        upgradeFleet(run, {
          ...options,
          reach: { ...options.reach, signal },
          isStopping: () => isStopping,
          onWave: (wave) => event({ event: "wave", ...wave }),
          onHost: (host, how) => {
            if (how.state !== "begun") steps.delete(host);
            event({ event: "host", host, ...how });
          },
          onStep: (host, step) => {
            steps.set(host, step);
            draw();
          },
        }),
      () => {
        if (isStopping) leave.abort(new OperatorError("cancelled", "left"));
        isStopping = true;
        terminal.warn("no further host is begun; Ctrl-C again leaves, and what is begun goes on");
      },
    );
  } catch (error) {
    progress.end();
    if (signal.aborted)
      terminal.warn(
        `lcops: ${describeCounts(run)}; what is begun goes on there; lcops fleet upgrade --resume finds it again`,
      );
    throw error;
  } finally {
    progress.end();
  }
}
