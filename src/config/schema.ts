/**
 * The one schema of `lcops.config.json`: the types, the validation and the published JSON Schema all come from here.
 * In zod's mini form, since every command loads it: a third of the code of the other.
 */
import { en } from "zod/locales";
import * as z from "zod/mini";
import { backupsSchema } from "./backup-schema.ts";
import { consistencySchema } from "./consistency-schema.ts";
import { fleetSchema } from "./fleet-schema.ts";
import { metricsSchema } from "./metrics-schema.ts";
import { notifySchema } from "./notify-schema.ts";
import {
  bucketFields,
  hostName,
  matching,
  name,
  orAbsent,
  path,
  region,
  secret,
  text,
} from "./schema-fields.ts";
import { workstationSchema } from "./workstation-schema.ts";

// A configuration is read once a run: compiling its checks would cost more than it saves.
z.config({ ...en(), jitless: true });

const PORT_RANGE = "a port is a whole number from 1 to 65535";
const port = z.int(PORT_RANGE).check(z.gte(1, PORT_RANGE), z.lte(65535, PORT_RANGE));
const userName = matching(/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$/, "a user name is expected");
const aws = z.strictObject({
  profile: orAbsent(text, "Profile of ~/.aws/config"),
  account: orAbsent(
    matching(/^\d{12}$/, "an account id has twelve digits"),
    "Account that the profile must belong to",
  ),
  regions: orAbsent(z.array(region), "Regions in which its hosts stand"),
  opsworks: orAbsent(
    z.boolean(),
    "Whether OpsWorks Stacks' API is asked too, where an endpoint still answers it",
  ),
});

const environment = z.strictObject({
  production: orAbsent(
    z.boolean(),
    "Whether what destroys must be confirmed by name; an environment that does not say is guarded as production",
  ),
  aws: orAbsent(aws, "How this environment is reached in AWS"),
});

const tags = z
  .record(text, text)
  .check(z.refine((given) => Object.keys(given).length > 0, "name at least one tag"));
const address = z.union(
  [
    z.strictObject({
      eip: z
        .union([
          hostName,
          z.strictObject({
            allocation: matching(/^eipalloc-[0-9a-z]+$/, "an allocation id is expected"),
            region: z.optional(region),
          }),
          z.strictObject({ tags: tags, region: z.optional(region) }),
        ])
        .check(z.describe("The elastic IP: its address, its allocation id, or its tags")),
    }),
    z.strictObject({ dns: hostName.check(z.describe("The DNS name, resolved at each connect")) }),
    z.strictObject({
      dyn: z
        .strictObject({ tags: tags, region: z.optional(region) })
        .check(
          z.describe("Looked up through EC2 at each connect: the running instance with these tags"),
        ),
    }),
  ],
  'an address is {"eip": …}, {"dns": …} or {"dyn": {"tags": …}}',
);

const host = z.strictObject({
  environment: orAbsent(name, "Environment to which it belongs"),
  role: orAbsent(name, "What it is for, to select it by"),
  region: orAbsent(name, "Where it stands, to select it by"),
  address: orAbsent(
    address,
    "Where it is; absent: what the sources or ~/.ssh/config say of its name",
  ),
  use: orAbsent(
    z.enum(["public", "private"]),
    "Which address of an instance; absent: the public one where it has one",
  ),
  user: orAbsent(userName, "User to log in as"),
  port: orAbsent(port, "Port of its sshd, 22 when absent"),
  jump: orAbsent(
    z.array(name).check(z.minLength(1, "name at least one host")),
    "Hosts to go through, outermost first",
  ),
});

const reachable = {
  environment: orAbsent(name, "Environment of a service without a host"),
  host: orAbsent(name, "Host through which it is reached; absent: directly"),
  address: orAbsent(hostName, "Its address as seen from there; 127.0.0.1 on a host"),
  port,
  localPort: orAbsent(port, "Port of its tunnel on this machine"),
  title: orAbsent(text, "Its name in the menu"),
};
const login = {
  user: orAbsent(userName, "User to log in as"),
  password: orAbsent(secret, "Password of that user"),
};

const tls = z.union([
  z.literal(true),
  z.strictObject({
    ca: orAbsent(path, "Certificates of the authorities, instead of the known ones"),
    serverName: orAbsent(hostName, "The name in its certificate, the address when absent"),
    certificate: orAbsent(path, "Certificate with which to log in"),
    key: orAbsent(path, "Private key of that certificate"),
  }),
]);

const service = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({
      kind: z.literal("http"),
      ...reachable,
      path: orAbsent(
        matching(/^\/[!-~]{0,2000}$/, "a path starts with / and has no spaces"),
        "Page that must answer",
      ),
    }),
    z.strictObject({
      kind: z.literal("graphite"),
      ...reachable,
      metrics: orAbsent(metricsSchema, "What health asks of its metrics"),
    }),
    z.strictObject({ kind: z.literal("elasticsearch"), ...reachable, ...login }),
    z.strictObject({
      kind: z.literal("s3"),
      environment: orAbsent(name, "Environment whose profile opens it"),
      ...bucketFields,
      title: reachable.title,
    }),
    z.strictObject({
      kind: z.literal("monit"),
      ...reachable,
      ...login,
      tls: orAbsent(tls, "Whether it is spoken to over TLS, and how it is known"),
    }),
    z.strictObject({
      kind: z.literal("redis"),
      ...reachable,
      ...login,
      database: orAbsent(
        z.int().check(z.gte(0, "a database has a number from 0")),
        "Number of the database, 0 when absent",
      ),
      tls: orAbsent(tls, "Whether it is spoken to over TLS, and how it is known"),
    }),
    z.strictObject({
      kind: z.literal("mysql"),
      ...reachable,
      ...login,
      database: orAbsent(
        matching(/^[^-/\\.\p{Cc}][^/\\.\p{Cc}]{0,63}$/u, "a database name is expected"),
        "Database to open",
      ),
      replica: orAbsent(
        z.strictObject({
          host: z.optional(name),
          address: z.optional(hostName),
          port: z.optional(port),
        }),
        "The server to read from, with --replica",
      ),
    }),
  ],
  "a kind is expected: http, graphite, elasticsearch, s3, monit, redis or mysql",
);

const key = matching(/^[A-Za-z0-9]{1,8}$/, "a key is one to eight letters or digits");
const menuEntry = z.union(
  [
    z.strictObject({
      key,
      label: z.optional(text),
      service: name.check(z.describe("A shell on its host, with its port forwarded")),
    }),
    z.strictObject({
      key,
      label: z.optional(text),
      host: name.check(z.describe("A shell on this host")),
    }),
    z.strictObject({
      key,
      label: text,
      run: z
        .array(text)
        .check(
          z.minLength(1, "a command is expected"),
          z.describe("An lcops command line, word by word"),
        ),
    }),
  ],
  "an entry is {key, service}, {key, host} or {key, label, run}",
);

/** The whole file. Cross references are checked by `checkReferences`, once the shapes are right. */
export const configSchema = z.strictObject({
  $schema: z.optional(z.string()),
  defaultEnvironment: orAbsent(name, "Environment of commands that need one and are given none"),
  environments: orAbsent(
    z.record(name, environment),
    "What belongs together, and whether it is production",
  ),
  ssh: orAbsent(
    z.strictObject({ configFile: orAbsent(path, "Instead of the user's ~/.ssh/config") }),
    "How ssh is used",
  ),
  hosts: orAbsent(z.record(name, host), "Machines, by name"),
  services: orAbsent(
    z.record(name, service),
    "What runs on them or beside them, by name; a tunnel has the name of its service",
  ),
  backups: orAbsent(backupsSchema, "What is backed up, and where to"),
  consistency: orAbsent(
    z.record(name, consistencySchema),
    "What db check checks, by name; absent: each MySQL service and its replica",
  ),
  notify: orAbsent(
    z.record(name, notifySchema),
    "Who can be told of what happened; when: of trouble only, unless it says always",
  ),
  health: orAbsent(
    z.strictObject({
      notify: orAbsent(
        z.array(name),
        "Who is told when something gets worse or well again, by lcops health where nobody can be asked (cron)",
      ),
    }),
    "How everything is",
  ),
  fleet: orAbsent(fleetSchema, "How commands and upgrades run on many hosts"),
  workstation: orAbsent(workstationSchema, "What belongs to the developer's own machine"),
  menu: orAbsent(
    z.array(z.strictObject({ title: text, entries: z.array(menuEntry) })),
    "The menu, group by group",
  ),
});

export type Config = Omit<z.output<typeof configSchema>, "services"> & {
  services?: Record<string, ServiceConfig> | undefined;
};
export type HostConfig = z.output<typeof host>;
export type AddressConfig = z.output<typeof address>;
/** What is reached by a port, and what through AWS alone. */
export type ReachableConfig = Exclude<z.output<typeof service>, { kind: "s3" }>;
type BucketConfig = Extract<z.output<typeof service>, { kind: "s3" }> & {
  [Field in "host" | "address" | "port" | "localPort"]?: undefined;
};
export type ServiceConfig = ReachableConfig | BucketConfig;
export type RedisConfig = Extract<ServiceConfig, { kind: "redis" }>;
export type MonitConfig = Extract<ServiceConfig, { kind: "monit" }>;
export type MysqlConfig = Extract<ServiceConfig, { kind: "mysql" }>;
export type ServiceKind = ServiceConfig["kind"];
export type MenuEntryConfig = z.output<typeof menuEntry>;
