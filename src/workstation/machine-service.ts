import type { MachineServiceConfig } from "../config/workstation-schema.ts";
import { OperatorError } from "../system/errors.ts";

export type Wish = "on" | "off";

/** What was seen of a service of this machine just now. */
export interface Observation {
  state: Wish | "failed" | "starting" | "not installed" | "unknown";
  /** Present: it is configured so, and what runs was started before that. */
  pending?: Wish;
  /** Present: of several that it stands for, only some are as `state` says; `detail` tells them. */
  partly?: true;
  /** What else was seen, or why it is unknown; not yet printable. */
  detail?: string;
  /** Of the process that serves, where one is known. */
  pid?: number;
}

/** What would be done, and the doing. */
export interface MachineChange {
  /** Line by line, command lines as they are run. */
  lines: readonly string[];
  danger: "writes" | "destroys";
  /** What undoes it, in words; absent: nothing can. */
  undo?: string;
  run: () => Promise<void>;
}

/** One row of the panel. */
export interface MachineService {
  /** Asks, and changes nothing. It does not throw for what it sees. */
  observe(): Promise<Observation>;
  plan(to: Wish, seen: Observation): Promise<MachineChange>;
  /** Command lines, each for root, that have it read its configuration anew; absent: it has none. */
  restart?: readonly (readonly string[])[];
  /** Back to what it began with; absent: it has no such thing. */
  planReset?: (seen: Observation) => Promise<MachineChange>;
}

/** What every kind of service works with. */
export interface MachineTools {
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** Where lcops keeps what it must remember, and what it can make again. */
  stateFolder: string;
  cacheFolder: string;
  /** What is being done now, for somebody who watches. */
  update: (line: string) => void;
  /** Another row, by its name. */
  find: (name: string) => { service: MachineService; config: MachineServiceConfig } | undefined;
}

/** Given the name of the row whose server loads a module, return it. Throws `configuration` where there is no such row. */
export function lookUpServer(name: string, { find }: MachineTools): MachineService {
  const found = find(name);
  if (found?.service.restart) return found.service;
  throw new OperatorError(
    "configuration",
    found ? `${name} is no service that can be restarted` : `there is no service ${name}`,
    { next: "name the one that loads the module as its server in workstation.services" },
  );
}
