import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commands } from "../../src/commands/index.ts";
import { makeGround, type Ground } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { openProgram, type Pty } from "../support/pty.ts";
import { LCOPS } from "../support/program.ts";
import { runLcops } from "../support/run-lcops.ts";
import { PART_NAMES } from "../lab/lab.ts";

let ground: Ground;
let environment: Record<string, string>;
const open: Pty[] = [];
beforeAll(async () => {
  ground = await makeGround(...PART_NAMES);
  ground.writeFile("bin/lcops", `#!/bin/sh\nexec '${process.execPath}' '${LCOPS}' "$@"\n`, 0o755);
  environment = {
    ...ground.environment,
    PATH: `${ground.folder}/bin:${ground.environment["PATH"]}`,
  };
});
afterAll(() => {
  for (const pty of open) pty.kill();
  ground.remove();
});

async function generate(shell: string): Promise<string> {
  const { code, stdout, stderr } = await runLcops(["completion", shell], { environment });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return ground.writeFile(`completion.${shell}`, stdout);
}

/** A bash that has read the script, as an operator's has. */
async function openBash(): Promise<Pty> {
  const file = await generate("bash");
  const rc = ground.writeFile("bashrc", `PS1='bash> '\nsource '${file}'\n`);
  const pty = openProgram(["bash", "--noprofile", "--rcfile", rc, "-i"], { environment });
  open.push(pty);
  await pty.waitFor(/bash>$/);
  return pty;
}

test.each(["bash", "zsh", "fish"])(
  "the script of %s is right by that shell's own parser",
  async (shell) => {
    const file = await generate(shell);
    const isInstalled = spawnSync(shell, ["-c", "true"]).status === 0;
    if (shell === "bash") expect(isInstalled).toBe(true);
    if (isInstalled) execFileSync(shell, ["-n", file], { timeout: 5_000 });
    const words = new Set(commands.map(({ name }) => name.split(" ")[0] ?? ""));
    const script = execFileSync("cat", [file], { encoding: "utf8" });
    for (const word of words) expect(script).toContain(word);
  },
);

testWith("hosts").each([
  ["lcops tunn", "lcops tunnel"],
  ["lcops ssh Gra", "lcops ssh GraphStats"],
  ["lcops hosts dev-a", "lcops hosts dev-api3-2"],
])("bash completes %j to %j", async (typed, completed) => {
  const pty = await openBash();
  pty.type(`${typed}\t`);
  await pty.waitFor((text) => text.trimEnd().endsWith(`bash> ${completed}`));
});

test("nothing that is typed is run by the completion", async () => {
  const pty = await openBash();
  const trap = `${ground.folder}/touched`;
  for (const line of [
    `lcops ssh $(touch ${trap})`,
    `lcops \`touch ${trap}\` x`,
    `lcops ssh '$(touch ${trap})`,
  ]) {
    pty.mark();
    // The bell, or the list, and then a line that bash runs: the completion is over.
    pty.type(`${line}\t\t\u0015echo over\r`);
    await pty.waitFor(/^over$/m);
    expect(existsSync(trap)).toBe(false);
  }
  // The trap works where it is run.
  pty.type(`true $(touch ${trap}); echo sprung\r`);
  await pty.waitFor(/^sprung$/m);
  expect(existsSync(trap)).toBe(true);
});
