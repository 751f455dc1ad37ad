import { afterAll, beforeAll, expect, test } from "vitest";
import type { Finding } from "../../src/system/finding.ts";
import { makeGround, type Ground } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { openPty } from "../support/pty.ts";
import { runLcops, type LcopsResult } from "../support/run-lcops.ts";
import { PART_NAMES } from "../lab/lab.ts";

let ground: Ground;
beforeAll(async () => {
  ground = await makeGround(...PART_NAMES);
});
afterAll(() => ground.remove());

const lcops = (...args: string[]): Promise<LcopsResult> =>
  runLcops(args, { environment: ground.environment });

async function loseHost(): Promise<string> {
  const port = await ground.pickPort();
  return ground.deriveConfig((config) => {
    Object.assign(config.hosts?.["TextLogs"] ?? {}, { address: { eip: "127.0.0.1" }, port });
  });
}

testWith(
  "hosts",
  "mysql",
  "graphite",
  "bastion",
)("doctor finds the whole lab well", async () => {
  const { code, stdout } = await lcops("doctor", "--json");
  const findings = JSON.parse(stdout) as Finding[];
  expect(findings.filter((finding) => finding.state === "fail")).toEqual([]);
  expect(code).toBe(0);
  const named = (area: string): string[] =>
    findings.filter((finding) => finding.area === area).map(({ name }) => name);
  expect(named("host")).toEqual(Object.keys(ground.config.hosts ?? {}));
  // Buckets have no port: what AWS says of their account stands for them.
  const reached = Object.entries(ground.config.services ?? {}).filter(
    ([, { kind }]) => kind !== "s3",
  );
  expect(named("service").toSorted()).toEqual(reached.map(([name]) => name).toSorted());
  expect(named("configuration")).toEqual([ground.configPath]);
});

testWith("hosts", "kibana")("doctor tells what is down and how to mend it", async () => {
  const { code, stdout, stderr } = await lcops("doctor", "--config", await loseHost());
  expect(code).toBe(4);
  const failed = stdout.split("\n").filter((line) => line.startsWith("fail\t"));
  expect(failed).toEqual([
    expect.stringMatching(/^fail\thost\tTextLogs\t.*refused/),
    expect.stringMatching(/^fail\tservice\tkibana\tnot reached, as TextLogs is not$/),
    expect.stringMatching(/^fail\tservice\telasticsearch\tnot reached, as TextLogs is not$/),
  ]);
  expect(stdout).toMatch(/^ok\thost\tGraphStats\t/m);
  expect(stderr).toMatch(/^TextLogs: \S.+$/m);
});

testWith("hosts")("doctor -q shows only what is not well", async () => {
  const { code, stdout } = await lcops("doctor", "-q", "--config", await loseHost());
  expect(code).toBe(4);
  expect(stdout).not.toMatch(/^ok/m);
  expect(stdout).toMatch(/^fail\thost\tTextLogs/m);
});

test("doctor tells of a broken configuration and looks at the machine all the same", async () => {
  const config = ground.writeFile("broken.json", '{"hosts": {"-x": {}}}');
  const { code, stdout } = await lcops("doctor", "--config", config);
  expect(code).toBe(4);
  expect(stdout).toMatch(/^ok\tprogram\tnode\t/m);
  expect(stdout).toMatch(/^fail\tconfiguration\t.*broken\.json\t.*hosts\.-x.*a name is letters/m);
});

testWith("hosts")("doctor in a terminal takes its progress away and never asks", async () => {
  const { configFile } = ground.writeSshConfig([]);
  const config = ground.deriveConfig((changed) => {
    changed.ssh = { configFile };
    for (const name of Object.keys(changed.hosts ?? {}))
      if (name !== "GraphStats") delete changed.hosts?.[name];
    delete changed.backups;
    changed.services = {};
    changed.menu = [];
  });
  const pty = openPty(["doctor", "--config", config], {
    environment: ground.environment,
    columns: 160,
  });
  expect((await pty.exit).code).toBe(4);
  expect(pty.text()).toMatch(/^fail +host +GraphStats +.*not known/m);
  expect(pty.text()).not.toMatch(/Trust it|reached or given up|looking at/);
});

test("history is empty as yet", async () => {
  expect(await lcops("history")).toMatchObject({ code: 0, stdout: "" });
  expect(await lcops("history", "--json")).toMatchObject({ code: 0, stdout: "[]\n" });
});
