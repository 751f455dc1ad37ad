import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPortPicker } from "../lab/free-port.ts";
import { findJmeter } from "../lab/jmeter-cache.ts";
import { until } from "../support/until.ts";
import { makePlan, type PlanOptions } from "../support/load-plan.ts";
import { openPty } from "../support/pty.ts";
import { runLcops, startLcops, type LcopsResult, type RunningLcops } from "../support/run-lcops.ts";

const jmeter = findJmeter(process.env);
const withJmeter = test.skipIf(jmeter === undefined);
const debians = "/usr/share/jmeter/bin/jmeter";
/** Most of these tests wait, so they run side by side. */
const LIMIT = { timeout: 120_000, concurrent: true };

let folder: string;
let environment: Record<string, string>;
let server: Server;
let port: number;
const asked: string[] = [];
const askedOf = (path: string): string[] => asked.filter((url) => url.startsWith(path));

/** Has three digits, so that no name is the beginning of another. */
let count = 100;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), "lcops launch ")));
  environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    XDG_STATE_HOME: path.join(folder, "state"),
    LAUNCH_TEST_SECRET: "s3cret/of=the plan",
    // The start of the JVM is most of what these runs cost.
    JDK_JAVA_OPTIONS: "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto",
  };
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.statusCode = request.url?.startsWith("/broken") ? 503 : 200;
    // A test without an end leaves the others room to work.
    if (request.url?.startsWith("/endless")) setTimeout(() => response.end("x"), 25);
    else response.end("x");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  // What a test that failed has left.
  for (const pid of findProcesses(folder, "environ")) process.kill(pid, "SIGKILL");
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

function configure(launches: object, rest: object = {}): string {
  const file = path.join(folder, `config-${++count}.json`);
  writeFileSync(file, JSON.stringify({ workstation: { launches, ...rest } }), { mode: 0o600 });
  return file;
}

function writePlan(paths: readonly string[], options?: PlanOptions): string {
  const file = path.join(folder, `a plan ${++count}.jmx`);
  writeFileSync(file, makePlan(paths, options));
  return file;
}

/** A launch of its own name, so that no test meets the runs of another. */
function configureTest(plan: string, more: object = {}): { name: string; config: string } {
  const name = `test-${++count}`;
  const launch = { kind: "jmeter", plan, program: jmeter, properties: { port }, ...more };
  return { name, config: configure({ [name]: launch }) };
}

const runsOf = (name: string): string => path.join(folder, "state/lcops/machine/launches", name);
const launch = (name: string, config: string, ...more: string[]): Promise<LcopsResult> =>
  runLcops(["machine", "launch", name, "--config", config, ...more], {
    environment,
    timeoutMs: 60_000,
  });
const start = (name: string, config: string, ...more: string[]): RunningLcops =>
  startLcops(["machine", "launch", name, "--config", config, ...more], {
    environment,
    timeoutMs: 60_000,
  });

/** The processes that have some text among their words, or their variables. */
function findProcesses(text: string, where: "cmdline" | "environ" = "cmdline"): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/${where}`, "utf8")
          .split("\0")
          .some((word) => word.includes(text));
      } catch {
        return false;
      }
    })
    .map(Number);
}

interface Measured {
  verdict: string;
  why: string[];
  jmeter: string;
  samples: number;
  failed: number;
  report: string | null;
  results: string;
  folder: string;
  labels: {
    label: string;
    samples: number;
    failed: number;
    p50Ms: number;
    p99Ms: number;
    maxMs: number;
  }[];
  reasons: { why: string; count: number }[];
}
const measured = (result: LcopsResult): Measured => JSON.parse(result.stdout) as Measured;

describe("a load test", LIMIT, () => {
  withJmeter("that does not end is ended when its time is over", async () => {
    const { name, config } = configureTest(writePlan(["/endless"], { loops: -1 }), {
      minutes: 0.2,
    });
    const seen = measured(
      await launch(name, config, "--json").then(({ code, ...rest }) => {
        expect(code).toBe(1);
        return { code, ...rest, stdout: rest.stdout.split("\n{").slice(0, 1).join("") };
      }),
    );
    expect(seen).toMatchObject({ verdict: "broken", why: ["it was not done within 0.2 minutes"] });
    expect(seen.samples).toBeGreaterThan(0);
    expect(findProcesses(runsOf(name))).toEqual([]);
  });

  withJmeter("is measured from its result file, and JMeter makes its report", async () => {
    const paths = ["/first", "/second"];
    const { name, config } = configureTest(writePlan(paths, { users: 3, loops: 7 }));
    const result = await launch(name, config, "--json");
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const seen = measured(result);
    expect(askedOf("/first")).toHaveLength(21);
    expect(seen).toMatchObject({
      verdict: "passed",
      why: [],
      jmeter: "5.5",
      samples: 42,
      failed: 0,
    });
    expect(seen.labels.map(({ label, samples }) => [label, samples])).toEqual([
      ["GET /first", 21],
      ["GET /second", 21],
    ]);
    for (const { p50Ms, p99Ms, maxMs } of seen.labels) {
      expect(p50Ms).toBeLessThanOrEqual(p99Ms);
      expect(p99Ms).toBeLessThanOrEqual(maxMs);
    }
    // Each sample stands in the file that is kept, below its head; JMeter counts the same.
    expect(readFileSync(seen.results, "utf8").trim().split("\n")).toHaveLength(43);
    expect(existsSync(seen.report ?? "")).toBe(true);
    const statistics = path.join(path.dirname(seen.report ?? ""), "statistics.json");
    expect(JSON.parse(readFileSync(statistics, "utf8"))).toMatchObject({
      Total: { sampleCount: 42 },
    });
    expect(statSync(seen.folder).mode & 0o777).toBe(0o700);
  });

  withJmeter("with failed samples ends with 4, and says why", async () => {
    const { name, config } = configureTest(writePlan(["/", "/broken"]));
    const result = await launch(name, config);
    expect(result.code).toBe(4);
    expect(result.stdout).toMatch(/^test-\d+: failed, 20 samples in .*, 10 failed\n/);
    expect(result.stdout).toContain("\n10 × 503 Service Unavailable\n");
    expect(result.stderr).toMatch(/^lcops: test-\d+: 10 of 20 samples have failed$/m);
  });

  withJmeter("of which nothing comes is no success, whatever JMeter ends with", async () => {
    const none = configureTest(writePlan(["/"], { loops: 0 }));
    const empty = await launch(none.name, none.config, "--json");
    expect(empty.code).toBe(1);
    const unreadable = path.join(folder, "unreadable.jmx");
    writeFileSync(unreadable, "<jmeterTestPlan");
    const bad = configureTest(unreadable);
    const result = await launch(bad.name, bad.config);
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toMatch(/JMeter 5\.5 has sampled nothing: Error in NonGUIDriver/);
    expect(result.stderr).toContain("jmeter.log");
    const missing = configureTest(path.join(folder, "none.jmx"));
    expect(await launch(missing.name, missing.config)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /the plan .*none\.jmx cannot be read; say in .*\.plan where it is/,
      ),
    });
    expect(existsSync(runsOf(missing.name))).toBe(false);
  });

  test.skipIf(!existsSync(debians))(
    "of Debian's JMeter, which cannot read it and ends with 0, is no success",
    async () => {
      const { name, config } = configureTest(writePlan(["/debian"]), { program: debians });
      const result = await launch(name, config);
      expect(result).toMatchObject({ code: 1, stdout: "" });
      expect(result.stderr).toMatch(
        /JMeter 2\.13[.\d]* has sampled nothing: Error in NonGUIDriver/,
      );
      expect(askedOf("/debian")).toEqual([]);
    },
  );

  test("without JMeter says so", async () => {
    const name = "nowhere";
    const config = configure({
      [name]: { kind: "jmeter", plan: writePlan(["/"]), program: "no-such-jmeter" },
    });
    const result = await launch(name, config);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(
      /JMeter is not installed: there is no program no-such-jmeter; install/,
    );
    const doctor = await runLcops(["doctor", "--config", config, "--json"], { environment });
    expect(doctor.stdout).toContain("there is no program no-such-jmeter");
  });

  withJmeter(
    "reads its properties, a secret too, which nobody sees and nothing keeps",
    async () => {
      const plan = path.join(folder, "secret.jmx");
      writeFileSync(
        plan,
        makePlan(["/endless/secret?key=${__urlencode(${__P(key)})}&amp;word=${__P(word)}"], {
          users: 1,
          loops: -1,
        }),
      );
      const properties = { port, key: "${env:LAUNCH_TEST_SECRET}", word: "späß" };
      const { name, config } = configureTest(plan, { properties });
      const running = start(name, config, "--json");
      await until("it is asked", () => askedOf("/endless/secret").length > 0, 60_000);
      const [jvm = 0] = findProcesses(runsOf(name));
      expect(readFileSync(`/proc/${jvm}/cmdline`, "utf8")).not.toContain("s3cret");
      expect(readFileSync(`/proc/${jvm}/environ`, "utf8")).not.toContain("s3cret");
      running.send("SIGINT");
      expect(await running.ended).toMatchObject({ code: 130 });
      const [first = ""] = askedOf("/endless/secret");
      expect(first).toContain("key=s3cret%2Fof%3Dthe+plan");
      expect(decodeURIComponent(first)).toContain("word=späß");
      const [run = ""] = readdirSync(runsOf(name));
      expect(readdirSync(path.join(runsOf(name), run))).not.toContain("plan.properties");
    },
  );

  withJmeter("that is stopped tells what there was, and leaves no JMeter", async () => {
    const { name, config } = configureTest(writePlan(["/endless"], { loops: -1 }));
    const pty = openPty(["machine", "launch", name, "--config", config], {
      environment,
      columns: 100,
    });
    await pty.waitFor(/\d+ samples, 0 failed, \d+\.\d\/s, mean \d+ ms, \d+ s/, 60_000);
    const [jvm = 0] = findProcesses(runsOf(name));
    expect(jvm).toBeGreaterThan(0);
    pty.press("ctrl-c");
    expect((await pty.exit).code).toBe(130);
    expect(pty.text()).toMatch(/: broken, \d+ samples in /);
    expect(pty.text()).toMatch(/^per second [▁-█]+ ≤ \d+/m);
    expect(findProcesses(runsOf(name))).toEqual([]);
  });

  withJmeter("that is stopped while its report is made was measured whole", async () => {
    const { name, config } = configureTest(writePlan(["/"]));
    const running = start(name, config, "--json");
    const halfReport = (): string | undefined =>
      existsSync(runsOf(name))
        ? readdirSync(runsOf(name)).find((run) =>
            existsSync(path.join(runsOf(name), run, "report.log")),
          )
        : undefined;
    await until("its report is begun", () => halfReport() !== undefined, 60_000);
    const run = path.join(runsOf(name), halfReport() ?? "");
    running.send("SIGINT");
    const result = await running.ended;
    expect(result).toMatchObject({ code: 130 });
    expect(JSON.parse(result.stdout.split("\n}\n{")[0] ?? "")).toMatchObject({
      verdict: "passed",
      why: [],
      samples: 10,
      report: null,
    });
    // Nothing there looks like a report.
    expect(existsSync(path.join(run, "report"))).toBe(false);
    expect(existsSync(path.join(run, "report-temporary"))).toBe(false);
    expect(findProcesses(runsOf(name))).toEqual([]);
  });

  withJmeter("whose JMeter is killed is broken, and what it had measured is told", async () => {
    const { name, config } = configureTest(writePlan(["/endless/killed"], { loops: -1 }));
    const running = start(name, config);
    await until("it is asked", () => askedOf("/endless/killed").length > 20, 60_000);
    for (const pid of findProcesses(runsOf(name))) process.kill(pid, "SIGKILL");
    const result = await running.ended;
    expect(result).toMatchObject({ code: 1 });
    expect(result.stderr).toContain("JMeter was ended by signal 9");
    expect(result.stdout).toMatch(/: broken, \d+ samples/);
  });

  withJmeter(
    "of a killed lcops is ended by the next one, and only one runs at a time",
    async () => {
      const { name, config } = configureTest(writePlan(["/endless/orphan"], { loops: -1 }));
      const running = start(name, config);
      await until("it is asked", () => askedOf("/endless/orphan").length > 0, 60_000);
      const second = await launch(name, config);
      expect(second).toMatchObject({ code: 6 });
      expect(second.stderr).toContain("is launched already, by another lcops");
      running.send("SIGKILL");
      await running.ended.catch(() => undefined);
      const [orphan = 0] = findProcesses(runsOf(name));
      expect(orphan).toBeGreaterThan(0);
      const next = start(name, config, "-v");
      await next.waitFor(/ended a process that a launch before had left behind/, 20_000);
      await until(
        "it runs",
        () => findProcesses(runsOf(name)).some((pid) => pid !== orphan),
        20_000,
      );
      expect(findProcesses(runsOf(name))).not.toContain(orphan);
      next.send("SIGTERM");
      expect(await next.ended).toMatchObject({ code: 143 });
      expect(findProcesses(runsOf(name))).toEqual([]);
    },
  );

  withJmeter("says nothing in cron when all went well, and keeps its newest runs", async () => {
    const { name, config } = configureTest(writePlan(["/"], { loops: 1, users: 1 }));
    for (let old = 1; old <= 6; old++)
      mkdirSync(path.join(runsOf(name), `2020010${old}T000000`), { recursive: true });
    // Of a run whose lcops was killed.
    const secret = path.join(runsOf(name), "20200106T000000/plan.properties");
    writeFileSync(secret, "key=secret");
    expect(await launch(name, config)).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
    const kept = readdirSync(runsOf(name)).sort();
    expect(kept).toHaveLength(5);
    expect(kept[0]).toBe("20200103T000000");
    expect(existsSync(secret)).toBe(false);
    expect(kept.at(-1)).toMatch(/^20[2-9]\d{5}T\d{6}$/);
  });
});

/** An app with a child that ends no session and one that leaves it; it is up after a while, and says so. */
const APP = `const { spawn } = require("node:child_process");
const [port, tag, how] = process.argv.slice(2);
spawn("sleep", ["1000." + tag], { stdio: "ignore" });
spawn("setsid", ["sleep", "2000." + tag], { stdio: "ignore" });
console.log("starting");
if (how === "fails") process.exit(3);
if (how === "stubborn") process.on("SIGTERM", () => {});
if (how !== "never")
  setTimeout(() => {
    let asked = 0;
    require("node:http").createServer((request, response) => {
      // Not yet what it shall be.
      response.statusCode = ++asked < 3 ? 503 : 200;
      response.end();
      if (how === "ends" && asked >= 3) setTimeout(() => process.exit(0), 100);
    }).listen(Number(port), "127.0.0.1", () => console.log("listening\\u001b[2J"));
  }, 300);
else setInterval(() => {}, 1000);
`;

describe("the app", LIMIT, () => {
  async function configureApp(how: string, more: object = {}) {
    const script = path.join(folder, "app.cjs");
    writeFileSync(script, APP);
    const appPort = await createPortPicker()("127.0.0.1");
    const tag = String(process.pid * 1_000 + ++count);
    const url = `http://localhost:${appPort}/`;
    const run = [process.execPath, script, String(appPort), tag, how];
    const app = { kind: "app", folder, run, url, ...more };
    return { url, tag, name: `app-${count}`, config: configure({ [`app-${count}`]: app }) };
  }
  const childrenOf = (tag: string): number[] => findProcesses(`000.${tag}`);

  test("is waited for, followed, and stopped with its children, also those that have left it", async () => {
    const { url, tag, name, config } = await configureApp("serves");
    const running = start(name, config, "-v");
    const said = await running.waitFor(/answers at/);
    expect(said).toContain(`${name} answers at ${url} after `);
    expect((await fetch(url)).status).toBe(200);
    await running.waitFor(/listening/);
    expect(childrenOf(tag)).toHaveLength(2);
    const second = await launch(name, config);
    expect(second).toMatchObject({ code: 6 });
    running.send("SIGINT");
    const result = await running.ended;
    expect(result).toMatchObject({ code: 130, stdout: "starting\nlistening\\x1b[2J\n" });
    expect(childrenOf(tag)).toEqual([]);
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  test("that does not listen to SIGTERM is stopped all the same", async () => {
    const { tag, name, config } = await configureApp("stubborn");
    const running = start(name, config, "--json");
    await running.waitFor(/"up":/);
    running.send("SIGTERM");
    const result = await running.ended;
    expect(result.code).toBe(143);
    expect(childrenOf(tag)).toEqual([]);
    expect(
      result.stdout
        .split("\n")
        .slice(0, 2)
        .map((line) => JSON.parse(line) as unknown),
    ).toContainEqual({ line: "starting" });
  });

  test("that never answers is stopped, with the reason", async () => {
    const { url, tag, name, config } = await configureApp("never", { seconds: 1 });
    const result = await launch(name, config);
    expect(result).toMatchObject({ code: 1, stdout: "starting\n" });
    expect(result.stderr).toMatch(new RegExp(`${url} has not answered within 1 s: .*ECONNREFUSED`));
    expect(childrenOf(tag)).toEqual([]);
  });

  test("that ends is told, with its code", async () => {
    const early = await configureApp("fails");
    const result = await launch(early.name, early.config);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/ended with 3 before .* answered/);
    expect(childrenOf(early.tag)).toEqual([]);
    const late = await configureApp("ends");
    expect(await launch(late.name, late.config)).toMatchObject({ code: 0 });
    expect(childrenOf(late.tag)).toEqual([]);
  });

  test("is not taken for what answers there already", async () => {
    const { name, config } = await configureApp("serves", { url: `http://127.0.0.1:${port}/` });
    const result = await launch(name, config);
    expect(result).toMatchObject({ code: 5, stdout: "" });
    expect(result.stderr).toMatch(/answers already: .*, process \d+; end that first/);
  });

  test("of a killed lcops is ended by the next one", async () => {
    const { tag, name, config } = await configureApp("serves");
    const running = start(name, config, "-v");
    await running.waitFor(/answers at/);
    running.send("SIGKILL");
    await running.ended.catch(() => undefined);
    expect(childrenOf(tag)).toHaveLength(2);
    const next = start(name, config, "-v");
    expect(await next.waitFor(/answers at/)).toContain(
      "ended 3 processes that a launch before had left behind\n",
    );
    expect(childrenOf(tag)).toHaveLength(2);
    next.send("SIGINT");
    await next.ended;
    expect(childrenOf(tag)).toEqual([]);
  });

  test("that is not installed, or has no place, says so", async () => {
    const config = configure({
      app: { kind: "app", run: ["no-such-sbt", "run"], folder, url: "http://localhost:9/" },
      lost: { kind: "app", run: ["true"], url: "http://localhost:9/" },
    });
    expect(await launch("app", config)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("app is run by no-such-sbt, which is not installed"),
    });
    expect(await launch("lost", config)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("workstation.launches.lost.folder"),
    });
    expect(existsSync(runsOf("app"))).toBe(false);
  });

  test("stands on the panel with its key; Ctrl-C stops it and not the panel", async () => {
    const { tag, name, config } = await configureApp("serves", { key: "go", title: "The app" });
    const pty = openPty(["machine", "--config", config], { environment, columns: 100 });
    await pty.waitFor("Launch APP:\ngo) The app", 20_000);
    pty.type("go");
    await pty.waitFor(`$ lcops machine launch ${name}`);
    await pty.waitFor("answers at", 20_000);
    pty.mark();
    pty.press("ctrl-c");
    await pty.waitFor("go) The app", 20_000);
    expect(childrenOf(tag)).toEqual([]);
    pty.type("q");
    expect((await pty.exit).code).toBe(0);
  });
});

test("the panel launches what statusMachine.sh did, and says what is not here", async () => {
  const config = path.join(folder, "empty.json");
  writeFileSync(config, "{}", { mode: 0o600 });
  const pty = openPty(["machine", "--config", config], { environment, columns: 100, rows: 30 });
  await pty.waitFor(
    "Launch Jmeter:\nja) API\njw) WorkerStats\nLaunch APP:\napp) http://localhost:9000/",
    20_000,
  );
  pty.type("app");
  await pty.waitFor("workstation.launches.app", 20_000);
  pty.type("q");
  expect((await pty.exit).code).toBe(0);
});
