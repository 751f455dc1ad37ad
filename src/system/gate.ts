/** What is about to be changed, as the operator is told of it before it is. */
export interface ChangePlan {
  /** What would be done, one line without a full stop: `write 2 attributes of patterns/p-17`. */
  title: string;
  /** The plan in full, line by line; not yet printable. */
  lines: readonly string[];
  /** The name that confirms it in production: of the table, the host, the set. */
  target: string;
  danger: "writes" | "destroys";
  /** Whether the target's environment is guarded as production; one that is not marked is. */
  isProduction: boolean;
  /** What undoes it, in words; absent: nothing can, and the plan says so. */
  undo?: string;
}

/**
 * Given a plan, return whether it is to be carried out: true after a confirmation, false for `--dry-run`, which has printed it.
 * Throws `refused` where the confirmation is missing or says something else, `cancelled` where the operator leaves the question.
 */
export type Gate = (plan: ChangePlan) => Promise<boolean>;

/** What the command line says of confirmations. */
export interface GuardFlags {
  dryRun: boolean;
  yes: boolean;
  confirm?: string;
}
