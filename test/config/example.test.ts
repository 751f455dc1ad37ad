import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { planMenu } from "../../src/commands/plan-menu.ts";
import { makeJsonSchema } from "../../src/config/json-schema.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { makeConfigSchema } from "../../src/config/schema.ts";
import { findMistakes, propertyPaths, usedPaths, type Schema } from "./json-schema-reader.ts";
import { KINDS } from "../../src/services/registry.ts";

const EXAMPLE = resolve(import.meta.dirname, "../../lcops.config.example.json");
const example: unknown = JSON.parse(await readFile(EXAMPLE, "utf8"));
const schema = makeJsonSchema(KINDS) as Schema;

/** Every key that the example has no use for. */
const REST = {
  ssh: { configFile: "~/.ssh/work" },
  environments: {
    dev: { production: false, aws: { profile: "dev", account: "111111111111", opsworks: true } },
  },
  hosts: {
    bastion: { port: 2222 },
    web: { address: { dyn: { tags: { Name: "web" }, region: "eu-west-1" } }, jump: ["bastion"] },
    fixed: { address: { eip: { allocation: "eipalloc-1", region: "eu-west-1" } }, use: "private" },
    tagged: { address: { eip: { tags: { Name: "web" }, region: "eu-west-1" } } },
  },
  services: Object.fromEntries(
    ["http", "graphite", "elasticsearch", "monit", "redis", "mysql"].flatMap((kind) => [
      [
        `${kind}-behind`,
        { kind, host: "web", address: "10.0.0.1", port: 80, localPort: portOf(kind), title: kind },
      ],
      [`${kind}-direct`, { kind, environment: "dev", address: "x.example.com", port: 80 }],
      ...(["monit", "redis", "mysql"].includes(kind)
        ? [[`${kind}-login`, { kind, address: "x", port: 1, password: "${env:SECRET}" }]]
        : []),
    ]),
  ),
  menu: [{ title: "All", entries: [{ key: "1", label: "Web", host: "web" }] }],
};
const MORE = {
  services: {
    monit: { kind: "monit", address: "x", port: 1, user: "admin" },
    school: {
      kind: "mysql",
      address: "x",
      port: 1,
      replica: { host: "web", address: "y", port: 2 },
    },
    stats: {
      kind: "graphite",
      address: "x",
      port: 80,
      metrics: { diskFree: "collectd.{host}.df-{mount}.df_complex-free" },
    },
    page: { kind: "http", address: "x", port: 1, path: "/" },
    essays: { kind: "s3", bucket: "essays", prefix: "a", region: "eu-west-1", environment: "dev" },
    cache: {
      kind: "redis",
      address: "x",
      port: 1,
      user: "operator",
      database: 3,
      tls: { ca: "/ca.pem", serverName: "cache", certificate: "/c.pem", key: "/k.pem" },
    },
  },
  menu: [{ title: "All", entries: [{ key: "1", label: "Page", service: "page" }] }],
  fleet: {
    atOnce: 8,
    limitSeconds: 60,
    maxFailures: 0,
    reboot: true,
    upgradeMinutes: 30,
    soakSeconds: 0,
  },
  workstation: {
    services: {
      apache: { kind: "systemd", key: "1", title: "Apache2", unit: "apache2" },
      old: { kind: "sysv", script: "apache2" },
      xdebug: {
        kind: "php-module",
        module: "xdebug",
        version: "8.2",
        sapi: "apache2",
        server: "apache",
      },
      rewrite: { kind: "apache-module", module: "rewrite", server: "apache" },
      log: {
        kind: "mysql-variable",
        variable: "slow_query_log",
        on: "ON",
        off: "OFF",
        with: { long_query_time: 0.5 },
        minutes: 10,
        socket: "/run/mysqld/mysqld.sock",
      },
      ram: { kind: "ram-mysql", seed: "~/seed.sql", port: 3307, folder: "/rammysql", sizeMb: 1024 },
      worker: { kind: "command", status: ["a"], on: ["b"], off: ["c"], root: true },
    },
    launches: {
      ja: {
        kind: "jmeter",
        key: "j",
        plan: "~/plan.jmx",
        program: "~/jmeter/bin/jmeter",
        properties: { users: 2, isFast: true, token: "${env:TOKEN}" },
        minutes: 5,
      },
      web: { kind: "app", run: ["a"], folder: "~/app", url: "http://localhost:9/", seconds: 30 },
    },
    repositories: { app: { folder: "~/app", url: "git@example.com:team/app.git" } },
  },
  consistency: {
    school: {
      service: "school",
      databases: ["school"],
      exclude: ["school.sessions"],
      schema: { services: ["other"], folder: "~/schema" },
      references: [
        { table: "a", column: "b", toTable: "shop.c", toColumn: "id", nullValues: ["0"] },
      ],
      objects: [
        {
          table: "a",
          column: "b",
          bucket: "files",
          prefix: "x/",
          region: "eu-west-1",
          environment: "dev",
          sizeColumn: "c",
          changedColumn: "d",
          graceMinutes: 0,
        },
      ],
      search: [
        {
          table: "a",
          column: "b",
          service: "search",
          index: "posts",
          versionColumn: "c",
          versionField: "c",
          changedColumn: "d",
          graceMinutes: 5,
        },
      ],
      items: [
        {
          table: "a",
          columns: ["b", "c"],
          dynamoTable: "items",
          region: "eu-west-1",
          environment: "dev",
          changedColumn: "d",
          graceMinutes: 5,
        },
      ],
      baseline: "~/known.json",
      maxLagSeconds: 10,
      maxRunning: 25,
    },
  },
  notify: {
    chat: { command: ["logger"], when: "always" },
    hook: { webhook: "${env:HOOK}", when: "trouble" },
    room: {
      xmpp: {
        room: "ops@rooms.example.com",
        user: "lcops@example.com",
        password: "${env:CHAT}",
        nick: "watch",
        roomPassword: "${env:ROOM}",
        server: "chat.example.com:5222",
        ca: "~/ca.pem",
      },
    },
  },
  backups: {
    destinations: {
      server: { folder: "/srv/backups" },
      operator: { bucket: "backups", prefix: "a/b", region: "eu-west-1", environment: "dev" },
    },
    recipients: [],
    timeZone: "Europe/Dublin",
    jobs: {
      school: {
        service: "school",
        destinations: ["server"],
        recipients: [],
        maxAgeHours: 26,
        drillDays: 35,
        scratch: "scratch",
        copy: "copy",
        mysql: { exclude: ["shop.tmp"], rdsSnapshot: "school" },
      },
      stats: { service: "stats", graphite: { folder: "/srv/whisper" } },
      logs: {
        service: "logs",
        elasticsearch: {
          way: "export",
          repository: "logs",
          register: { type: "fs", settings: { location: "logs", compress: true } },
          indices: ["logs-*"],
        },
      },
      essays: {
        service: "essays",
        s3: {
          to: { bucket: "copy", prefix: "essays", region: "eu-west-1", environment: "dev" },
          remove: { atMost: 100 },
          shrinkPercent: 30,
          auditDays: 7,
        },
      },
      disk: { service: "essays", s3: { to: { folder: "/srv/essays" } } },
    },
  },
};

function portOf(kind: string): number {
  return 20_000 + kind.length * 10 + kind.charCodeAt(0);
}

describe("the example of the estate", () => {
  test("is valid, and loses nothing when it is read", () => {
    expect(loadConfig(EXAMPLE, KINDS)).toEqual(example);
  });

  test("has every line of the old script's menu, with its wording", () => {
    const lines = planMenu(loadConfig(EXAMPLE, KINDS)).flatMap(({ title, choices }) => [
      title,
      ...choices.map(({ key, label }) => `${key}) ${label}`),
    ]);
    // awsConnect.sh; its three entries for Monit shared the port 2812, here each has its own.
    expect(lines.slice(0, 35)).toEqual([
      "MySQL:",
      "0) RAW @ RDS-MYSQL (v3)",
      "EC2:",
      "1) [EIP] SSH @ GraphStats => http://localhost:2180/ (Graphite)",
      "2) [EIP] SSH @ TextLogs => http://localhost:5601/ (Kibana)",
      "3) [EIP] SSH @ TextLogs => http://localhost:9200/ (API)",
      "4) [DYN] SSH @ RedisCache => tcp://localhost:16379/ (Console)",
      "5) [DYN] SSH @ DevServices",
      "6) [DOM] SSH @ WorkerStats => http://localhost:2812/ (Monit)",
      "OPWS:",
      "7) SSH @ dev-api3-2 => http://localhost:2813/ (Monit)",
      "8) SSH @ prod-api3-1 => http://localhost:2814/ (Monit)",
      "CI:",
      "o) [EIP] SSH @ Jenkins-Oregon => http://localhost:18081/ (Jenkins)",
      "Backups:",
      "b) Backup W+E+R",
      "ba) Backup AWS-S3",
      "be) Backup Elasticsearch",
      "bg) Backup Graphite",
      "bm) Backup MySQL",
      "bs) What is backed up where",
      "bd) Prove the newest sets",
      "Redis Flush:",
      "rd) ADM @ dev-api3-2",
      "rp) ADM @ prod-api3-1",
      "List AWS - instances:",
      "li) ap+us+eu",
      "Update & Upgrade:",
      "uu) ap+us+eu",
      "Tunnels:",
      "t) In the background",
      "tc) Close those in the background",
      "Workstation:",
      "m) The panel of this machine",
      "repo) app+api+worker+devtools+cookbook+webpage",
    ]);
  });

  test("marks each environment as production or not", () => {
    const { environments = {} } = loadConfig(EXAMPLE, KINDS);
    expect(
      Object.entries(environments).map(([name, { production }]) => [name, production]),
    ).toEqual([
      ["dev", false],
      ["prod", true],
    ]);
  });
});

describe("the published JSON Schema", () => {
  test("is draft 7 and closed: an unknown key is a mistake in the editor too", () => {
    expect(schema["$schema"]).toBe("http://json-schema.org/draft-07/schema#");
    expect(findMistakes(schema, { hosst: {} })).toEqual([" must NOT have additional properties"]);
    expect(findMistakes(schema, { hosts: { web: { adress: 1 } } })).toEqual([
      "/hosts/web must NOT have additional properties",
    ]);
    expect(findMistakes(schema, { hosts: { web: { port: 65_536 } } })).toEqual([
      "/hosts/web/port must be <= 65535",
    ]);
    expect(findMistakes(schema, { hosts: { "a b": {} } })).not.toEqual([]);
  });

  test("accepts the example and the samples, as the program does", () => {
    for (const sample of [example, REST, MORE]) {
      expect(makeConfigSchema(KINDS).safeParse(sample).success).toBe(true);
      expect(findMistakes(schema, sample)).toEqual([]);
    }
  });

  test("has a property for every key of the samples, and no other", () => {
    const used = new Set([example, REST, MORE].flatMap((sample) => usedPaths(schema, sample)));
    expect([...used].toSorted()).toEqual([...new Set(propertyPaths(schema))].toSorted());
  });

  test("describes what an editor shows", () => {
    const described = propertyPaths(schema, ({ description }) => description !== undefined);
    for (const path of [
      "hosts",
      "hosts.*.jump",
      "services.*.localPort",
      "environments.*.production",
    ])
      expect(described).toContain(path);
  });
});
