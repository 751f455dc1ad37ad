import { OperatorError } from "../system/errors.ts";
import { runProgram } from "../system/program.ts";
import { runToExit } from "../system/run-to-exit.ts";
import { carryOutSteps } from "./carry-out-steps.ts";
import type { MachineService, MachineTools } from "./machine-service.ts";

const PROBE_LIMIT_MS = 5_000;
const CHANGE_LIMIT_MS = 60_000;

/** Given commands that tell, start and stop it, return it as a service of the panel. */
export function commandService(
  commands: {
    status: readonly string[];
    on: readonly string[];
    off: readonly string[];
    root: boolean;
  },
  tools: MachineTools,
): MachineService {
  const { environment, signal } = tools;
  return {
    observe: async () => {
      const [program = "", ...args] = commands.status;
      try {
        const { code } = await runProgram(program, args, {
          environment,
          signal,
          timeoutMs: PROBE_LIMIT_MS,
        });
        if (code === 0) return { state: "on" };
        return code === 1 || code === 3
          ? { state: "off" }
          : { state: "unknown", detail: `${program} ended with ${code}` };
      } catch (error) {
        if (error instanceof OperatorError && error.kind === "missing")
          return { state: "not installed" };
        throw error;
      }
    },
    plan: (to) => {
      const words = commands[to];
      return Promise.resolve({
        lines: [words.join(" ")],
        danger: "writes" as const,
        undo: commands[to === "on" ? "off" : "on"].join(" "),
        run: () => (commands.root ? carryOutSteps([words], { environment }) : runOwn(words, tools)),
      });
    },
  };
}

async function runOwn(words: readonly string[], { environment }: MachineTools): Promise<void> {
  const [program = "", ...args] = words;
  const { code, stderr } = await runToExit(program, args, {
    environment,
    timeoutMs: CHANGE_LIMIT_MS,
  });
  if (code === 0) return;
  const said = stderr.trim().split("\n").at(-1);
  throw new OperatorError(
    "failed",
    `${words.join(" ")} ended with ${code}${said ? `: ${said}` : ""}`,
  );
}
