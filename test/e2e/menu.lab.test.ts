import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { askPort, isListening, makeGround, type Ground } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { isLeftRaw, openPty, type Pty, type PtyOptions } from "../support/pty.ts";
import { PART_NAMES } from "../lab/lab.ts";

let ground: Ground;
const open: Pty[] = [];
beforeAll(async () => {
  ground = await makeGround(...PART_NAMES);
  // A key that does nothing, and soon.
  ground.environment["LCOPS_CONFIG"] = ground.deriveConfig(({ menu }) => {
    for (const { entries } of menu ?? [])
      for (const entry of entries)
        if (entry.key === "uu" && "run" in entry) entry.run = ["fleet", "upgrade", "role=none"];
  });
});
afterEach(() => {
  for (const pty of open.splice(0)) pty.kill();
});
afterAll(() => ground.remove());

async function openMenu(
  options: Partial<PtyOptions> = {},
  args: readonly string[] = [],
): Promise<Pty> {
  const pty = openPty(args, { environment: ground.environment, ...options });
  open.push(pty);
  await pty.waitFor(/\n>>>$/);
  return pty;
}

/** Types a key, waits until the prompt shows it, and takes it. */
async function choose(pty: Pty, key: string): Promise<void> {
  pty.mark();
  pty.type(key);
  await pty.waitFor((text) => text.split("\n")[0] === `>>> ${key}`);
  pty.press("enter");
}

function backAtMenu(pty: Pty): Promise<string> {
  return pty.waitFor(/^\$ lcops [^]*\n(done|exit code \d+); Enter shows the menu\n>>>$/m);
}

async function leave(pty: Pty, how: "ctrl-c" | "ctrl-d" = "ctrl-c"): Promise<void> {
  pty.press(how);
  expect((await pty.exit).code).toBe(0);
}

/** Reads the page behind a tunnel. */
async function fetchText(service: string, path = "/"): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${ground.portOf(service)}${path}`, {
    signal: AbortSignal.timeout(5_000),
  });
  const { headers } = response;
  return `${response.status} ${headers.get("x-jenkins") ?? headers.get("www-authenticate") ?? ""} ${await response.text()}`;
}

const ENTRIES = [
  [
    "1",
    "graphite",
    "GraphStats",
    () => fetchText("graphite", "/metrics/find?query=*"),
    /^200 .*"leaf"/s,
  ],
  ["2", "kibana", "TextLogs", () => fetchText("kibana"), /Kibana 3/],
  ["3", "elasticsearch", "TextLogs", () => fetchText("elasticsearch"), /textlogs/],
  [
    "4",
    "redis",
    "RedisCache",
    () => askPort(ground.portOf("redis"), "PING\r\n", /\r\n/),
    /PONG|NOAUTH/,
  ],
  ["6", "worker-monit", "WorkerStats", () => fetchText("worker-monit"), /^401 Basic.*monit/is],
  ["7", "dev-monit", "dev-api3-2", () => fetchText("dev-monit"), /^401 Basic.*monit/is],
  ["8", "prod-monit", "prod-api3-1", () => fetchText("prod-monit"), /^401 Basic.*monit/is],
  ["o", "jenkins", "Jenkins-Oregon", () => fetchText("jenkins"), /1\.565\.1/],
] as const;

const PART = { "worker-monit": "monit", "dev-monit": "monit", "prod-monit": "monit" } as const;

for (const [key, service, host, ask, wanted] of ENTRIES) {
  const part = service in PART ? "monit" : (service as "graphite" | "kibana");
  testWith("hosts", part)(
    `${key} is a shell on ${host} with ${service} forwarded, and leads back to the menu`,
    async () => {
      const pty = await openMenu();
      await choose(pty, key);
      await pty.waitFor(`$ lcops tunnel open ${service} -- lcops ssh ${host}`);
      await pty.waitFor(
        new RegExp(`^${service}  \\w+://localhost:${ground.portOf(service)}/  ready`, "m"),
      );
      await pty.waitFor(`${host}:~`);
      pty.type("echo on=$LAB_HOST\r");
      await pty.waitFor(`\non=${host}\n`);
      expect(await ask()).toMatch(wanted);
      pty.type("exit\r");
      await backAtMenu(pty);
      expect(await isListening(ground.portOf(service))).toBe(false);
      await leave(pty);
    },
  );
}

testWith("kibana")("--config holds for all that the menu runs", async () => {
  const { LCOPS_CONFIG: configPath = "", ...environment } = ground.environment;
  const pty = await openMenu({ environment }, ["--config", configPath]);
  await choose(pty, "2");
  await pty.waitFor("TextLogs:~");
  pty.type("exit\r");
  await backAtMenu(pty);
  await leave(pty);
});

testWith("mysql")("0 is the MySQL client, and leads back to the menu", async () => {
  const pty = await openMenu();
  await choose(pty, "0");
  await pty.waitFor("$ lcops mysql\n");
  await pty.waitFor("[school]>");
  pty.type("select 40+2;\r");
  await pty.waitFor(/\|\s+42 \|/);
  pty.type("quit\r");
  await backAtMenu(pty);
  await leave(pty);
});

testWith("hosts")("5 is a shell alone", async () => {
  const pty = await openMenu();
  await choose(pty, "5");
  await pty.waitFor("$ lcops ssh DevServices\n");
  await pty.waitFor("DevServices:~");
  pty.type("echo on=$LAB_HOST; exit 3\r");
  const text = await backAtMenu(pty);
  expect(text).toContain("\non=DevServices\n");
  expect(text).toContain("\nexit code 3; Enter shows the menu\n");
  expect(text).not.toContain("ready (");
  await leave(pty);
});

testWith("hosts")("uu plans the upgrade of every region, and asks", async () => {
  const pty = await openMenu({}, ["--config", ground.configPath]);
  await choose(pty, "uu");
  await pty.waitFor(
    "$ lcops fleet upgrade region=ap-northeast-1 region=us-west-2 region=eu-west-1\n",
  );
  const text = await pty.waitFor("This is production. Type ");
  expect(text).toMatch(/^upgrade \d+ of \d+ hosts, \d+ of them in production$/m);
  expect(text).toContain("nothing can undo this");
  pty.press("ctrl-c");
  expect(await backAtMenu(pty)).toContain("exit code 130; Enter shows the menu");
  await leave(pty);
});

testWith("redis")("rd shows what it would flush on the API host, and asks", async () => {
  const pty = await openMenu();
  await choose(pty, "rd");
  await pty.waitFor("Go on? (y/N)");
  pty.type("n\r");
  const text = await backAtMenu(pty);
  expect(text).toContain("$ lcops redis flush dev-api3-2 --db\nflush database 0 of dev-cache: ");
  expect(text).toMatch(/^ {2}\S+:\d+ through dev-api3-2, environment dev$/m);
  expect(text).toContain("nothing can undo this");
  expect(text).toContain("exit code 5; Enter shows the menu");
  await choose(pty, "rp");
  await pty.waitFor("Type prod-cache to go on:");
  pty.press("ctrl-c");
  await backAtMenu(pty);
  await leave(pty);
});

testWith("hosts")("li is the table of the hosts", async () => {
  const pty = await openMenu();
  await choose(pty, "li");
  const text = await backAtMenu(pty);
  expect(text).toContain(
    "\n$ lcops hosts region=ap-northeast-1 region=us-west-2 region=eu-west-1\n",
  );
  expect(text).toMatch(/^NAME +ENV +ROLE +REGION +KIND +ADDRESS +SOURCE +STATE +INSTANCE$/m);
  for (const name of ["GraphStats", "dev-api3-2", "db-admin"])
    expect(text).toMatch(new RegExp(`^${name} .*config(\\+ec2 .*)?$`, "m"));
  await leave(pty);
});

test("keys that the menu has not got are refused, and nothing is run", async () => {
  const pty = await openMenu();
  for (const key of ["16", "99", "zz"]) {
    await choose(pty, key);
    expect(await pty.waitFor(`no entry has the key ${key};`)).toMatch(new RegExp(`^>>> ${key}\n`));
    for (const _ of key) pty.press("backspace");
    await pty.waitFor(/^>>>$/);
  }
  await choose(pty, "uu");
  await pty.waitFor("$ lcops fleet upgrade");
  await backAtMenu(pty);
  // Of all that was typed, one line was run.
  expect(pty.raw().match(/\$ lcops /g)).toHaveLength(1);
  await leave(pty);
});

test("Enter alone draws the menu again and runs nothing", async () => {
  const pty = await openMenu();
  pty.mark();
  pty.press("enter");
  const text = await pty.waitFor(/Close those in the background\n>>>$/);
  expect(text).toMatch(/^MySQL:\n0\) RAW @ RDS-MYSQL \(v3\)\nEC2:\n1\) /m);
  expect(text).not.toContain("$ lcops");
  await leave(pty);
});

test("a key is taken in upper case too", async () => {
  const pty = await openMenu();
  await choose(pty, "UU");
  await pty.waitFor("$ lcops fleet upgrade");
  await leave(await backAtMenu(pty).then(() => pty));
});

test("typed text searches, the arrows pick, Enter takes what is picked", async () => {
  const pty = await openMenu();
  pty.mark();
  pty.type("ap+us");
  await pty.waitFor(/^>>> ap\+us\n {2}li\) ap\+us\+eu\n {2}uu\) ap\+us\+eu$/);
  pty.press("down");
  await pty.waitFor("› li)");
  pty.press("down");
  await pty.waitFor("› uu)");
  pty.press("down");
  await pty.waitFor("› li)");
  pty.press("up");
  await pty.waitFor("› uu)");
  pty.press("enter");
  await pty.waitFor("$ lcops fleet upgrade");
  await backAtMenu(pty);
  await leave(pty);
});

for (const key of ["ctrl-c", "ctrl-d"] as const) {
  test(`${key} leaves with 0 and the terminal as it was`, async () => {
    const pty = await openMenu({ showsMode: true });
    pty.mark();
    await leave(pty, key);
    expect(isLeftRaw(pty.text())).toBe(false);
  });
}

testWith("hosts")("the terminal is as it was after a shell, too", async () => {
  const pty = await openMenu({ showsMode: true });
  await choose(pty, "5");
  await pty.waitFor("DevServices:~");
  pty.type("exit\r");
  await backAtMenu(pty);
  pty.mark();
  await leave(pty);
  expect(isLeftRaw(pty.text())).toBe(false);
});

test("the menu fits 60 columns, works in 15 rows, and follows a resize", async () => {
  const pty = await openMenu({ columns: 60, rows: 15 });
  expect(pty.text()).toMatch(/^1\) \[EIP\] SSH @ GraphStats => http.*…$/m);
  expect(pty.text()).toContain("\n5) [DYN] SSH @ DevServices\n");
  pty.mark();
  pty.type("s");
  await pty.waitFor(/^>>> s\n[^]*… and \d+ more$/);
  expect(
    pty
      .screen()
      .split("\n")
      .filter((line) => line.startsWith(">>>")),
  ).toEqual([">>> s"]);
  pty.press("backspace");
  await pty.waitFor(/^>>>$/);
  pty.resize(100, 30);
  await choose(pty, "uu");
  await backAtMenu(pty);
  pty.mark();
  pty.press("enter");
  await pty.waitFor(/^1\) \[EIP\] SSH @ GraphStats => http:\/\/localhost:\d+\/ \(Graphite\)$/m);
  await leave(pty);
});

testWith("kibana")("Ctrl-C ends an entry that only forwards, and the menu goes on", async () => {
  const config = ground.deriveConfig((changed) => {
    changed.menu = [
      {
        title: "Own:",
        entries: [{ key: "t", label: "Kibana", run: ["tunnel", "open", "kibana"] }],
      },
    ];
  });
  const pty = await openMenu({}, ["--config", config]);
  await choose(pty, "t");
  await pty.waitFor("ready (");
  pty.press("ctrl-c");
  await pty.waitFor(/exit code 130; Enter shows the menu\n>>>$/);
  expect(await isListening(ground.portOf("kibana"))).toBe(false);
  await leave(pty);
});

test("an interrupt that comes as a signal, as while the menu is drawn, leaves it like Ctrl-C at its prompt", async () => {
  const pty = await openMenu();
  process.kill(pty.pid, "SIGINT");
  expect(await pty.exit).toEqual({ code: 0, signal: 0 });
});
