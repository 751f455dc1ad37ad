import type { Terminal } from "../../terminal/terminal.ts";

/** A script that watches wants no more often to be told. */
const EVERY_MS = 5_000;

/** What a long run tells a script, an event a line, with `--json`; nothing without. */
export interface RunEvents {
  begin(facts: object): void;
  /** At most every five seconds, however often it is called. */
  progress(facts: object): void;
  end(facts: object): void;
}

/** Given a terminal, and a clock in milliseconds, return the events of the run that begins now. */
export function tellEvents(
  terminal: Pick<Terminal, "flags" | "printEvent">,
  now: () => number = () => performance.now(),
): RunEvents {
  const tell = (event: string, facts: object): void => {
    if (terminal.flags.json) terminal.printEvent({ event, ...facts });
  };
  let toldAt = now();
  return {
    begin: (facts) => tell("begin", facts),
    progress: (facts) => {
      if (now() - toldAt < EVERY_MS) return;
      toldAt = now();
      tell("progress", facts);
    },
    end: (facts) => tell("end", facts),
  };
}
