/** The schema of `lcops.config.json`: the types, the validation and the published JSON Schema all come from here. */
import * as z from "zod/mini";
import { makeBackupsSchema } from "./backup-schema.ts";
import { consistencySchema } from "./consistency-schema.ts";
import { notifySchema } from "./notify-schema.ts";
import {
  hostName,
  type login,
  matching,
  name,
  orAbsent,
  path,
  port,
  type reachable,
  region,
  text,
  type tls,
  userName,
} from "./schema-fields.ts";
import { workstationSchema } from "./workstation-schema.ts";

const aws = z.strictObject({
  profile: orAbsent(text, "Profile of ~/.aws/config"),
  account: orAbsent(
    matching(/^\d{12}$/, "an account id has twelve digits"),
    "Account that the profile must belong to",
  ),
  regions: orAbsent(z.array(region), "Regions in which its hosts stand"),
  alarms: orAbsent(
    z.array(text).check(z.minLength(1, "name at least one alarm")),
    "CloudWatch alarms by name, * and ? for any letters: while one of them does not say OK, no further host of the environment is upgraded",
  ),
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

const number = (what: string, most: number) => z.int(what).check(z.gte(1, what), z.lte(most, what));

const fleet = z.strictObject({
  notify: orAbsent(z.array(name), "Who is told how commands and upgrades of the fleet have ended"),
  atOnce: orAbsent(
    number("a number of hosts from 1 to 200 is expected", 200),
    "How many hosts a command runs on at the same time; 20 when absent",
  ),
  limitSeconds: orAbsent(
    number("a number of seconds is expected", 86_400),
    "Past it a command of fleet run is no longer waited for; 600 when absent",
  ),
  maxFailures: orAbsent(
    z.int("a number of hosts is expected").check(z.gte(0, "a number of hosts is expected")),
    "So many hosts of an upgrade may fail, be unreachable or unknown before no further one is begun; 1 when absent, none of the canaries",
  ),
  reboot: orAbsent(z.boolean(), "Whether an upgrade reboots hosts that want it; false when absent"),
  upgradeMinutes: orAbsent(
    number("a number of minutes is expected", 1_440),
    "How long a host may take to upgrade, and again to come back from a reboot; 60 when absent",
  ),
  soakSeconds: orAbsent(
    z.int("a number of seconds is expected").check(z.gte(0, "a number of seconds is expected")),
    "How long upgraded hosts are left to work before their services are asked again and others follow; 30 when absent",
  ),
});

/** A service of any kind, with the settings that several kinds have. `is` of its kind tells of the others (src/services/). */
export interface ServiceConfig extends Partial<
  z.output<z.ZodMiniObject<typeof reachable & typeof login & { tls: typeof tls }>>
> {
  kind: string;
}

/** A service that has a port. */
export type ReachableConfig = ServiceConfig & { port: number };

/** Returns whether a service has a port: a bucket is reached through AWS alone. Pure. */
export const hasPort = (service: ServiceConfig): service is ReachableConfig =>
  service.port !== undefined;

/** A part of the configuration that names what is not so in another part. */
export interface BrokenReference {
  path: PropertyKey[];
  message: string;
}

/** The part of a kind of service that a configuration is read by; src/services/ declares the kinds. */
export interface KindSettings<C extends ServiceConfig = ServiceConfig> {
  kind: C["kind"];
  /** Schema of a service of the kind. */
  settings: z.ZodMiniType<C> & z.core.$ZodTypeDiscriminable;
  /** Schema of its part of a backup job, `jobs.NAME.KIND`; absent: it has none. */
  jobSettings?: z.ZodMiniType;
  /** Returns the mistakes of a service that its schema cannot see. Their paths begin in the service. Pure. */
  checkService?(service: C, config: Config): BrokenReference[];
  /** Returns the mistakes of the backup jobs of the kind. Pure. */
  checkJobs?(config: Config): BrokenReference[];
}

/** The kinds of service that a configuration may have. */
export type Kinds = readonly [KindSettings, ...KindSettings[]];

/** Returns the schema of the whole file. Cross references are checked by `checkReferences`, once the shapes are right. */
export function makeConfigSchema(kinds: Kinds) {
  const [first, ...others] = kinds;
  const names = kinds.map(({ kind }) => kind);
  const service = z.discriminatedUnion(
    "kind",
    [first.settings, ...others.map(({ settings }) => settings)],
    `a kind is expected: ${names.slice(0, -1).join(", ")} or ${names.at(-1)}`,
  );
  return z.strictObject({
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
    backups: orAbsent(makeBackupsSchema(kinds), "What is backed up, and where to"),
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
    fleet: orAbsent(fleet, "How commands and upgrades run on many hosts"),
    workstation: orAbsent(workstationSchema, "What belongs to the developer's own machine"),
    menu: orAbsent(
      z.array(z.strictObject({ title: text, entries: z.array(menuEntry) })),
      "The menu, group by group",
    ),
  });
}

export type Config = z.output<ReturnType<typeof makeConfigSchema>>;
export type HostConfig = z.output<typeof host>;
export type AddressConfig = z.output<typeof address>;
export type MenuEntryConfig = z.output<typeof menuEntry>;
