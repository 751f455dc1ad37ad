import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Config } from "../../src/config/schema.ts";
import type { Lab, PartName } from "../lab/lab.ts";
import { findJmeter } from "../lab/jmeter-cache.ts";
import { makePlan } from "../support/load-plan.ts";
import { openProgram } from "../support/pty.ts";
import { sendSql } from "../support/send-sql.ts";
import { visitRoom } from "../support/visit-room.ts";
import { runLcops, withTunnel, type Program } from "./run-lcops.ts";
import {
  drawSparkline,
  endSessions,
  fetchPage,
  fetchSeries,
  pingRedis,
  readPngSize,
} from "./look.ts";

export interface TourOptions {
  lab: Lab;
  /** Path of the built program. */
  lcops: string;
  say: (line: string) => void;
  signal: AbortSignal;
}

interface Step {
  title: string;
  /** Without one of these parts the step is left out, by name. */
  needs: readonly PartName[];
  /** Returns the result, line by line; throws where it is not what the step says. */
  run: (program: Program, lab: Lab) => Promise<string[]>;
}

/** No step of the tour may take longer. */
const STEP_LIMIT_MS = 15_000;

const STEPS: readonly Step[] = [
  {
    title: "The hosts of the estate, from the configuration and ~/.ssh/config",
    needs: ["hosts"],
    run: async (program, lab) => {
      const { stdout } = await runLcops(program, ["hosts"]);
      for (const name of Object.keys(lab.hosts))
        expect(stdout.includes(`${name}\t`), `${name} is listed`);
      return stdout.trimEnd().split("\n");
    },
  },
  {
    title:
      "The machines that EC2 shows in three regions, those that OpsWorks left behind among them",
    needs: ["aws"],
    run: async (program) => {
      const { stdout } = await runLcops(program, ["hosts", "source=ec2", "--refresh"]);
      expect(
        /^dev-api3-2\tdev\tapi\t.*\trunning\ti-/m.test(stdout),
        "dev-api3-2 is known by its opsworks tags",
      );
      return stdout.trimEnd().split("\n");
    },
  },
  {
    title:
      "One command on every host of production, then an upgrade of development (Debian's programs are stand-ins here)",
    needs: ["hosts"],
    run: async (program) => {
      const run = ["fleet", "run", "env=prod,source=config", "--", "echo well"];
      const { stdout } = await runLcops(program, run);
      expect(/\(\d+\):\nwell\n$/.test(stdout), "all say the same, once");
      const target = "env=dev,source=config";
      const plan = await runLcops(program, ["fleet", "upgrade", target, "--dry-run"]);
      const upgrade = ["fleet", "upgrade", "DevServices", "--yes", "--json"];
      const upgraded = await runLcops(program, upgrade);
      expect(upgraded.stdout.includes('"state":"done"'), "DevServices is upgraded");
      return [...stdout.trimEnd().split("\n"), ...plan.stdout.trimEnd().split("\n")];
    },
  },
  {
    title: "A host whose address is looked up in EC2 at each connect",
    needs: ["aws", "hosts"],
    run: async (program) => {
      const { stdout } = await runLcops(program, ["ssh", "RedisCache", "--", "echo $LAB_HOST"]);
      expect(stdout === "RedisCache\n", "it is RedisCache");
      return [stdout.trimEnd()];
    },
  },
  {
    title: "Graphite: a week of the API's requests, and the graph as it draws it",
    needs: ["graphite"],
    run: (program) =>
      withTunnel(program, "graphite", async (url) => {
        const target = "target=stats.counters.*.requests.count&from=-7days";
        const series = await fetchSeries(new URL(`/render?format=json&${target}`, url));
        const png = await fetchPage(new URL(`/render?width=600&height=300&${target}`, url));
        const { width, height } = readPngSize(png.body);
        expect(width === 600 && height === 300, "the graph is 600 x 300");
        return [
          ...series.map(({ name, values }) => `${drawSparkline(values, 56)}  ${name}`),
          `render: PNG, ${width} x ${height}, ${png.body.length} bytes`,
        ];
      }),
  },
  ...(["kibana", "elasticsearch", "jenkins"] as const).map((name): Step => ({
    title: `${name[0]?.toUpperCase()}${name.slice(1)} through its tunnel`,
    needs: [name],
    run: (program) =>
      withTunnel(program, name, async (url) => {
        const { status, body } = await fetchPage(new URL(url));
        expect(status === 200, "it answers with 200");
        return [`GET ${url} → ${status}: ${body.toString().replace(/\s+/g, " ").slice(0, 90)}`];
      }),
  })),
  {
    title: "A tunnel in the background, whose connection is cut: it comes back by itself",
    needs: ["kibana"],
    run: async (program, lab) => {
      await runLcops(program, ["tunnel", "open", "--detach", "kibana"]);
      try {
        const [before] = await listTunnels(program);
        const sessions = await endSessions(lab.hosts["TextLogs"]?.pid ?? 0);
        // It is held until there is a connection again.
        const { status } = await fetchPage(new URL(before?.url ?? ""));
        const [after] = await listTunnels(program);
        expect(sessions > 0 && status === 200, "a page comes through it after the cut");
        expect(after?.reconnects === 1, "it has connected once more");
        return [`${sessions} connection cut, then GET ${before?.url} → ${status}`];
      } finally {
        await runLcops(program, ["tunnel", "close", "--all"]);
      }
    },
  },
  {
    title: "Redis through its tunnel",
    needs: ["redis"],
    run: (program) =>
      withTunnel(program, "redis", async (url) => {
        const answers = await pingRedis(new URL(url));
        expect(answers[0] === "+PONG", "it answers PONG");
        return [`PING → ${answers[0]}, DBSIZE → ${answers[1]}`];
      }),
  },
  {
    title:
      "The cache of development flushed through its API server: the plan, then by pattern, then all of it",
    needs: ["redis", "hosts"],
    run: async (program, lab) => {
      const target = "dev-api3-2";
      const info = await runLcops(program, ["redis", "info", target]);
      const flush = ["redis", "flush", target];
      const plan = await runLcops(program, [...flush, "--pattern", "api:*", "--dry-run"]);
      const some = await runLcops(program, [...flush, "--pattern", "api:*", "--yes", "--json"]);
      const rest = await runLcops(program, [...flush, "--db", "--yes", "--json"]);
      const [first, second] = [some, rest].map(
        ({ stdout }) => JSON.parse(stdout) as { removed: number; left: number },
      );
      expect(first?.removed === 360 && first.left === 0, "360 keys match, and are removed");
      const all = lab.services.devRedis?.keys ?? 0;
      expect(second?.removed === all - 360 && second.left === 0, "the database is empty then");
      return [
        ...info.stdout.trimEnd().split("\n"),
        ...plan.stdout.trimEnd().split("\n"),
        `${first?.removed} keys removed by pattern, then ${second?.removed}, none is left`,
      ];
    },
  },
  {
    title: "Monit of both API servers and the worker",
    needs: ["monit"],
    run: async (program) => {
      const lines: string[] = [];
      for (const name of ["worker-monit", "dev-monit", "prod-monit"]) {
        lines.push(
          ...(await withTunnel(program, name, async (url) => {
            const { status, headers } = await fetchPage(new URL(url));
            expect(
              status === 401 && /monit/i.test(String(headers["www-authenticate"])),
              "it asks for its login",
            );
            return [`GET ${url} → ${status}, ${headers["www-authenticate"]}`];
          })),
        );
      }
      return lines;
    },
  },
  {
    title: "A query on the primary, then on the replica",
    needs: ["mysql", "replica"],
    run: async (program) => {
      const query = "SELECT @@port AS port, COUNT(*) AS students FROM students";
      const primary = await runLcops(program, ["mysql", "--", "-e", query]);
      const replica = await runLcops(program, ["mysql", "--replica", "--", "-e", query]);
      const [port, students] = (primary.stdout.split("\n")[1] ?? "").split("\t");
      const [otherPort, same] = (replica.stdout.split("\n")[1] ?? "").split("\t");
      expect(Number(students) > 0 && students === same, "both have the same students");
      expect(port !== otherPort, "they are two servers");
      return [
        ...primary.stdout.trimEnd().split("\n"),
        ...replica.stdout.trimEnd().split("\n").slice(1),
      ];
    },
  },
  {
    title:
      "A MySQL in memory for a test run: turned on, written to, and reset to what it began with",
    needs: ["mysql"],
    run: async (program, lab) => {
      // A name and a configuration of its own: one in memory may be somebody's here.
      const name = `demo-${process.pid}`;
      const file = join(lab.folder, "panel.json");
      const services = { [name]: { kind: "ram-mysql", title: "/rammysql" } };
      writeFileSync(file, JSON.stringify({ workstation: { services } }));
      const machine = (verb: string, ...words: string[]) =>
        runLcops(program, ["machine", verb, ...words, "--config", file]);
      try {
        await machine("on", name, "--yes");
        const { stdout } = await machine("status");
        expect(/\tON\t\d+ MB in memory/.test(stdout), "it is on, with its size");
        const begin = performance.now();
        await machine("reset", name, "--yes");
        return [
          ...stdout.trimEnd().split("\n"),
          `reset in ${((performance.now() - begin) / 1000).toFixed(1)} s`,
        ];
      } finally {
        await machine("off", name, "--yes");
      }
    },
  },
  {
    title:
      "A row that has changed on the replica alone: found, down to its column, and all well once it is mended",
    needs: ["mysql", "replica"],
    run: async (program, lab) => {
      const check = ["db", "check", "school"];
      const setRemark = (remark: string): Promise<string> =>
        sendSql(
          lab,
          `SET SESSION sql_log_bin = 0; UPDATE school.submissions SET remark = ${remark} WHERE id = 9`,
          "replica",
        );
      const kept = "(SELECT QUOTE(remark) FROM school.submissions WHERE id = 9)";
      const remark = (await sendSql(lab, `SELECT ${kept}`, "replica")).trim();
      await setRemark("'Sehr gut'");
      try {
        const { stdout } = await runLcops(program, check, [4]);
        expect(/school\.submissions \[id=9\] remark: changed/.test(stdout), "the row is found");
        await setRemark(remark);
        await runLcops(program, check);
        return [...stdout.trimEnd().split("\n"), "and once it is mended, nothing"];
      } finally {
        await setRemark(remark);
      }
    },
  },
  {
    title: "MySQL backed up to two places, and believed because it was restored",
    needs: ["mysql"],
    run: async (program) => {
      await runLcops(program, ["backup", "run", "mysql"]);
      await runLcops(program, ["backup", "drill", "mysql"]);
      const { stdout } = await runLcops(program, ["backup", "status", "mysql"]);
      expect(/\tproven, /.test(stdout), "a drill has proven the set");
      return stdout.trimEnd().split("\n");
    },
  },
  {
    title: "An index of the logs that was lost, back from a snapshot that had been proven",
    needs: ["elasticsearch"],
    run: async (program, lab) => {
      const { node, address, port } = lab.services.elasticsearch ?? {};
      // A page that stands for it has no logs.
      if (!node) return ["left out: OpenSearch is not fetched (npm run lab:fetch)"];
      const [index = ""] = Object.keys(node.documents);
      const url = `http://${address}:${port}/${index}`;
      const count = async (): Promise<unknown> =>
        ((await (await fetch(`${url}/_count`)).json()) as { count?: number }).count;
      await runLcops(program, ["backup", "run", "elasticsearch"]);
      await runLcops(program, ["backup", "drill", "elasticsearch"]);
      await fetch(url, { method: "DELETE" });
      expect((await count()) === undefined, "it is lost");
      const into = ["--into", "elasticsearch", "--confirm", "elasticsearch"];
      await runLcops(program, ["backup", "restore", "elasticsearch", "--only", index, ...into]);
      expect((await count()) === node.documents[index], "each of its documents is back");
      const { stdout } = await runLcops(program, ["backup", "status", "elasticsearch"]);
      expect(/\tproven, /.test(stdout), "a drill has proven the set");
      return [
        `${index} was removed, and has ${String(await count())} documents again`,
        ...stdout.trimEnd().split("\n"),
      ];
    },
  },
  {
    title: "A bucket copied to another, one object of it lost, and had back",
    needs: ["s3"],
    run: async (program, lab) => {
      await runLcops(program, ["backup", "run", "s3"]);
      // The second time nothing has changed, and nothing but the source's listing is asked.
      await runLcops(program, ["backup", "run", "s3"]);
      const lost = "class-A/pupil 0/essay 0.txt";
      const into = join(lab.folder, "rescued");
      await runLcops(program, ["backup", "restore", "s3", "--only", lost, "--into", into, "--yes"]);
      const essay = readFileSync(join(into, "class-A/pupil%200/essay%200.txt"), "utf8");
      expect(essay.startsWith("What I did in the holidays"), "the object is had back");
      await runLcops(program, ["backup", "drill", "s3"]);
      const { stdout } = await runLcops(program, ["backup", "list", "s3"]);
      return stdout.trimEnd().split("\n");
    },
  },
  {
    title: "A DynamoDB table dumped, one row of it edited, and the edit undone",
    needs: ["dynamodb"],
    run: async (program, lab) => {
      const table = "pattern-aggregator";
      const file = join(lab.folder, "patterns.json.gz");
      const row = join(lab.folder, "row.json");
      // Without --region each of the three is asked for it.
      const place = ["--region", "us-west-2"];
      await runLcops(program, [
        "dyn",
        "dump-table",
        table,
        "-o",
        file,
        "--max-rcu",
        "400",
        ...place,
      ]);
      const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split("\n");
      expect(lines.length === 240, "all 240 rows are in it");
      const capacity = await runLcops(program, ["dyn", "capacity", file, "--writes", "50/s"]);
      const key = ["school-1/lesson-003", "2014-03-25"];
      await runLcops(program, ["dyn", "dump-row", table, ...key, "-o", row, ...place]);
      const text = readFileSync(row, "utf8");
      writeFileSync(
        row,
        text.replace(/("solved": \{"N": )"\d+"/, '$1"99999999999999999999999999"'),
      );
      const upload = ["dyn", "upload-row", row];
      const { stdout } = await runLcops(program, [...upload, "--dry-run"]);
      await runLcops(program, [...upload, "--confirm", table]);
      await runLcops(program, ["dyn", "undo", "--confirm", table]);
      const after = await runLcops(program, [
        "dyn",
        "dump-row",
        table,
        ...key,
        "-o",
        "-",
        ...place,
      ]);
      const itemOf = (of: string) => JSON.stringify((JSON.parse(of) as { Item: object }).Item);
      expect(itemOf(after.stdout) === itemOf(text), "the row is what it was");
      const { stdout: history } = await runLcops(program, ["history"]);
      return [
        lines[0] ?? "",
        ...capacity.stdout.trimEnd().split("\n").slice(1, 5),
        ...stdout.trimEnd().split("\n"),
        ...history.trimEnd().split("\n").slice(-2),
      ];
    },
  },
  {
    title:
      "A load test of JMeter against a page of this machine: percentiles, and a verdict from what it measured",
    needs: [],
    run: async (program, lab) => {
      const jmeter = findJmeter(process.env);
      if (jmeter === undefined) return ["left out: JMeter is not fetched (npm run lab:fetch)"];
      const server = createServer((_request, response) => response.end("hello"));
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
      try {
        const plan = join(lab.folder, "api.jmx");
        writeFileSync(plan, makePlan(["/", "/students"], { users: 4, loops: 50 }));
        const { port } = server.address() as AddressInfo;
        const ja = { kind: "jmeter", title: "API", program: jmeter, plan, properties: { port } };
        const file = join(lab.folder, "launches.json");
        writeFileSync(file, JSON.stringify({ workstation: { launches: { ja } } }));
        const words = ["machine", "launch", "ja", "--config", file, "--verbose"];
        const { stdout } = await runLcops(program, words);
        expect(
          stdout.startsWith("ja: passed, 400 samples in "),
          "all are measured, and none failed",
        );
        return stdout.trimEnd().split("\n");
      } finally {
        server.close();
      }
    },
  },
  {
    title: "The developer's repositories updated at once, and the missing one cloned",
    needs: ["repositories"],
    run: async (program, lab) => {
      rmSync(lab.repositories?.["worker"]?.folder ?? "", { recursive: true });
      const { stdout } = await runLcops(program, ["machine", "update", "--yes", "--verbose"]);
      expect(/^app\tmain\t0\t2\t2\tupdated\t$/m.test(stdout), "app has its two commits");
      expect(/^worker\tmain\t.*\tcloned\t$/m.test(stdout), "worker was missing, and is cloned");
      return stdout.trimEnd().split("\n");
    },
  },
  {
    title: "A command on the host that stands behind the bastion",
    needs: ["bastion"],
    run: async (program) => {
      const { stdout } = await runLcops(program, [
        "ssh",
        "db-admin",
        "--",
        "echo $LAB_HOST, by $SSH_CONNECTION",
      ]);
      expect(stdout.startsWith("db-admin,"), "it ran on db-admin");
      return [stdout.trimEnd()];
    },
  },
  {
    title: "How everything is that runs, and everything that watches",
    needs: ["hosts"],
    run: async (program) => {
      // What is overdue of backups, and an AWS that cannot be asked, is not well.
      const { stdout } = await runLcops(program, ["health", "--json"], [0, 3, 4]);
      const { readings } = JSON.parse(stdout) as {
        readings: { area: string; name: string; state: string; detail: string }[];
      };
      const ofHosts = readings.filter(({ area }) => area === "host" || area === "disk");
      expect(ofHosts.length > 0, "there are hosts and disks");
      expect(
        ofHosts.every(({ state }) => state !== "unknown"),
        "all of them were asked",
      );
      const count = (wanted: string): number =>
        readings.filter(({ state }) => state === wanted).length;
      const states = ["ok", "warn", "fail", "unmonitored", "unknown"];
      return [
        states.map((state) => `${count(state)} ${state}`).join(", "),
        ...readings
          .filter(({ area }) => ["replica", "monit", "redis"].includes(area))
          .slice(0, 4)
          .map(({ state, area, name, detail }) => `${state} ${area} ${name}: ${detail}`),
      ];
    },
  },
  {
    title: "The same kept on the screen, with the load that Graphite knows",
    needs: ["hosts", "graphite"],
    run: async (program) => {
      program.announce("lcops health --watch");
      const pty = openProgram([process.execPath, program.lcops, "health", "--watch"], {
        environment: program.environment,
        columns: 150,
        rows: 60,
      });
      try {
        const text = await pty.waitFor(
          /^ok .* host +prod-api3-1 .* load +[▁-█]+[^]*^ok .* graphite .* logins +[▁-█]+/m,
          60_000,
        );
        const lines = text.split("\n").filter((line) => / (load|logins) /.test(line));
        pty.type("q");
        const { code } = await pty.exit;
        expect([0, 3, 4].includes(code), `it is left with the code of health, not ${code}`);
        return lines.map((line) => line.replaceAll(/ +/g, " "));
      } finally {
        pty.kill();
      }
    },
  },
  {
    title: "What has failed on a host, told in the team's room (XMPP), where ada hears it",
    needs: ["hosts", "xmpp"],
    run: async (program, lab) => {
      const { xmpp } = lab.services;
      if (!xmpp) throw new Error("the lab has no room");
      const config = JSON.parse(readFileSync(lab.configPath, "utf8")) as Config;
      const configPath = join(lab.folder, "fleet-tells.config.json");
      const told = { ...config, fleet: { notify: ["team"] } };
      writeFileSync(configPath, JSON.stringify(told), { mode: 0o600 });
      const ada = await visitRoom(xmpp, "ada");
      try {
        const run = ["fleet", "run", "DevServices", "--config", configPath, "--", "false"];
        await runLcops(program, run, [1]);
        const heard = await ada.waitFor(/not done on DevServices/);
        expect(heard[0]?.body.startsWith("@all ") === true, "everybody is called");
        return heard.map(({ from, body }) => `${from}: ${body}`);
      } finally {
        await ada.leave();
      }
    },
  },
  {
    title: "What is installed and reachable",
    needs: ["hosts"],
    run: async (program) => {
      const { stdout } = await runLcops(program, ["doctor", "--json"]);
      const findings = JSON.parse(stdout) as { state: string; name: string }[];
      const failed = findings.filter(({ state }) => state === "fail").map(({ name }) => name);
      expect(failed.length === 0, `everything is well, and not: ${failed.join(", ")}`);
      return [`${findings.length} checks, none failed`];
    },
  },
];

async function listTunnels(program: Program): Promise<{ url: string; reconnects: number }[]> {
  const { stdout } = await runLcops(program, ["tunnel", "list", "--json"]);
  return JSON.parse(stdout) as { url: string; reconnects: number }[];
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`expected that ${what}`);
}

/** Given the lab, run each step with the real program, say its command lines and results, and return 0 only if all did what they say. */
export async function runTour({ lab, lcops, say, signal }: TourOptions): Promise<number> {
  const absent = new Set(
    lab.parts.filter((part) => part.state === "absent").map((part) => part.name),
  );
  const results = { done: 0, failed: 0, leftOut: 0 };
  for (const [index, step] of STEPS.entries()) {
    signal.throwIfAborted();
    say(`${index + 1}. ${step.title}`);
    const missing = step.needs.filter((need) => absent.has(need));
    if (missing.length > 0) {
      say(`   left out: the lab has no ${missing.join(", ")}\n`);
      results.leftOut++;
      continue;
    }
    const limit = AbortSignal.any([signal, AbortSignal.timeout(STEP_LIMIT_MS)]);
    const program: Program = {
      lcops,
      environment: lab.environment,
      signal: limit,
      announce: (line) => say(`   $ ${line}`),
    };
    const begin = performance.now();
    try {
      for (const line of await step.run(program, lab)) say(`   ${line}`);
      say(`   ✓ ${((performance.now() - begin) / 1000).toFixed(1)} s\n`);
      results.done++;
    } catch (error) {
      say(`   ✗ ${error instanceof Error ? error.message : String(error)}\n`);
      results.failed++;
    }
  }
  say(`${results.done} steps done, ${results.failed} failed, ${results.leftOut} left out`);
  return results.failed === 0 && results.done > 0 ? 0 : 1;
}
