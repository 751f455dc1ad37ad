/** The lcops configuration of a lab: the estate of awsConnect.sh, at the addresses where it runs now. */
import path from "node:path";
import { lookUpThroughEc2 } from "./config-inventory.ts";
import { parseConfig } from "../support/known-config.ts";
import type { HostConfig } from "../../src/config/schema.ts";
import type { Config, ServiceConfig } from "../support/known-config.ts";
import { MACHINES } from "./estate.ts";
import type { Machine } from "./estate.ts";
import type { LabDescription, LabHost, LabOptions } from "./lab.ts";
import { buildMenu } from "./menu.ts";

type PickPort = (address: string, wished?: number) => Promise<number>;
type Found = Pick<
  LabDescription,
  "hosts" | "services" | "sshConfigFile" | "aws" | "s3" | "backups" | "repositories"
>;

/** The tunnels' ports in awsConnect.sh; Monit's three, which shared one, have one each, and the caches theirs. */
export const FAMILIAR_PORTS: Record<string, number> = {
  graphite: 2180,
  kibana: 5601,
  elasticsearch: 9200,
  redis: 16379,
  "prod-cache": 16380,
  "dev-cache": 16381,
  "worker-monit": 2812,
  "dev-monit": 2813,
  "prod-monit": 2814,
  jenkins: 18081,
};

function describeHost(machine: Machine, host: LabHost): HostConfig {
  const { environment, role, region } = machine;
  if (machine.addressFrom === "ssh config") return { environment, role, region };
  // Where `localhost` is no name at all, the host has the number of its own.
  const named =
    machine.addressFrom === "dns" &&
    (host.otherAddresses.length > 0 || host.address === "127.0.0.1");
  const address = named ? { dns: "localhost" } : { eip: host.address };
  const jump = machine.isPrivate ? { jump: ["bastion"] } : {};
  return { environment, role, region, address, port: host.port, ...jump };
}

function describeServices({ services, s3 }: Found): Record<string, ServiceConfig> {
  const { mysql, redis, devRedis, graphite, monit, elasticsearch, kibana, jenkins } = services;
  const watch = (host: string): Record<string, ServiceConfig> => {
    const found = monit?.[host];
    if (!found) return {};
    const name = host === "WorkerStats" ? "worker-monit" : `${host.split("-")[0]}-monit`;
    const password = `\${file:${found.passwordFile}}`;
    return {
      [name]: { kind: "monit", host, port: found.port, user: found.user, password, title: "Monit" },
    };
  };
  return {
    ...(graphite && {
      graphite: {
        kind: "graphite",
        host: "GraphStats",
        port: graphite.port,
        title: "Graphite",
        metrics: {
          lines: {
            load: "servers.{host}.load.1min",
            logins: "sumSeries(stats.counters.*.logins.count)",
          },
        },
      },
    }),
    ...(kibana && {
      kibana: { kind: "http", host: "TextLogs", port: kibana.port, path: "/", title: "Kibana" },
    }),
    ...(elasticsearch && {
      elasticsearch: {
        kind: "elasticsearch",
        host: "TextLogs",
        port: elasticsearch.port,
        title: "API",
      },
    }),
    ...(redis && {
      redis: {
        kind: "redis",
        host: "RedisCache",
        address: redis.address,
        port: redis.port,
        title: "Console",
      },
      // As the API servers see it.
      "prod-cache": {
        kind: "redis",
        host: "prod-api3-1",
        address: redis.address,
        port: redis.port,
        title: "Cache",
      },
    }),
    ...(devRedis && {
      "dev-cache": {
        kind: "redis",
        host: "dev-api3-2",
        address: devRedis.address,
        port: devRedis.port,
        title: "Cache",
      },
    }),
    ...watch("WorkerStats"),
    ...watch("dev-api3-2"),
    ...watch("prod-api3-1"),
    ...(jenkins && {
      jenkins: {
        kind: "http",
        host: "Jenkins-Oregon",
        port: jenkins.port,
        path: "/",
        title: "Jenkins",
      },
    }),
    ...(s3 && {
      submissions: {
        kind: "s3",
        environment: "dev",
        bucket: s3.submissions.bucket,
        region: s3.region,
        title: "Submissions",
      },
    }),
    ...(mysql && {
      school: {
        kind: "mysql",
        environment: "prod",
        address: mysql.primary.address,
        port: mysql.primary.port,
        user: "app",
        password: `\${file:${mysql.passwordFiles["app"]}}`,
        database: mysql.database,
        ...(mysql.replica && {
          replica: { address: mysql.replica.address, port: mysql.replica.port },
        }),
      },
    }),
  };
}

/** The jobs of the estate; the server's destination is a bucket where there is S3. */
function describeBackups({ services, s3, backups }: Found): Pick<Config, "backups"> {
  const { graphite, mysql, elasticsearch } = services;
  if (!backups || (!graphite && !mysql && !s3 && !elasticsearch?.node)) return {};
  const keep = { last: 2, daily: 7, weekly: 4 };
  return {
    backups: {
      destinations: {
        server: s3
          ? { bucket: s3.bucket, prefix: "lab", region: s3.region, environment: "dev" }
          : { folder: path.join(backups.folder, "server") },
        operator: { folder: path.join(backups.folder, "operator") },
      },
      recipients: [backups.recipient],
      identities: [`\${file:${backups.identityFile}}`],
      jobs: {
        ...(graphite && {
          graphite: {
            service: "graphite",
            graphite: { folder: graphite.whisperFolder },
            schedule: "45 2 * * *",
            keep,
          },
        }),
        ...(mysql && { mysql: { service: "school", schedule: "15 2 * * *", keep } }),
        // A page that stands for it has nothing to back up.
        ...(elasticsearch?.node && {
          elasticsearch: {
            service: "elasticsearch",
            elasticsearch: {
              repository: "lab",
              register: { type: "fs", settings: { location: "lab" } },
              // What tests put there comes and goes.
              indices: ["logstash-*"],
            },
            schedule: "30 2 * * *",
            keep,
          },
        }),
        ...(s3 && {
          s3: {
            service: "submissions",
            s3: { to: { bucket: s3.submissions.copy, region: s3.region, environment: "dev" } },
            schedule: "15 3 * * *",
            keep,
          },
        }),
      },
    },
  };
}

/** What must be true of the school; what tests make beside it comes and goes. */
function describeConsistency({ services }: Found): Pick<Config, "consistency"> {
  const { mysql } = services;
  if (!mysql) return {};
  return {
    consistency: {
      school: {
        service: "school",
        databases: [mysql.database],
        references: [
          {
            table: "daily_statistics",
            column: "language",
            toTable: "teachers",
            toColumn: "language",
          },
        ],
      },
    },
  };
}

/** Who is told: the team, in its room. */
function describeNotify({ services }: Found): Pick<Config, "notify" | "health"> {
  const { xmpp } = services;
  if (!xmpp) return {};
  return {
    notify: {
      team: {
        xmpp: {
          room: xmpp.room,
          user: `lcops@${xmpp.domain}`,
          password: `\${file:${xmpp.passwordFiles["lcops"]}}`,
          server: `${xmpp.address}:${xmpp.port}`,
          ca: xmpp.authorityFile,
        },
        mentionAll: "fail",
      },
    },
    health: { notify: ["team"] },
  };
}

function describeAws(profile: string, aws: LabDescription["aws"]) {
  return aws && { aws: { profile, account: aws.accountId, regions: aws.regions } };
}

/**
 * Takes what runs, a finder of free ports and which ports are wished for the tunnels; returns the configuration.
 * Throws when it does not follow the schema.
 */
export async function buildConfig(
  found: Found,
  pickPort: PickPort,
  ports: LabOptions["ports"],
): Promise<Config> {
  const machines = MACHINES.filter((machine) => found.hosts[machine.name]);
  const hosts = Object.fromEntries(
    machines.flatMap((machine) => {
      const host = found.hosts[machine.name];
      return host ? [[machine.name, describeHost(machine, host)]] : [];
    }),
  );
  const services = describeServices(found);
  for (const [name, service] of Object.entries(services)) {
    if (!service.host) continue;
    service.localPort = await pickPort(
      "127.0.0.1",
      ports === "familiar" ? FAMILIAR_PORTS[name] : undefined,
    );
  }
  const config = parseConfig({
    defaultEnvironment: "dev",
    environments: {
      dev: { production: false, ...describeAws("dev", found.aws) },
      prod: { production: true, ...describeAws("prod", found.aws) },
    },
    ssh: { configFile: found.sshConfigFile },
    hosts,
    services,
    ...describeBackups(found),
    ...describeConsistency(found),
    ...describeNotify(found),
    ...(found.repositories && { workstation: { repositories: found.repositories } }),
    menu: buildMenu(new Set(Object.keys(hosts)), new Set(Object.keys(services))),
  });
  // The two that awsConnect.sh marks as DYN.
  return found.aws
    ? lookUpThroughEc2(config, ["RedisCache", "DevServices"], { use: "private" })
    : config;
}
