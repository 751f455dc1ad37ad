import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ShownReading } from "../../src/commands/health/describe-readings.ts";
import type { HealthMemory } from "../../src/commands/health/memory.ts";
import type { Config } from "../../src/config/schema.ts";
import { ACCOUNTS, makeAwsGround } from "../support/aws-ground.ts";
import { startScripted } from "../services/scripted-server.ts";
import { stateOf, testWith } from "../support/lab.ts";
import { openPty } from "../support/pty.ts";
import { makeRedisGround, type RedisGround } from "../support/redis-ground.ts";
import { runLcops, type LcopsResult } from "../support/run-lcops.ts";
import { PART_NAMES } from "../lab/lab.ts";

let ground: RedisGround;
beforeAll(async () => {
  ground = await makeRedisGround(...PART_NAMES);
});
afterAll(() => ground.end());

const lcops = (...args: string[]): Promise<LcopsResult> =>
  runLcops(args, { environment: ground.environment, timeoutMs: 60_000 });

/** The lab's configuration with these services and their hosts alone, and nothing else that could be asked. */
function configOf(
  names: readonly string[],
  change: (config: Config) => void = () => undefined,
): string {
  return ground.deriveConfig((config) => {
    const services = Object.entries(config.services ?? {}).filter(([name]) => names.includes(name));
    config.services = Object.fromEntries(services);
    const wanted = new Set(services.flatMap(([, { host }]) => host ?? []));
    const hosts = Object.entries(config.hosts ?? {}).filter(([name]) => wanted.has(name));
    config.hosts = Object.fromEntries(hosts);
    for (const environment of Object.values(config.environments ?? {})) delete environment.aws;
    delete config.backups;
    delete config.menu;
    change(config);
  });
}

async function health(
  config: string,
  ...more: string[]
): Promise<LcopsResult & { readings: ShownReading[]; states: Record<string, string> }> {
  const result = await lcops("health", "--json", "--config", config, ...more);
  const { readings } = JSON.parse(result.stdout) as { readings: ShownReading[] };
  const states = Object.fromEntries(
    readings.map(({ area, name, state }) => [`${area} ${name}`, state]),
  );
  return { ...result, readings, states };
}

testWith(
  "hosts",
  "mysql",
  "redis",
  "graphite",
  "monit",
)("health finds the whole lab well, each of its things once", async () => {
  const { aws, services } = ground.lab;
  const config = ground.deriveConfig((changed) => {
    // Nothing has been backed up yet.
    delete changed.backups;
    // A page stands for it.
    if (!services.elasticsearch?.node) delete changed.services?.["elasticsearch"];
    if (aws?.state !== "emulator") {
      for (const environment of Object.values(changed.environments ?? {})) delete environment.aws;
      // Nobody can be asked for the address of some.
      for (const [name, host] of Object.entries(changed.hosts ?? {}))
        Object.assign(host, { address: { eip: ground.lab.hosts[name]?.address } });
    }
    delete changed.menu;
  });
  const { code, readings, states, stderr } = await health(config);
  expect(readings.filter(({ state }) => state !== "ok")).toEqual([]);
  expect(code).toBe(0);
  // Nothing of Node's own either, as of the many that listen to one signal.
  expect(stderr).toBe("");
  expect(Object.keys(states)).toHaveLength(readings.length);
  const inArea = (area: string): string[] =>
    readings.filter((one) => one.area === area).map(({ name }) => name);
  expect(inArea("host")).toEqual(Object.keys(ground.config.hosts ?? {}));
  expect(inArea("disk")).toEqual(expect.arrayContaining(["GraphStats:/", "prod-api3-1:/"]));
  expect(inArea("monit")).toEqual(
    expect.arrayContaining(["prod-monit", "prod-monit/sshd", "worker-monit/root"]),
  );
  expect(inArea("replica")).toEqual(["school-replica"]);
  expect(inArea("redis").toSorted()).toEqual(["dev-cache", "prod-cache", "redis"]);
  const disk = readings.find(({ name }) => name === "GraphStats:/");
  expect(disk).toMatchObject({
    detail: expect.stringMatching(/^uses [\d.]+ [kMGT]?B of [\d.]+ [MGT]B$/),
    usedBytes: expect.any(Number),
    totalBytes: expect.any(Number),
  });
  expect(readings.find(({ area }) => area === "replica")?.detail).toBe("0 s behind");
  for (const { since, seenAt } of readings) {
    expect(Date.parse(since)).not.toBeNaN();
    expect(Date.parse(seenAt)).not.toBeNaN();
  }
});

testWith("hosts", "monit")("health -q says nothing where all is well", async () => {
  const config = configOf(["prod-monit"]);
  const result = await lcops("health", "-q", "--config", config);
  expect(result).toMatchObject({ code: 0, stdout: "", stderr: "" });
});

testWith("hosts", "kibana")(
  "a host that is down fails, and of what is behind it nobody knows",
  async () => {
    const port = await ground.pickPort();
    const config = configOf(["kibana"], (changed) => {
      Object.assign(changed.hosts?.["TextLogs"] ?? {}, { address: { eip: "127.0.0.1" }, port });
    });
    const { code, stdout, stderr } = await lcops("health", "--config", config);
    expect(code).toBe(4);
    expect(stdout.split("\n").map((line) => line.split("\t").toSpliced(1, 1).join(" "))).toEqual([
      expect.stringMatching(/^fail host TextLogs .*refused/),
      "unknown disk TextLogs not reached, as TextLogs is not",
      "unknown http kibana not reached, as TextLogs is not",
      "",
    ]);
    expect(stderr).toMatch(
      /^lcops: 1 fail, 2 unknown: host TextLogs, disk TextLogs, http kibana$/m,
    );
  },
);

testWith("hosts", "monit")(
  "what nobody knows is not well: exit 3, and how to mend it",
  async () => {
    const config = configOf(["prod-monit"], (changed) => {
      const password = `\${file:${ground.writeFile("wrong", "wrong\n")}}`;
      Object.assign(changed.services?.["prod-monit"] ?? {}, { password });
    });
    const { code, readings } = await health(config);
    expect(code).toBe(3);
    expect(readings.find(({ name }) => name === "prod-monit")).toMatchObject({
      state: "unknown",
      detail: expect.stringContaining("wants another login (401)"),
      next: expect.stringContaining("Monit's"),
    });
  },
);

testWith("mysql", "graphite")(
  "who is silent, at once or amid its answers, holds nobody up",
  async () => {
    const { primary } = ground.lab.services.mysql ?? {};
    const silent = await startScripted(() => undefined);
    // It lets in, and never answers what it is asked then.
    const stalling = await startScripted((socket) => {
      const server = connect(primary?.port ?? 0, primary?.address);
      socket.on("close", () => server.destroy());
      server.on("error", () => socket.destroy());
      server.on("data", (bytes) => socket.write(bytes));
      socket.on("data", (bytes) => {
        if (!bytes.includes("Threads_connected")) server.write(bytes);
      });
    });
    // It takes the connection, and never says that it is an sshd.
    const mute = await startScripted(() => undefined);
    try {
      const config = configOf(["graphite"], (changed) => {
        const { school } = ground.config.services ?? {};
        const deaf = { environment: "dev", address: { eip: mute.host }, port: mute.port };
        changed.hosts = { ...changed.hosts, deaf };
        changed.services = {
          ...changed.services,
          silent: { kind: "monit", environment: "dev", address: silent.host, port: silent.port },
          stalling: {
            ...(school?.kind === "mysql" && { user: school.user, password: school.password }),
            kind: "mysql",
            environment: "dev",
            address: stalling.host,
            port: stalling.port,
          },
        };
      });
      const begun = performance.now();
      const { code, states, readings } = await health(config);
      expect(performance.now() - begun).toBeLessThan(30_000);
      expect(code).toBe(4);
      expect(states).toMatchObject({
        "graphite graphite": "ok",
        "monit silent": "unknown",
        "mysql stalling": "unknown",
        "host deaf": "fail",
        "disk deaf": "unknown",
      });
      const late = readings.filter(({ detail }) => detail === "no answer within 10 s");
      expect(late.map(({ name }) => name)).toEqual(["silent", "stalling"]);
    } finally {
      await Promise.all([silent, stalling, mute].map((server) => server.stop()));
    }
  },
);

testWith("redis")(
  "a Redis that is full and may not forget fails, one that may is well",
  async () => {
    const limit = ["--maxmemory", "3mb"];
    const full = await ground.start([...limit, "--maxmemory-policy", "noeviction"]);
    const cache = await ground.start([...limit, "--maxmemory-policy", "allkeys-lru"]);
    for (const server of [full, cache]) {
      await server.ask(
        "EVAL",
        "for i = 1, 2000 do redis.pcall('SET', i, string.rep('x', 2000)) end",
        "0",
      );
    }
    const config = configOf([], (changed) => {
      const place = { kind: "redis" as const, environment: "dev", address: "127.0.0.1" };
      changed.services = {
        full: { ...place, port: full.port },
        cache: { ...place, port: cache.port },
      };
    });
    const { code, states, readings } = await health(config);
    expect(states).toEqual({ "redis full": "fail", "redis cache": "ok" });
    expect(readings[0]?.detail).toMatch(
      /^uses [\d.]+ MB of 3.1 MB, and refuses writes when it is full$/,
    );
    expect(code).toBe(4);
    await cache.kill();
    expect((await health(config)).states).toMatchObject({ "redis cache": "fail" });
  },
);

testWith(
  "hosts",
  "monit",
  "redis",
)("--env leaves the others out", async () => {
  const config = configOf(["prod-monit", "dev-monit", "dev-cache"]);
  const { states } = await health(config, "--env", "dev");
  expect(Object.keys(states)).toEqual(
    expect.arrayContaining(["host dev-api3-2", "monit dev-monit", "redis dev-cache"]),
  );
  expect(Object.keys(states).filter((name) => name.includes("prod"))).toEqual([]);
});

testWith("hosts", "graphite")("a job without a set is not well", async () => {
  const config = configOf(["graphite"], (changed) => {
    const { graphite } = ground.config.backups?.jobs ?? {};
    if (!ground.config.backups || !graphite) throw new Error("the lab backs Graphite up");
    changed.backups = {
      ...ground.config.backups,
      destinations: { operator: { folder: `${ground.folder}/health-sets` } },
      jobs: { graphite },
    };
  });
  const before = await health(config);
  expect(before.code).toBe(4);
  expect(before.readings.find(({ area }) => area === "backup")).toMatchObject({
    state: "warn",
    detail: "operator: there is no complete set; no set is proven by a drill",
  });
  for (const verb of ["run", "drill"]) {
    await lcops("backup", verb, "graphite", "--config", config);
  }
  const after = await health(config);
  expect(after.code).toBe(0);
  expect(after.readings.find(({ area }) => area === "backup")?.detail).toMatch(
    /^newest set \d+ s old; proven \d+ s ago$/,
  );
});

testWith("hosts", "monit")("a state keeps its age from run to run", async () => {
  const config = configOf(["worker-monit"]);
  const [first, second] = [await health(config), await health(config)];
  expect(second.readings.map(({ since }) => since)).toEqual(
    first.readings.map(({ since }) => since),
  );
});

testWith("hosts", "graphite")(
  "what was seen of a disk before tells the day on which it is full",
  async () => {
    const config = configOf(["graphite"]);
    const first = await health(config);
    const folder = path.join(ground.environment["XDG_STATE_HOME"] ?? "", "lcops/health");
    const key = "disk GraphStats:/";
    // Of the configuration that was used last.
    const [file = ""] = readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => path.join(folder, name))
      .toSorted((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const memory = JSON.parse(readFileSync(file, "utf8")) as HealthMemory;
    const [[at, used] = [0, 0]] = memory.disks[key] ?? [];
    const { totalBytes = 0 } = first.readings.find(({ name }) => name === "GraphStats:/") as {
      totalBytes?: number;
    };
    const perDay = (totalBytes - used) / 30;
    memory.disks[key] = Array.from({ length: 8 }, (_, index) => {
      const days = 8 - index;
      return [at - days * 86_400_000, used - days * perDay] as const;
    });
    writeFileSync(file, JSON.stringify(memory));
    const second = await health(config);
    const { fullOn } = second.readings.find(({ name }) => name === "GraphStats:/") ?? {};
    const days = (Date.parse(fullOn ?? "") - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(25);
    expect(days).toBeLessThan(35);
  },
);

testWith("hosts", "monit")("a terminal shows a head, and the worst first", async () => {
  const config = configOf(["prod-monit"], (changed) => {
    changed.services = {
      ...changed.services,
      gone: { kind: "http", environment: "dev", address: "127.0.0.1", port: 9 },
    };
  });
  const pty = openPty(["health", "--config", config], {
    environment: ground.environment,
    columns: 120,
  });
  expect((await pty.exit).code).toBe(4);
  expect(pty.text()).toMatch(/^STATE +AGE +AREA +NAME +WHAT\nfail +0 s +http +gone +.*\nok /m);
});

describe("AWS", () => {
  const region = "eu-west-1";

  const testWithMoto = test.skipIf(stateOf("aws") !== "emulator");
  testWithMoto("its alarms have the state that they have, region by region", async () => {
    const cloudwatch = new CloudWatchClient({
      region,
      endpoint: ground.lab.aws?.endpointUrl ?? "",
      credentials: { accessKeyId: "AKIALCOPSLABSEED0000", secretAccessKey: "x" },
    });
    const put = async (
      AlarmName: string,
      StateValue: "OK" | "ALARM" | "INSUFFICIENT_DATA",
      isOn = true,
    ) => {
      await cloudwatch.send(
        new PutMetricAlarmCommand({
          AlarmName,
          ActionsEnabled: isOn,
          Namespace: "AWS/ELB",
          MetricName: "HTTPCode_Backend_5XX",
          ComparisonOperator: "GreaterThanThreshold",
          EvaluationPeriods: 3,
          Period: 60,
          Statistic: "Sum",
          Threshold: 10,
        }),
      );
      const StateReason = "Threshold Crossed: 3 datapoints";
      await cloudwatch.send(new SetAlarmStateCommand({ AlarmName, StateValue, StateReason }));
    };
    const names = ["health-ok", "health-alarm", "health-nodata", "health-muted"];
    try {
      await put("health-ok", "OK");
      await put("health-alarm", "ALARM");
      await put("health-nodata", "INSUFFICIENT_DATA");
      await put("health-muted", "OK", false);
      const config = configOf([], (changed) => {
        changed.environments = ground.config.environments ?? {};
      });
      const { code, states, readings } = await health(config);
      expect(code).toBe(4);
      expect(states).toMatchObject({
        [`alarm dev+prod ${region}/health-ok`]: "ok",
        [`alarm dev+prod ${region}/health-alarm`]: "fail",
        [`alarm dev+prod ${region}/health-nodata`]: "unknown",
        [`alarm dev+prod ${region}/health-muted`]: "unmonitored",
        [`ec2 dev+prod ${region}/instances`]: "ok",
      });
      expect(readings.find(({ state }) => state === "fail")?.detail).toBe(
        "ALARM; Threshold Crossed: 3 datapoints",
      );
      const elsewhere = await health(config, "--region", "us-west-2");
      expect(elsewhere.code).toBe(0);
      expect(Object.keys(elsewhere.states)).toEqual(["ec2 dev+prod us-west-2/instances"]);
    } finally {
      await cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: names }));
      cloudwatch.destroy();
    }
  });

  test("that denies, or belongs to somebody else, is not well", async () => {
    // It speaks EC2 and STS, and nothing that watches.
    const other = await makeAwsGround();
    try {
      other.configure((config) => {
        delete config.environments?.["prod"];
      });
      const denied = await other.lcops("health");
      expect(denied.code).toBe(3);
      expect(
        denied.stdout
          .trimEnd()
          .split("\n")
          .map((line) => line.split("\t")[0]),
      ).toEqual(Array(5).fill("unknown"));
      expect(denied.stdout).toMatch(
        /\talarm\tdev us-east-1\tcloudwatch:DescribeAlarms in us-east-1/,
      );
      expect(denied.stderr).toMatch(/^lcops: 5 unknown: alarm dev us-west-2, /m);
      other.configure((config) => {
        Object.assign(config.environments?.["dev"]?.aws ?? {}, { account: ACCOUNTS.prod });
      });
      const strange = await other.lcops("health");
      expect(strange.code).toBe(3);
      expect(strange.stdout.match(/belongs to account 111111111111/g)).toHaveLength(5);
    } finally {
      await other.remove();
    }
  });
});
