import { describeError, OperatorError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { StopSignal } from "./exit-code-of.ts";

/** Given anything that was thrown, tell it on stderr in one line, its details below; with `--json` also as the document on stdout. The stack is for `-v`. */
export function showError(error: unknown, terminal: Terminal): void {
  if (error instanceof StopSignal || (error instanceof OperatorError && error.kind === "cancelled"))
    return;
  const isExpected = error instanceof OperatorError;
  const message = printable(describeError(error));
  const next = isExpected
    ? error.next
    : "this is a fault of lcops; run it again with -v and report what it prints";
  if (terminal.flags.json) {
    const details = isExpected ? error.details : [];
    terminal.printJson({
      error: { kind: isExpected ? error.kind : "fault", message, next: next ?? null, details },
    });
  }
  terminal.warn(
    `${terminal.err.red("lcops:")} ${message}${next === undefined ? "" : `; ${printable(next)}`}`,
  );
  if (isExpected) for (const detail of error.details) terminal.warn(`  ${printable(detail)}`);
  if (terminal.flags.verbose && error instanceof Error) {
    for (const line of (error.stack ?? "").split("\n")) terminal.warn(printable(line));
  }
}
