import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import { execa } from "execa";
import { startAwsEndpoint } from "../lab/aws-endpoint.ts";
import { measureSpread, type Ratio } from "./ratio.ts";
import { LCOPS } from "../support/program.ts";

const root = join(import.meta.dirname, "..", "..");
const ROUNDS = 41;

/** Each beside a bare `node -e 0` that is started in the same way. */
const CASES = [
  { what: "lcops --version", words: ["--version"], bar: 1.4 },
  { what: "lcops --help", words: ["--help"], bar: 1.7 },
  { what: "lcops hosts", words: ["hosts"], bar: 2.5 },
] as const;
const MENU_BAR = 2.5;

/** Measure how long lcops takes to start, on the example configuration, in a home of its own, with the inventory in its cache. */
export async function benchStartup(): Promise<Ratio[]> {
  const home = await mkdtemp(join(tmpdir(), "lcops-bench-"));
  // NODE_EXTRA_CA_CERTS would slow both sides by the same, and flatter the ratio.
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    TERM: "xterm-256color",
    LCOPS_CONFIG: join(root, "lcops.config.example.json"),
    AWS_CONFIG_FILE: join(home, "aws"),
  };
  try {
    await warmCache(environment);
    const bare: number[] = [];
    const bareInTerminal: number[] = [];
    const menu: number[] = [];
    const ours = CASES.map((): number[] => []);
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(timeToExit(["-e", "0"], environment));
      for (const [index, { words }] of CASES.entries()) {
        ours[index]?.push(timeToExit([LCOPS, ...words], environment));
      }
      bareInTerminal.push(await timeInTerminal(["-e", "0"], undefined, environment));
      menu.push(await timeInTerminal([LCOPS], ">>>", environment));
    }
    const compare = (
      what: string,
      bar: number,
      samples: readonly number[],
      peer: readonly number[],
    ): Ratio => {
      const [mine, other] = [measureSpread(samples), measureSpread(peer)];
      return {
        what,
        bar,
        value: mine.median / other.median,
        rounds: ROUNDS,
        ours: mine,
        peer: other,
      };
    };
    return [
      ...CASES.map(({ what, bar }, index) => compare(what, bar, ours[index] ?? [], bare)),
      compare("the drawn menu", MENU_BAR, menu, bareInTerminal),
    ];
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** The profiles and accounts of the example, on an endpoint that is gone once AWS has been asked. */
async function warmCache(environment: Record<string, string>): Promise<void> {
  const endpoint = await startAwsEndpoint();
  try {
    const profiles = [
      ["dev", "111111111111"],
      ["prod", "222222222222"],
    ] as const;
    const text = profiles.map(([name, account]) => {
      endpoint.setIdentity(`KEY-${name}`, { account });
      return `[profile ${name}]\nendpoint_url = ${endpoint.url}\naws_access_key_id = KEY-${name}\naws_secret_access_key = none\n`;
    });
    await writeFile(environment["AWS_CONFIG_FILE"] ?? "", text.join("\n"));
    await execa(process.execPath, [LCOPS, "hosts", "--refresh"], {
      env: environment,
      extendEnv: false,
    });
  } finally {
    await endpoint.close();
  }
}

function timeToExit(args: readonly string[], environment: Record<string, string>): number {
  const begin = performance.now();
  const { status } = spawnSync(process.execPath, args, {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const time = performance.now() - begin;
  if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${status}`);
  return time;
}

/** Until `sign` is on the screen; without one, until the program has ended. */
function timeInTerminal(
  args: string[],
  sign: string | undefined,
  environment: Record<string, string>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    const program = spawn(process.execPath, args, { cols: 100, rows: 40, env: environment });
    let screen = "";
    let time: number | undefined;
    program.onData((data) => {
      screen += data;
      if (time !== undefined || sign === undefined || !screen.includes(sign)) return;
      time = performance.now() - begin;
      // Ctrl-D leaves the menu.
      program.write("\u0004");
    });
    program.onExit(() => {
      if (sign !== undefined && time === undefined)
        reject(new Error(`no ${sign} was drawn: ${screen}`));
      else resolve(time ?? performance.now() - begin);
    });
  });
}
