import { Chalk, type ChalkInstance } from "chalk";
import { printable } from "../system/printable.ts";

export interface TerminalFlags {
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  /** False for `--no-input`. */
  input: boolean;
  /** False for `--no-color`. */
  color: boolean;
}

/** The one object through which lcops reads from and writes to people and scripts. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly flags: TerminalFlags;
  /** Whether a person is there to be asked. */
  readonly canPrompt: boolean;
  /** Whether stderr is a screen on which a line may be drawn again. */
  readonly canAnimate: boolean;
  /** Whether stdout is a screen: tables then have a head, colours, and the width of the screen. */
  readonly isScreen: boolean;
  /** Whether stdout is a screen that may be filled, and keys come as they are pressed. */
  readonly canFillScreen: boolean;
  readonly columns: number;
  readonly rows: number;
  /** Colours for stdout, and for stderr; they leave the text alone where colour is not wanted. */
  readonly out: ChalkInstance;
  readonly err: ChalkInstance;
  /** The result, a line of its own; on stdout. */
  print(line: string): void;
  /** The result as the one JSON document of `--json`. */
  printJson(value: unknown): void;
  /** One event of a long run with `--json`, on a line of its own. */
  printEvent(value: unknown, stream?: "stdout" | "stderr"): void;
  /** What is said about the result: on stderr, for somebody who watches: not with `--quiet`, and without a terminal only with `-v`. */
  note(line: string): void;
  /** What the operator must know even with `--quiet`. */
  warn(line: string): void;
  /** Steps, for `-v` only. */
  trace(line: string): void;
}

export interface Streams {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

/** Given the streams, the environment variables and the flags, return the terminal; everything about it is decided once, here. */
export function makeTerminal(
  streams: Streams,
  environment: NodeJS.ProcessEnv,
  flags: TerminalFlags,
): Terminal {
  // `process.stdin` is opened by being looked at: only who reads it does.
  const { stdout, stderr } = streams;
  const writeLine = (stream: NodeJS.WriteStream, line: string): void =>
    void stream.write(`${line}\n`);
  return {
    get stdin() {
      return streams.stdin;
    },
    stdout,
    stderr,
    flags,
    get canPrompt() {
      return streams.stdin.isTTY && stderr.isTTY && flags.input && !environment["CI"];
    },
    canAnimate: stderr.isTTY && !flags.quiet && !flags.json && environment["TERM"] !== "dumb",
    isScreen: stdout.isTTY && !flags.json,
    get canFillScreen() {
      const isFillable = stdout.isTTY && !flags.json && environment["TERM"] !== "dumb";
      return isFillable && flags.input && streams.stdin.isTTY;
    },
    get columns() {
      return stdout.columns || stderr.columns || 80;
    },
    get rows() {
      return stdout.rows || stderr.rows || 24;
    },
    out: new Chalk({ level: decideColour(stdout, environment, flags) }),
    err: new Chalk({ level: decideColour(stderr, environment, flags) }),
    print: (line) => writeLine(stdout, line),
    printJson: (value) => writeLine(stdout, escapeInJson(JSON.stringify(value, null, 2))),
    printEvent: (value, stream = "stdout") =>
      writeLine(streams[stream], escapeInJson(JSON.stringify(value))),
    note: (line) => {
      if (!flags.quiet && (stderr.isTTY || flags.verbose)) writeLine(stderr, line);
    },
    warn: (line) => writeLine(stderr, line),
    trace: (line) => {
      if (flags.verbose) writeLine(stderr, printable(line));
    },
  };
}

/** Given JSON, return it with what steers terminals escaped too: JSON itself escapes C0 controls only. It says the same. */
export function escapeInJson(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Not chalk's own answer, which passes over NO_COLOR on a terminal. NO_COLOR: no-color.org. */
function decideColour(
  stream: NodeJS.WriteStream,
  environment: NodeJS.ProcessEnv,
  flags: TerminalFlags,
): 0 | 1 {
  if (!flags.color || flags.json) return 0;
  if (environment["NO_COLOR"]) return 0;
  if (environment["FORCE_COLOR"] !== undefined) return environment["FORCE_COLOR"] === "0" ? 0 : 1;
  return stream.isTTY && environment["TERM"] !== "dumb" ? 1 : 0;
}
