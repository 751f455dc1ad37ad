import { setMaxListeners } from "node:events";
import { join } from "node:path";
import { listSecretVariables } from "../config/list-secret-variables.ts";
import { loadConfig } from "../config/load-config.ts";
import type { ScopeWishes } from "../inventory/plan-scopes.ts";
import type { Context } from "../commands/command.ts";
import type { Folders } from "../config/folders.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import type { GuardFlags } from "../system/gate.ts";
import { once } from "../system/once.ts";
import { printable } from "../system/printable.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { openEstate } from "./open-estate.ts";
import { outputGone } from "./watch-output.ts";
import type { Signals } from "./with-signals.ts";

export interface ContextParts {
  terminal: Terminal;
  environment: NodeJS.ProcessEnv;
  folders: Folders;
  configPath: string;
  /** `--env`. */
  environmentFlag: string | undefined;
  wishes: ScopeWishes;
  guard: GuardFlags;
  /** The command line, for the journal. */
  words: readonly string[];
  signals: Signals;
  version: string;
  commands: Context["commands"];
  runLcops: Context["runLcops"];
  self: Context["self"];
}

/** Given its parts, return the context of one command line. What costs time is done when it is first asked for, and once. */
export function makeContext(parts: ContextParts): Context {
  const { terminal, environment, signals } = parts;
  // Each connection listens to it.
  setMaxListeners(0, signals.signal);
  const config = once(async () => {
    const loaded = loadConfig(parts.configPath);
    const wanted = parts.environmentFlag;
    if (wanted !== undefined && !Object.hasOwn(loaded.environments ?? {}, wanted)) {
      throw new OperatorError("usage", `there is no environment ${wanted}`, {
        next: `name one of ${Object.keys(loaded.environments ?? {}).join(", ")}`,
      });
    }
    for (const name of listSecretVariables(loaded)) {
      // Children get lcops' own variables: those that carry a secret are kept for lcops alone.
      delete process.env[name];
    }
    return loaded;
  });
  const estate = openEstate({ ...parts, environment, terminal, config, signal: signals.signal });
  const prompts = once(async () => {
    const { makePrompts } = await import("../terminal/prompts.ts");
    return makePrompts(terminal, signals.signal);
  });
  return {
    terminal,
    environment,
    folders: parts.folders,
    configPath: parts.configPath,
    version: parts.version,
    commands: parts.commands,
    signal: signals.signal,
    outputGone,
    leaveSigintTo: signals.leaveSigintTo,
    finishFirst: signals.finishFirst,
    get hasTerminal() {
      return signals.hasTerminal;
    },
    childEnvironment: async () => {
      await config();
      return { ...process.env };
    },
    runLcops: parts.runLcops,
    self: parts.self,
    config,
    prompts,
    gate: async (plan) => {
      const { makeGate } = await import("./make-gate.ts");
      return makeGate(parts.guard, terminal, prompts)(plan);
    },
    journal: async (change) => {
      const { journalChange } = await import("../system/journal.ts");
      // Loaded only here: beside what every command loads, the help would load all of that for it.
      const { quoteWords } = await import("../commands/quote-words.ts");
      const record = await journalChange(parts.folders.state, {
        command: `lcops ${quoteWords(parts.words)}`,
        ...change,
      });
      return {
        id: record.id,
        // The change itself has been made, or not: that is what the command tells.
        end: (outcome) =>
          record
            .end(outcome)
            .catch((error: unknown) => terminal.warn(`lcops: ${printable(describeError(error))}`)),
      };
    },
    environmentFlag: parts.environmentFlag,
    scopeWishes: parts.wishes,
    hosts: estate.hosts,
    inventory: estate.inventory,
    findHost: estate.findHost,
    reach: async () => {
      const configFile = (await config()).ssh?.configFile;
      return {
        // Jump hosts may stand in another environment.
        hosts: await estate.allHosts(),
        lookUp: estate.lookUp,
        stateFolder: parts.folders.state,
        hostKeys: {
          knownHostsFile: join(parts.folders.state, "known_hosts"),
          prove: estate.proveHostKey,
        },
        reached: estate.reached,
        configPath: parts.configPath,
        environment,
        signal: signals.signal,
        note: (line) => terminal.note(printable(line)),
        trace: terminal.trace,
        ...(configFile !== undefined && { configFile }),
        ...(terminal.canPrompt && { ask: askAboutHosts(prompts, terminal) }),
      };
    },
  };
}

function askAboutHosts(
  prompts: Context["prompts"],
  terminal: Terminal,
): NonNullable<Awaited<ReturnType<Context["reach"]>>["ask"]> {
  const passphrases = new Map<string, Promise<string>>();
  return {
    trustHostKey: async ({ host, address, instanceId, keyType, fingerprint, gaps }) => {
      const { confirm } = await prompts();
      const where = instanceId === undefined ? address : `${address}, ${instanceId}`;
      for (const gap of gaps) terminal.warn(gap);
      return confirm(
        `${host} (${where}) is not known. Its ${keyType} key is ${fingerprint}. Trust it?`,
      );
    },
    giveTerminal: async () => {
      const { clearProgress } = await import("../terminal/progress.ts");
      clearProgress();
    },
    passphrase: (file) => {
      // Once a run, however many connections use the key.
      const asked =
        passphrases.get(file) ??
        prompts().then(({ password }) => password(`Passphrase of ${file}:`));
      passphrases.set(file, asked);
      return asked;
    },
  };
}
