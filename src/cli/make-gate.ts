import type { Prompts } from "../terminal/prompts.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { OperatorError } from "../system/errors.ts";
import type { ChangePlan, Gate, GuardFlags } from "../system/gate.ts";
import { printable } from "../system/printable.ts";

type Decision = "dry-run" | "go" | "ask" | "ask name";

/**
 * Given a plan, the flags and whether somebody can be asked, return what stands between the two. Throws `refused` where
 * nobody can be asked and no flag confirms it, or `--confirm` names something else. Pure.
 */
export function decideGate(plan: ChangePlan, flags: GuardFlags, canAsk: boolean): Decision {
  if (flags.dryRun) return "dry-run";
  if (flags.confirm !== undefined) {
    if (flags.confirm === plan.target) return "go";
    throw new OperatorError(
      "refused",
      `--confirm says ${flags.confirm || "nothing"}, this is ${plan.target}`,
      {
        next: "nothing was done; correct the one or the other",
      },
    );
  }
  if (flags.yes && !plan.isProduction) return "go";
  if (canAsk) return plan.isProduction && plan.danger === "destroys" ? "ask name" : "ask";
  const [why, needed] = plan.isProduction
    ? [
        flags.yes
          ? "in production --yes does not do without a terminal"
          : "there is no terminal to ask on, and this is production",
        `--confirm ${plan.target}`,
      ]
    : ["there is no terminal to ask on", "--yes"];
  throw new OperatorError("refused", `${plan.title}: ${why}; nothing was done`, {
    next: `confirm it with ${needed}; --dry-run prints the plan`,
  });
}

/** Given the flags of a command line, return its gate. The plan is the result of a dry run, and told on stderr otherwise. */
export function makeGate(
  flags: GuardFlags,
  terminal: Terminal,
  prompts: () => Promise<Prompts>,
): Gate {
  return async (plan) => {
    const decision = decideGate(plan, flags, terminal.canPrompt);
    if (decision === "dry-run" && terminal.flags.json) {
      terminal.printJson({ dryRun: true, ...plan, undo: plan.undo ?? null });
      return false;
    }
    const say = { "dry-run": terminal.print, go: terminal.note }[decision as "go"] ?? terminal.warn;
    for (const line of describePlan(plan)) say(printable(line));
    if (decision === "dry-run") return false;
    if (decision === "ask") {
      const { confirm } = await prompts();
      if (!(await confirm(`${plan.isProduction ? "This is production. " : ""}Go on?`)))
        throw new OperatorError("refused", "nothing was done");
    }
    if (decision === "ask name") {
      const { input } = await prompts();
      const typed = await input(`This is production. Type ${printable(plan.target)} to go on:`);
      if (typed !== plan.target)
        throw new OperatorError("refused", `that is not ${plan.target}, and nothing was done`);
    }
    return true;
  };
}

function describePlan(plan: ChangePlan): string[] {
  return [
    plan.title,
    ...plan.lines.map((line) => `  ${line}`),
    plan.undo === undefined ? "nothing can undo this" : `${plan.undo} undoes it`,
  ];
}
