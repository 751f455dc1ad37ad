import type { BadConfiguration } from "./bad-files.ts";

const NAME = "a name is letters";
const PORT = "a port is a whole number from 1 to 65535";
const ADDRESS = "an address is";
const SECRET = "a secret is a reference";

const write = (
  name: string,
  value: unknown,
  at: string,
  says: string,
  mistakes = 1,
): BadConfiguration => ({
  name,
  content: JSON.stringify(value, undefined, 2),
  at,
  says,
  mistakes,
});

const host = (part: unknown): unknown => ({ hosts: { web: part } });
const redis = (part: object): unknown => ({
  services: { cache: { kind: "redis", address: "cache.example.com", port: 6379, ...part } },
});
const entry = (part: unknown): unknown => ({ menu: [{ title: "Menu", entries: [part] }] });

const WRONG_TYPES: readonly BadConfiguration[] = [
  write("hosts as an array", { hosts: [] }, "hosts", "expected record"),
  write("hosts as null", { hosts: null }, "hosts", "expected record"),
  write("a host as a string", host("192.0.2.1"), "hosts.web", "expected object"),
  write("a user as a number", host({ user: 7 }), "hosts.web.user", "expected string"),
  write("a jump as a string", host({ jump: "bastion" }), "hosts.web.jump", "expected array"),
  write("no jump at all", host({ jump: [] }), "hosts.web.jump", "name at least one host"),
  write("a jump as null", host({ jump: [null] }), "hosts.web.jump[0]", "expected string"),
  write("an address as a string", host({ address: "::1" }), "hosts.web.address", ADDRESS),
  write("two addresses", host({ address: { eip: "::1", dns: "a.b" } }), "hosts.web", ADDRESS),
  write(
    "production as a word",
    { environments: { prod: { production: "yes" } } },
    "environments.prod.production",
    "expected boolean",
  ),
  write(
    "an account with eleven digits",
    { environments: { prod: { aws: { account: "12345678901" } } } },
    "environments.prod.aws.account",
    "twelve digits",
  ),
  write(
    "an account as a number",
    { environments: { prod: { aws: { account: 123456789012 } } } },
    "environments.prod.aws.account",
    "expected string",
  ),
  write(
    "a region that is none",
    { environments: { prod: { aws: { regions: ["Ireland"] } } } },
    "environments.prod.aws.regions[0]",
    "a region is expected",
  ),
  write("a menu as an object", { menu: {} }, "menu", "expected array"),
  write("a menu entry as a string", entry("1"), "menu[0].entries[0]", "an entry is"),
  write(
    "a menu entry that does two things",
    entry({ key: "1", host: "web", label: "x", run: ["hosts"] }),
    "menu[0].entries[0]",
    "an entry is",
  ),
  write(
    "an empty command",
    entry({ key: "1", label: "x", run: [] }),
    "menu[0].entries[0].run",
    "a command is expected",
  ),
  write("an unknown kind", redis({ kind: "oracle" }), "services.cache", "a kind is expected"),
  write("a kind from Object", redis({ kind: "toString" }), "services.cache", "a kind is expected"),
];

const UNKNOWN_KEYS: readonly BadConfiguration[] = [
  write("an unknown key at the top", { host: {} }, "host", "not known"),
  write("an unknown key of a host", host({ adress: {} }), "hosts.web.adress", "not known"),
  write("a key of another kind", redis({ replica: {} }), "services.cache.replica", "not known"),
  write("constructor as a key", { constructor: {} }, "constructor", "not known"),
  write(
    "an unknown key of an address",
    host({ address: { eip: "::1", port: 1 } }),
    "hosts.web.address.port",
    "not known",
  ),
  {
    name: "__proto__ at the top",
    content: '{"__proto__": {"menu": []}}',
    at: "__proto__",
    says: "this key is not allowed",
  },
  {
    name: "__proto__ as the name of a host",
    content: '{"hosts": {"__proto__": {"user": "root"}}}',
    at: "hosts.__proto__",
    says: "this key is not allowed",
  },
  {
    name: "__proto__ written with an escape",
    content: '{"services": {"\\u005f_proto__": {}}}',
    at: "services.__proto__",
    says: "this key is not allowed",
  },
  {
    name: "a key given twice",
    content: '{\n"hosts": {},\n"menu": [],\n"hosts": {}}',
    at: ":4: hosts",
    says: "this key is given twice",
  },
  {
    name: "a host given twice, once with an escape",
    content: '{"hosts": {"web": {},\n"w\\u0065b": {}}}',
    at: ":2: hosts.web",
    says: "this key is given twice",
  },
];

const PORTS: readonly BadConfiguration[] = [0, 65_536, -1, 80.5, "80", null, true].map((port) =>
  write(`the port ${JSON.stringify(port)}`, redis({ port }), "services.cache.port", PORT),
);

const HOSTILE_NAMES: readonly BadConfiguration[] = (
  [
    ["an escape sequence", "\u001b[31mred"],
    ["a C1 control character", "\u009b2J"],
    ["text that runs from right to left", "a\u202etxt"],
    ["shell text", "$(touch /tmp/lcops-was-here)"],
    ["an option", "-oProxyCommand=id"],
    ["spaces", "web one"],
    ["a line break", "web\nlcops: all is well"],
    ["300 characters", "w".repeat(300)],
    ["an emoji", "\u{1f600}"],
    ["two dots", ".."],
    ["a path", "/etc"],
    ["nothing", ""],
  ] as const
).map(([what, hostile]) =>
  write(`a host named by ${what}`, { hosts: { [hostile]: {} } }, "hosts", NAME),
);

const HOSTILE_VALUES: readonly BadConfiguration[] = [
  write("an option as a user", host({ user: "-l" }), "hosts.web.user", "a user name is expected"),
  write(
    "an option as an address",
    redis({ address: "-oX" }),
    "services.cache.address",
    "a host name",
  ),
  write(
    "shell text as an address",
    host({ address: { dns: "a;id" } }),
    "hosts.web.address.dns",
    "a host name",
  ),
  write("an escape in a title", redis({ title: "\u001b[2J" }), "services.cache.title", "control"),
  write(
    "a line break in a label",
    entry({ key: "1", label: "a\nb", run: ["x"] }),
    "menu[0].entries[0]",
    "",
  ),
  write(
    "a path with a space",
    { services: { a: { kind: "http", address: "x", port: 1, path: "/ HTTP/1.1" } } },
    "services.a.path",
    "no spaces",
  ),
  write(
    "an option as a database",
    { services: { a: { kind: "mysql", address: "x", port: 1, database: "-e" } } },
    "services.a.database",
    "a database name",
  ),
  write("a key with a space", entry({ key: "r d", host: "web" }), "menu[0].entries[0]", ""),
  write("a secret as it is", redis({ password: "hunter2" }), "services.cache.password", SECRET),
  write(
    "a secret of a kind that there is not",
    redis({ password: "${vault:hunter2}" }),
    "services.cache.password",
    SECRET,
  ),
  write(
    "a secret behind a reference",
    redis({ password: "${env:A}hunter2" }),
    "services.cache.password",
    SECRET,
  ),
  write(
    "a room without a server",
    {
      notify: { team: { xmpp: { room: "ops", user: "lcops@example.com", password: "${env:A}" } } },
    },
    "notify.team.xmpp.room",
    "an address is expected",
  ),
  write(
    "a user who would end the element",
    {
      notify: {
        team: {
          xmpp: { room: "ops@example.com", user: "l'/><iq@example.com", password: "${env:A}" },
        },
      },
    },
    "notify.team.xmpp.user",
    "an address is expected",
  ),
  {
    name: "a number beyond all",
    content: '{"hosts": {"web": {"port": 1e999}}}',
    at: "hosts.web.port",
    says: PORT,
  },
  write(
    "several mistakes",
    { hosts: { web: { port: 0, user: "-" }, "a b": {} }, menus: [] },
    "hosts.web.port",
    PORT,
    4,
  ),
];

export const BAD_VALUES: readonly BadConfiguration[] = [
  ...WRONG_TYPES,
  ...UNKNOWN_KEYS,
  ...PORTS,
  ...HOSTILE_NAMES,
  ...HOSTILE_VALUES,
];
