import { describeError, OperatorError } from "../system/errors.ts";
import { runAsRoot } from "./run-as-root.ts";

/** A command line for root. */
export type Step = readonly string[];

/**
 * Given command lines for root, run them one after the other. Where one fails, or `check` afterwards, those that take it back are run, and the error
 * is thrown. Throws `access` where sudo refuses.
 */
export async function carryOutSteps(
  steps: readonly Step[],
  options: {
    environment: NodeJS.ProcessEnv;
    /** What takes it back, given how many of them were begun. */
    rollback?: (begun: number) => readonly Step[];
    check?: () => Promise<void>;
  },
): Promise<void> {
  const { environment, rollback = () => [], check } = options;
  let [begun, done] = [0, 0];
  try {
    for (const step of steps) {
      begun++;
      await runStep(step, environment);
      done++;
    }
    await check?.();
  } catch (error) {
    // Of what sudo has refused nothing was done.
    if (done === 0 && error instanceof OperatorError && error.kind === "access") throw error;
    throw await takeBack(rollback(begun), environment, error);
  }
}

async function runStep(step: Step, environment: NodeJS.ProcessEnv): Promise<void> {
  const { code, stdout, stderr } = await runAsRoot(step, environment);
  if (code === 0) return;
  const said = (stderr.trim() || stdout.trim()).split("\n").filter(Boolean);
  throw new OperatorError(
    "failed",
    `${step.join(" ")} ended with ${code}${said.length > 0 ? `: ${said.at(-1)}` : ""}`,
    { details: said.slice(-4, -1) },
  );
}

async function takeBack(
  rollback: readonly Step[],
  environment: NodeJS.ProcessEnv,
  why: unknown,
): Promise<unknown> {
  if (rollback.length === 0) return why;
  const details = why instanceof OperatorError ? why.details : [];
  const failed: string[] = [];
  // Each of them: what was stopped beside is not left so.
  for (const step of rollback)
    await runStep(step, environment).catch((error: unknown) => failed.push(describeError(error)));
  if (failed.length === 0) {
    return new OperatorError("failed", `${describeError(why)}; it was taken back`, {
      details,
      cause: why,
    });
  }
  return new OperatorError(
    "failed",
    `${describeError(why)}; taking it back failed too: ${failed.join("; ")}`,
    { details, cause: why, next: "look at lcops machine status" },
  );
}
