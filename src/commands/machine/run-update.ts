import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import pLimit from "p-limit";
import { expandHome } from "../../config/folders.ts";
import type { Config } from "../../config/schema.ts";
import { OperatorError } from "../../system/errors.ts";
import { takeKernelLock } from "../../system/kernel-lock.ts";
import { printable } from "../../system/printable.ts";
import { countOf } from "../../system/quantities.ts";
import { startProgress } from "../../terminal/progress.ts";
import { printTable } from "../../terminal/table.ts";
import { carryOutUpdate, type UpdateOutcome } from "../../workstation/carry-out-update.ts";
import { planUpdate, type Repository, type UpdatePlan } from "../../workstation/plan-update.ts";
import { makeTurns } from "../../workstation/plan-update.ts";
import type { Context, Input } from "../command.ts";

/** More at once are refused by servers that count connections. */
const AT_ONCE = 4;

type UpdateContext = Pick<
  Context,
  "terminal" | "config" | "childEnvironment" | "signal" | "folders" | "gate" | "journal"
>;

type Change = Extract<UpdatePlan, { kind: "forward" | "clone" }>;

/** Given what was typed, do what `lcops machine update` says and return the exit code. */
export async function runUpdate(
  input: Pick<Input, "operands" | "options">,
  context: UpdateContext,
): Promise<number> {
  const repositories = pickRepositories(await context.config(), input.operands);
  const release = await takeLock(context);
  try {
    // Neither does a look take copies of branches away that are gone at the remote.
    const isLookOnly = input.options["dryRun"] === true;
    const plans = await askRemotes(repositories, isLookOnly, context);
    const changes = plans.filter(
      (plan): plan is Change => plan.kind === "forward" || plan.kind === "clone",
    );
    if (changes.length > 0 && !(await context.gate(describePlans(plans, changes)))) return 0;
    const outcomes = await carryOutAll(plans, context);
    renderOutcomes(outcomes, context);
    return judgeOutcomes(outcomes);
  } finally {
    await release();
  }
}

/** Returns the repositories that are named, all without a name. Throws `configuration` and `usage`. Pure but for the home folder. */
export function pickRepositories(config: Config, names: readonly string[]): Repository[] {
  const all = config.workstation?.repositories ?? {};
  if (Object.keys(all).length === 0) {
    throw new OperatorError("configuration", "there are no repositories in the configuration", {
      next: "add them to workstation.repositories, each with its folder and url",
    });
  }
  const wanted = names.length === 0 ? Object.keys(all) : [...new Set(names)];
  const owners = new Map<string, string>();
  return wanted.map((name) => {
    const found = Object.hasOwn(all, name) ? all[name] : undefined;
    if (!found) {
      throw new OperatorError("usage", `there is no repository ${name}`, {
        next: `name one of ${Object.keys(all).join(", ")}`,
      });
    }
    const { url } = found;
    const folder = resolve(expandHome(found.folder));
    const other = owners.get(folder);
    if (other !== undefined) {
      throw new OperatorError("configuration", `${other} and ${name} are both in ${folder}`, {
        next: "give each repository a folder of its own",
      });
    }
    owners.set(folder, name);
    return { name, folder, ...(url !== undefined && { url }) };
  });
}

async function takeLock({ folders }: Pick<Context, "folders">): Promise<() => Promise<void>> {
  await mkdir(folders.state, { recursive: true, mode: 0o700 });
  const release = await takeKernelLock(join(folders.state, "machine-update.lock"));
  if (release) return release;
  throw new OperatorError("locked", "another run updates the repositories", {
    next: "wait for it to end",
  });
}

async function askRemotes(
  repositories: readonly Repository[],
  isLookOnly: boolean,
  context: UpdateContext,
): Promise<UpdatePlan[]> {
  const environment = await context.childEnvironment();
  const options = { environment, signal: context.signal, isLookOnly };
  const limit = pLimit(AT_ONCE);
  const turns = makeTurns();
  const progress = startProgress(context.terminal);
  const awaited = new Set<string>();
  let done = 0;
  const draw = (): void =>
    progress.update(
      `${done} of ${repositories.length} remotes asked, waiting for ${[...awaited].join(", ")}`,
    );
  try {
    return await awaitAll(
      repositories.map((repository) =>
        limit(async () => {
          awaited.add(repository.name);
          draw();
          const plan = await planUpdate(repository, turns, options);
          awaited.delete(repository.name);
          done++;
          draw();
          return plan;
        }),
      ),
    );
  } finally {
    progress.end();
  }
}

/** Returns what is asked before it is done: what each repository gets. Pure. */
export function describePlans(plans: readonly UpdatePlan[], changes: readonly Change[]) {
  const words = (plan: UpdatePlan): string[] => {
    const { name, folder } = plan.repository;
    if (plan.kind === "clone") return [`${name}: clone ${plan.url} into ${folder}`];
    if (plan.kind === "forward")
      return [`${name}: ${countOf(plan.commits, "commit")} into ${plan.status?.branch}`];
    return plan.kind === "current" ? [] : [`${name}: left as it is, ${plan.why}`];
  };
  return {
    title: `update ${changes.length} of ${plans.length} repositories`,
    lines: plans.flatMap(words),
    target: "repositories",
    danger: "writes" as const,
    isProduction: false,
    undo: "git reset --keep to the commit that lcops history shows",
  };
}

async function carryOutAll(
  plans: readonly UpdatePlan[],
  context: UpdateContext,
): Promise<UpdateOutcome[]> {
  const options = { environment: await context.childEnvironment(), signal: context.signal };
  const limit = pLimit(AT_ONCE);
  const progress = startProgress(context.terminal);
  progress.update("updating");
  try {
    return await awaitAll(
      plans.map((plan) =>
        limit(async () => {
          if (plan.kind !== "forward" && plan.kind !== "clone")
            return carryOutUpdate(plan, options);
          const record = await context.journal(describeChange(plan));
          const outcome = await carryOutUpdate(plan, options).catch(async (error: unknown) => {
            await record.end({ state: "unknown", detail: "stopped" });
            throw error;
          });
          const { state, why } = outcome;
          await record.end({
            state: state === "failed" ? "failed" : "done",
            ...(why !== undefined && { detail: why }),
          });
          return outcome;
        }),
      ),
    );
  } finally {
    progress.end();
  }
}

/** Nothing is left at work when one of them has failed. */
async function awaitAll<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

function describeChange(plan: Change) {
  const { name, folder } = plan.repository;
  if (plan.kind === "clone") return { change: `clone ${plan.url} into ${folder}` };
  return {
    change: `fast-forward ${name} in ${folder} from ${plan.from} to ${plan.to}`,
    undo: { kind: "repository", folder, commit: plan.from },
  };
}

/** Prints the outcomes: all of them for somebody who looks, in cron what is missing alone. */
export function renderOutcomes(
  outcomes: readonly UpdateOutcome[],
  { terminal }: Pick<Context, "terminal">,
): void {
  if (terminal.flags.json) {
    terminal.printJson(outcomes);
    return;
  }
  const paints = {
    updated: terminal.out.green,
    cloned: terminal.out.green,
    current: terminal.out.dim,
    skipped: terminal.out.yellow,
    failed: terminal.out.red,
  };
  // Cron hears of what is missing alone.
  const isWhole = (terminal.isScreen && !terminal.flags.quiet) || terminal.flags.verbose;
  const shown = isWhole ? outcomes : outcomes.filter(isMissing);
  // What needs a look stands last, where it is read.
  const rank = ({ state }: UpdateOutcome): number => Object.keys(paints).indexOf(state);
  printTable(
    terminal,
    shown.toSorted((left, right) => rank(left) - rank(right)),
    [
      { title: "REPOSITORY", value: ({ name }) => name },
      { title: "BRANCH", value: ({ branch }) => branch ?? "" },
      { title: "AHEAD", value: ({ ahead }) => String(ahead ?? "") },
      { title: "BEHIND", value: ({ behind }) => String(behind ?? "") },
      { title: "PULLED", value: ({ pulled }) => String(pulled) },
      {
        title: "STATE",
        value: ({ state }) => state,
        paint: (text, { state }) => paints[state](text),
      },
      { title: "WHY", value: ({ why }) => why ?? "" },
    ],
  );
  const missing = outcomes.filter(isMissing);
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(", ");
    terminal.warn(printable(`lcops: not updated: ${names}`));
  }
}

const isMissing = ({ state }: Pick<UpdateOutcome, "state">): boolean =>
  state === "skipped" || state === "failed";

/** Returns the exit code: 0 where nothing is missing, 1 where everything is, 3 between. Pure. */
export function judgeOutcomes(outcomes: readonly Pick<UpdateOutcome, "state">[]): number {
  const missing = outcomes.filter(isMissing);
  if (missing.length === 0) return 0;
  return missing.length === outcomes.length ? 1 : 3;
}
