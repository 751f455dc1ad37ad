/** `npm run demo`: the lab, then the menu on a terminal, or a tour of the real program where there is none. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Lab } from "../lab/lab.ts";
import { summarizeParts } from "../lab/parts.ts";
import { startLab } from "../lab/start-lab.ts";
import { runTour } from "./tour.ts";
import { LCOPS } from "../support/program.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const ending = new AbortController();
// In the menu Ctrl-C is for lcops, which has the terminal.
let isMenuOpen = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (!isMenuOpen || signal !== "SIGINT") ending.abort(new Error("stopped"));
  });
}

async function openMenu(lab: Lab): Promise<number> {
  say("Type a key and Enter; Ctrl-D leaves, and stops the lab.\n");
  isMenuOpen = true;
  const menu = spawn(process.execPath, [LCOPS], {
    stdio: "inherit",
    env: { ...lab.environment, TERM: process.env["TERM"] ?? "xterm-256color" },
  });
  ending.signal.addEventListener("abort", () => menu.kill("SIGTERM"), { once: true });
  const [code] = (await once(menu, "exit")) as [number | null];
  return code ?? 1;
}

async function demo(): Promise<number> {
  say("Starting the estate: real servers on this machine's loopback addresses.");
  const begin = performance.now();
  const lab = await startLab({ ports: "familiar", log: say, signal: ending.signal });
  try {
    say(`\nThe lab runs after ${((performance.now() - begin) / 1000).toFixed(1)} s:\n`);
    for (const line of summarizeParts(lab.parts)) say(`  ${line}`);
    say("");
    const hasTerminal = process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY;
    if (hasTerminal) return await openMenu(lab);
    return await runTour({ lab, lcops: LCOPS, say, signal: ending.signal });
  } finally {
    await lab.stop();
  }
}

demo().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = ending.signal.aborted ? 130 : 1;
  },
);
