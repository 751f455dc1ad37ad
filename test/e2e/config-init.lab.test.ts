import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseConfig, type Config } from "../support/known-config.ts";
import { makeGround, type Ground } from "../support/ground.ts";
import { isLeftRaw, openPty, type Pty } from "../support/pty.ts";
import { runLcops, type LcopsResult } from "../support/run-lcops.ts";

let ground: Ground;
let file: string;
let environment: Record<string, string>;
beforeEach(async () => {
  ground = await makeGround();
  file = `${ground.folder}/made/lcops.config.json`;
  const aws =
    "[default]\nregion = x\n\n[profile dev]\n[ profile live ]\n[sso-session corp]\n[services s]\n";
  const { LCOPS_CONFIG: _lab, ...others } = ground.environment;
  environment = {
    ...others,
    AWS_CONFIG_FILE: ground.writeFile("aws/config", aws),
    AWS_SHARED_CREDENTIALS_FILE: ground.writeFile("aws/credentials", "[prod]\n[dev]\n"),
  };
});
afterEach(() => ground.remove());

const init = (...args: string[]): Promise<LcopsResult> =>
  runLcops(["config", "init", ...args], { environment });

function readConfig(text: string): Config {
  return parseConfig(JSON.parse(text));
}

test("--yes writes what it proposes, for its owner alone, and check finds it well", async () => {
  const result = await init("--yes", "-v", "--config", file);
  expect(result).toMatchObject({ code: 0, stdout: "" });
  expect(result.stderr).toMatch(/^found 4 AWS profiles and \d+ hosts/);
  expect(readConfig(readFileSync(file, "utf8"))).toMatchObject({
    defaultEnvironment: "dev",
    environments: {
      dev: { production: false, aws: { profile: "dev" } },
      prod: { production: true, aws: { profile: "prod" } },
    },
  });
  expect(statSync(file).mode & 0o077).toBe(0);
  expect(readdirSync(`${ground.folder}/made`)).toEqual(["lcops.config.json", "lcops.schema.json"]);
  // Editors complete it by the schema beside it.
  expect(readConfig(readFileSync(file, "utf8")).$schema).toBe("./lcops.schema.json");
  const schema = await runLcops(["config", "schema"], { environment });
  const written = readFileSync(`${ground.folder}/made/lcops.schema.json`, "utf8");
  expect(JSON.parse(written)).toEqual(JSON.parse(schema.stdout));
  const check = await runLcops(["config", "check", "--config", file], { environment });
  expect(check).toMatchObject({ code: 0 });
});

test("without --config it writes into the user's configuration folder", async () => {
  expect(await init("--yes")).toMatchObject({ code: 0 });
  const place = `${environment["XDG_CONFIG_HOME"]}/lcops/lcops.config.json`;
  expect(existsSync(place)).toBe(true);
  const check = await runLcops(["config", "check", "-v"], { environment });
  expect(check.stderr).toContain(`${place}: well formed, 2 environments`);
});

test("--dry-run prints the same and writes nothing", async () => {
  const planned = await init("--dry-run", "--yes", "--config", file);
  expect(planned.code).toBe(0);
  expect(existsSync(`${ground.folder}/made`)).toBe(false);
  await init("--yes", "--config", file);
  expect(planned.stdout).toBe(readFileSync(file, "utf8"));
});

test("an existing file is refused and left as it is", async () => {
  const before = "{ not even json";
  ground.writeFile("made/lcops.config.json", before);
  const result = await init("--yes", "--config", file);
  expect(result).toMatchObject({ code: 5, stdout: "" });
  expect(result.stderr).toMatch(/^lcops: .*lcops\.config\.json exists already; .+\n$/);
  expect(readFileSync(file, "utf8")).toBe(before);
});

test("without a terminal it names --yes and writes nothing", async () => {
  const result = await init("--config", file);
  expect(result).toMatchObject({ code: 5, stdout: "" });
  expect(result.stderr).toMatch(/; add --yes/);
  expect(existsSync(file)).toBe(false);
});

function openInit(): Pty {
  return openPty(["config", "init", "--config", file], { environment, showsMode: true });
}

/** The user's own ssh settings may name hosts; then one more question is asked. */
async function finish(pty: Pty): Promise<void> {
  const text = await pty.waitFor(/Put the \d+ hosts|is written;/);
  if (text.includes("Put the")) pty.press("enter");
  expect((await pty.exit).code).toBe(0);
  expect(isLeftRaw(pty.text())).toBe(false);
}

test("on a terminal it asks, and proposes the AWS profiles", async () => {
  const pty = openInit();
  await pty.waitFor(/Environments, separated by commas:.*dev,prod/);
  pty.type("qa,live\r");
  await pty.waitFor(/Is qa production\?[^]*❯ yes, guard it/);
  pty.press("down");
  await pty.waitFor("❯ no");
  pty.press("enter");
  // None has its name: no other is taken by a careless Enter.
  const proposed = await pty.waitFor(/AWS profile of qa:[^]*❯ none/);
  for (const name of ["default", "dev", "live", "prod"])
    expect(proposed).toMatch(new RegExp(`^ *${name}$`, "m"));
  pty.press("enter");
  await pty.waitFor(/Is live production\?[^]*❯ yes, guard it/);
  pty.press("enter");
  await pty.waitFor(/AWS profile of live:[^]*❯ live/);
  pty.press("enter");
  // Its profile names no region: none is proposed, and Enter alone leaves it so.
  await pty.waitFor(/AWS regions of live, separated by commas:\s*$/);
  pty.press("enter");
  await finish(pty);
  expect(readConfig(readFileSync(file, "utf8"))).toMatchObject({
    defaultEnvironment: "qa",
    environments: {
      qa: { production: false },
      live: { production: true, aws: { profile: "live" } },
    },
    hosts: {},
  });
});

test("Ctrl-C at a question ends with 130, writes nothing and leaves the terminal as it was", async () => {
  const pty = openInit();
  await pty.waitFor("Environments");
  pty.press("ctrl-c");
  expect((await pty.exit).code).toBe(130);
  expect(isLeftRaw(pty.text())).toBe(false);
  expect(existsSync(file)).toBe(false);
});

test("a name that is none is refused, and nothing is written", async () => {
  const pty = openInit();
  await pty.waitFor("Environments");
  pty.type("a b\r");
  expect((await pty.exit).code).toBe(2);
  expect(pty.text()).toContain('"a b" is no name for an environment');
  expect(existsSync(file)).toBe(false);
});
