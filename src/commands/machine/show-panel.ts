import { setTimeout as wait } from "node:timers/promises";
import { OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import { askPanel, type LivePanel, type PanelGroup } from "../../terminal/ask-panel.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import {
  observeService,
  observeServices,
  type OpenService,
  type ServiceStatus,
} from "../../workstation/open-services.ts";
import type { Context } from "../command.ts";
import { quoteWords } from "../quote-words.ts";
import { describeState } from "./describe-state.ts";
import { openPanel } from "./open-panel.ts";
import { planPanel, type PanelEntries } from "./plan-panel.ts";

const LOOK_AGAIN_MS = 2_000;

type PanelContext = Pick<
  Context,
  "terminal" | "runLcops" | "config" | "childEnvironment" | "signal" | "folders"
>;

/** Keep the panel on the screen, do what its keys say, and return the exit code once it is left. */
export async function showPanel(context: Context): Promise<number> {
  const rows = await openPanel(context);
  const entries = planPanel(await context.config());
  const panel = watchServices(rows, entries, context.terminal);
  // At the prompt Ctrl-C is a key; at any other moment it is a signal, and means the same.
  const leaving = new AbortController();
  const signal = AbortSignal.any([context.signal, leaving.signal]);
  const converse = async (): Promise<number> => {
    for (;;) {
      const answer = await askPanel(context.terminal, panel, signal);
      if (answer === "leave") return 0;
      const code = await runKey(answer.key, rows, entries, context);
      context.signal.throwIfAborted();
      if (code !== 0) context.terminal.note(context.terminal.err.dim(`exit code ${code}`));
    }
  };
  try {
    return await context.leaveSigintTo(converse, () => leaving.abort());
  } catch (error) {
    if (leaving.signal.aborted && !context.signal.aborted) return 0;
    throw error;
  }
}

/** Given a key of the panel, do what it says and return the exit code. Throws `usage` where the panel has no such key. */
export async function runPanelKey(key: string, context: PanelContext): Promise<number> {
  return runKey(key, await openPanel(context), planPanel(await context.config()), context);
}

async function runKey(
  key: string,
  rows: readonly OpenService[],
  entries: readonly PanelEntries[],
  context: Pick<Context, "terminal" | "runLcops">,
): Promise<number> {
  const is = (one: { key: string }): boolean => one.key.toLowerCase() === key.toLowerCase();
  const row = rows.find(is);
  const entry = entries.flatMap(({ choices }) => choices).find(is);
  if (!row && !entry) {
    const keys = [...rows, ...entries.flatMap(({ choices }) => choices)].map((one) => one.key);
    throw new OperatorError("usage", `the panel has no key ${key}`, {
      next: `its keys are ${keys.join(" ")}`,
    });
  }
  const words = row ? await planToggle(row, context) : (entry?.run ?? []);
  // The command line that does the same comes first: the panel teaches the scripts.
  const { terminal } = context;
  terminal.note(terminal.err.dim(`$ lcops ${printable(quoteWords(words))}`));
  return context.runLcops(words);
}

/** On becomes off, and off on; what waits for a restart gets it. To press the key is to say yes, unless data is lost. */
export async function planToggle(
  row: OpenService,
  { terminal }: Pick<Context, "terminal">,
): Promise<string[]> {
  const { state, pending } = await observeService(row);
  const to = pending ?? (state === "on" || state === "starting" ? "off" : "on");
  const isLost = row.config.kind === "ram-mysql" && to === "off";
  return ["machine", to, row.name, ...(terminal.canPrompt && !isLost ? ["--yes"] : [])];
}

/** Looks at the services for as long as somebody watches; the first time they are not known yet. */
function watchServices(
  rows: readonly OpenService[],
  entries: readonly PanelEntries[],
  terminal: Terminal,
): LivePanel {
  let statuses: readonly ServiceStatus[] | undefined;
  return {
    now: () => [drawServices(rows, statuses, terminal), ...entries],
    watch: (listener) => {
      const ended = new AbortController();
      const look = async (): Promise<void> => {
        while (!ended.signal.aborted) {
          const seen = await observeServices(rows);
          if (ended.signal.aborted) return;
          const hasChanged = JSON.stringify(seen) !== JSON.stringify(statuses);
          statuses = seen;
          if (hasChanged) listener();
          await wait(LOOK_AGAIN_MS, undefined, { signal: ended.signal }).catch(() => undefined);
        }
      };
      void look();
      return () => ended.abort();
    },
  };
}

/** Returns the lines of the services, each painted by its state; before the first look without a state. Pure. */
export function drawServices(
  rows: readonly Pick<OpenService, "key" | "title">[],
  statuses: readonly ServiceStatus[] | undefined,
  { err }: Pick<Terminal, "err">,
): PanelGroup {
  return {
    title: "Services:",
    choices: rows.map(({ key, title }, index) => {
      const status = statuses?.[index];
      if (!status) return { key, label: printable(`${title} = …`), paint: err.dim };
      const { state, pending, detail } = status;
      const paints = { on: err.green, failed: err.red, unknown: err.yellow, starting: err.yellow };
      const more = detail === null ? "" : `, ${detail}`;
      return {
        key,
        label: printable(`${title} = ${describeState(status)}${more}`),
        paint: pending === null && !status.partly ? (paints[state as "on"] ?? err.dim) : err.yellow,
      };
    }),
  };
}
