/** The context of the machine commands, on a fake terminal and in a temporary folder. */
import path from "node:path";
import type { Config } from "../../src/config/schema.ts";
import type { ChangePlan } from "../../src/system/gate.ts";
import { makeFakeTerminal, type Setting } from "../terminal/fake-streams.ts";
import type { ScriptedPrograms } from "./scripted-programs.ts";

/** Returns a context, what was asked before a change, what was written down, and what was run of lcops. */
export function makeMachineContext(
  programs: Pick<ScriptedPrograms, "folder" | "environment">,
  config: Config,
  setting: Setting = { stdout: false, stderr: false },
) {
  const { terminal, out, err } = makeFakeTerminal(setting);
  const [asked, written, ran]: [ChangePlan[], object[], string[][]] = [[], [], []];
  const state = path.join(programs.folder, "state");
  const context = {
    terminal,
    config: () => Promise.resolve(config),
    childEnvironment: () => Promise.resolve<NodeJS.ProcessEnv>(programs.environment),
    signal: new AbortController().signal,
    folders: { config: state, state, cache: state, runtime: state },
    gate: (plan: ChangePlan) => Promise.resolve(asked.push(plan) > 0),
    journal: (change: object) => {
      written.push(change);
      return Promise.resolve({
        id: "1",
        end: (outcome: object) => Promise.resolve(void written.push(outcome)),
      });
    },
    finishFirst: <T>(work: () => Promise<T>): Promise<T> => work(),
    runLcops: (words: readonly string[]) => Promise.resolve(ran.push([...words]) && 0),
  };
  return { context, out, err, asked, written, ran };
}
