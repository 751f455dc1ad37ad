/** The one schema of `lcops.config.json`: the types, the validation and the published JSON Schema all come from here. */
import { z } from "zod";

/** Names reach menus, file names and `ssh` command lines, so they are plain words that cannot be taken for an option. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const name = z
  .string()
  .regex(
    NAME,
    "a name is letters, digits, dot, dash and underscore, and starts with a letter or digit",
  );

/** A host name or an IP address, as the resolver and `ssh` take it; never an option, never shell text. */
const hostName = z
  .string()
  .regex(/^[A-Za-z0-9:[][A-Za-z0-9.:%[\]_-]{0,254}$/, "a host name or an IP address is expected");

const port = z
  .int("a whole number is expected")
  .min(1, "a port is 1 to 65535")
  .max(65535, "a port is 1 to 65535");
const userName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$/, "a user name is expected");
const text = z
  .string()
  .min(1, "it must not be empty")
  .max(200, "at most 200 characters")
  // eslint-disable-next-line no-control-regex -- control characters are what is refused here
  .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, "control characters are not allowed");
const path = z
  .string()
  .min(1, "it must not be empty")
  // eslint-disable-next-line no-control-regex -- control characters are what is refused here
  .regex(/^[^\u0000-\u001f\u007f]*$/, "control characters are not allowed");

const secret = z
  .string()
  .regex(
    /^\$\{(env|file|command):[^}]+\}$/,
    "a secret is a reference, ${env:NAME}, ${file:PATH} or ${command:PROGRAM ARGUMENTS}, never the value itself",
  )
  .describe("Where the secret is kept: ${env:NAME}, ${file:PATH} or ${command:PROGRAM ARGUMENTS}");

const aws = z
  .strictObject({
    profile: text.optional().describe("Profile of ~/.aws/config"),
    account: z
      .string()
      .regex(/^\d{12}$/, "an account id has twelve digits")
      .optional()
      .describe("Account that the profile must belong to"),
    regions: z
      .array(z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "a region is expected, e.g. eu-west-1"))
      .optional(),
  })
  .describe("How this environment is reached in AWS");

const environment = z.strictObject({
  production: z
    .boolean()
    .optional()
    .describe(
      "Whether what destroys must be confirmed by name; an environment that does not say is guarded as production",
    ),
  aws: aws.optional(),
});

const address = z
  .union(
    [
      z.strictObject({ eip: hostName.describe("The elastic IP") }),
      z.strictObject({ dns: hostName.describe("The DNS name, resolved at each connect") }),
      z.strictObject({
        dyn: z
          .strictObject({ tags: z.record(z.string(), z.string()), region: z.string().optional() })
          .describe("Looked up through EC2 at each connect: the running instance with these tags"),
      }),
    ],
    'an address is {"eip": …}, {"dns": …} or {"dyn": {"tags": …}}',
  )
  .describe("Where the host is; absent: what the sources or ~/.ssh/config say of its name");

const host = z.strictObject({
  environment: name.optional(),
  role: name.optional(),
  region: name.optional(),
  address: address.optional(),
  user: userName.optional(),
  port: port.optional().describe("Port of its sshd, 22 when absent"),
  jump: z
    .array(name)
    .min(1, "name at least one host")
    .optional()
    .describe("Hosts to go through, outermost first"),
});

const reachable = {
  environment: name.optional().describe("Environment of a service without a host"),
  host: name.optional().describe("Host through which it is reached; absent: directly"),
  address: hostName.optional().describe("Its address as seen from there; 127.0.0.1 on a host"),
  port,
  localPort: port.optional().describe("Port of its tunnel on this machine"),
  title: text.optional().describe("Its name in the menu"),
};
const web = {
  path: z
    .string()
    .regex(/^\/[!-~]*$/, "a path starts with / and has no spaces")
    .optional()
    .describe("Page that must answer"),
};

const service = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("http"), ...reachable, ...web }),
    z.strictObject({ kind: z.literal("graphite"), ...reachable }),
    z.strictObject({ kind: z.literal("elasticsearch"), ...reachable }),
    z.strictObject({
      kind: z.literal("monit"),
      ...reachable,
      user: userName.optional(),
      password: secret.optional(),
    }),
    z.strictObject({ kind: z.literal("redis"), ...reachable, password: secret.optional() }),
    z.strictObject({
      kind: z.literal("mysql"),
      ...reachable,
      user: userName.optional(),
      password: secret.optional(),
      database: z
        .string()
        .regex(/^[^-/\\.\0][^/\\.\0]{0,63}$/, "a database name is expected")
        .optional(),
      replica: z
        .strictObject({
          host: name.optional(),
          address: hostName.optional(),
          port: port.optional(),
        })
        .optional()
        .describe("The server to read from, with --replica"),
    }),
  ],
  "a kind is expected: http, graphite, elasticsearch, monit, redis or mysql",
);

const key = z.string().regex(/^[A-Za-z0-9]{1,8}$/, "a key is one to eight letters or digits");
const menuEntry = z.union(
  [
    z.strictObject({
      key,
      label: text.optional(),
      service: name.describe("A shell on its host, with its port forwarded"),
    }),
    z.strictObject({ key, label: text.optional(), host: name.describe("A shell on this host") }),
    z.strictObject({
      key,
      label: text,
      run: z.array(text).min(1).describe("An lcops command line, word by word"),
    }),
  ],
  "an entry is {key, service}, {key, host} or {key, label, run}",
);
const menuGroup = z.strictObject({ title: text, entries: z.array(menuEntry) });

/** The whole file. Cross references are checked by `checkReferences`, once the shapes are right. */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional(),
    defaultEnvironment: name.optional().describe("Environment of commands that are given none"),
    environments: z.record(name, environment).optional(),
    ssh: z
      .strictObject({ configFile: path.optional().describe("Instead of the user's ~/.ssh/config") })
      .optional(),
    hosts: z.record(name, host).optional(),
    services: z.record(name, service).optional(),
    menu: z.array(menuGroup).optional(),
  })
  .describe("The estate that lcops runs");

export type Config = z.output<typeof configSchema>;
export type HostConfig = z.output<typeof host>;
export type AddressConfig = z.output<typeof address>;
export type ServiceConfig = z.output<typeof service>;
export type MysqlConfig = Extract<ServiceConfig, { kind: "mysql" }>;
export type ServiceKind = ServiceConfig["kind"];
export type MenuEntryConfig = z.output<typeof menuEntry>;
export type SecretReference = z.output<typeof secret>;
