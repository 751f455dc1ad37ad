import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { AwsInstance } from "../lab/aws/state.ts";
import {
  ACCOUNTS,
  instanceId,
  KEYS,
  makeAwsGround,
  watchMemory,
  type AwsGround,
} from "../support/aws-ground.ts";
import { openPty } from "../support/pty.ts";
import { runLcops, type LcopsResult } from "../support/run-lcops.ts";

/** It takes as long as a region may take: beside the other tests. */
async function meetHangingRegion(
  service: string,
): Promise<LcopsResult & { seconds: number; kept: number }> {
  const own = await makeAwsGround();
  try {
    own.endpoint.setInstances("us-west-2", one("other"));
    own.endpoint.fault({ kind: "hang", service, region: "eu-west-1" });
    const began = performance.now();
    const result = await own.lcops("hosts", "--json");
    const seconds = (performance.now() - began) / 1000;
    return { ...result, seconds, kept: own.cacheFiles("inventory").length };
  } finally {
    await own.remove();
  }
}
let hanging: Record<"ec2" | "sts", ReturnType<typeof meetHangingRegion>>;
beforeAll(() => {
  hanging = { ec2: meetHangingRegion("ec2"), sts: meetHangingRegion("sts") };
  // The test that awaits it tells of its failure.
  for (const result of Object.values(hanging)) result.catch(() => undefined);
});

let ground: AwsGround;
// Tests that run at the same time each have one made, and the name is the last one's alone.
const grounds: AwsGround[] = [];
beforeEach(async () => {
  ground = await makeAwsGround();
  grounds.push(ground);
});
afterEach(async () => {
  await Promise.all(grounds.splice(0).map((made) => made.remove()));
});

const make = (index: number, name = `web-${index}`): AwsInstance => ({
  instanceId: instanceId(index),
  privateIpAddress: `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`,
  tags: { Name: name, Environment: "prod", Role: "api" },
});
const hostsOf = (json: string): { name: string }[] =>
  (JSON.parse(json) as { hosts: { name: string }[] }).hosts;
const lines = (text: string): string[] => text.split("\n").filter(Boolean);
const one = (name = "web-1"): AwsInstance[] => [make(1, name)];
const instancesOf = (region: string): number =>
  ground.endpoint.requests.filter(
    (request) => request.action === "DescribeInstances" && request.region === region,
  ).length;

describe("all instances are listed", () => {
  test.each([0, 1, 1000, 1001])("of %i", async (count) => {
    ground.endpoint.setInstances("eu-west-1", { count, make });
    const { code, stdout, stderr } = await ground.lcops("hosts");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(new Set(lines(stdout)).size).toBe(count);
    expect(instancesOf("eu-west-1")).toBe(Math.max(1, Math.ceil(count / 250)));
  });

  test("of 25,000, and from the cache in less than 150 MB", async () => {
    ground.endpoint.setInstances("eu-west-1", { count: 25_000, make });
    const { code, stdout } = await ground.lcops("hosts");
    expect(code).toBe(0);
    expect(new Set(lines(stdout)).size).toBe(25_000);
    const json = await ground.lcops("hosts", "--json");
    expect(hostsOf(json.stdout)).toHaveLength(25_000);
    const memory = watchMemory(ground.folder);
    const environment = { ...ground.environment, ...memory.variables };
    expect((await runLcops(["hosts"], { environment })).stdout).toBe(stdout);
    expect(memory.readMb()).toBeGreaterThan(20);
    expect(memory.readMb()).toBeLessThan(150);
    expect(instancesOf("eu-west-1")).toBe(100);
  }, 90_000);

  test("of three regions, and of one alone with --env, --region and --profile", async () => {
    ground.endpoint.setInstances("us-west-2", [make(1, "dev-1")]);
    ground.endpoint.setInstances("eu-west-1", [make(2, "eu-1")]);
    ground.endpoint.setInstances("ap-northeast-1", [make(3, "ap-1")]);
    const names = async (...flags: string[]): Promise<string[]> =>
      lines((await ground.lcops("hosts", ...flags)).stdout).map(
        (line) => line.split("\t")[0] ?? "",
      );
    expect(await names()).toEqual(["dev-1", "eu-1", "ap-1"]);
    expect(await names("--region", "eu-west-1")).toEqual(["eu-1"]);
    expect(await names("--env", "prod", "--region", "ap-northeast-1")).toEqual(["ap-1"]);
    // Of the configuration too; one that says no region may stand in any.
    ground.configure((config) => {
      const there = { environment: "prod", address: { dns: "elsewhere.example" } };
      config.hosts = {
        sydney: { ...there, region: "ap-southeast-2" },
        ireland: { ...there, region: "eu-west-1" },
        somewhere: there,
      };
    });
    expect((await names("--region", "eu-west-1")).toSorted()).toEqual([
      "eu-1",
      "ireland",
      "somewhere",
    ]);
    ground.configure((config) => delete config.hosts);
    ground.endpoint.requests.length = 0;
    await names("--env", "dev", "--profile", "dev", "--refresh");
    expect(new Set(ground.endpoint.requests.map(({ accessKeyId }) => accessKeyId))).toEqual(
      new Set([KEYS.dev]),
    );
  });

  test("and connecting by name is refused while a region cannot be seen", async () => {
    ground.endpoint.setInstances("us-west-2", [make(1, "solo")]);
    ground.endpoint.fault({ kind: "denied", service: "ec2", region: "eu-west-1" });
    const { code, stderr } = await ground.lcops("ssh", "solo", "--", "true");
    expect(code).toBe(255);
    expect(stderr).toMatch(/solo is looked for in AWS, and a part of it cannot be seen;/);
    expect(stderr).toMatch(/ec2:DescribeInstances in eu-west-1/);
  });

  test("also where a page is empty and names the next, and after a throttled one", async () => {
    ground.endpoint.setInstances("eu-west-1", { count: 1001, make });
    ground.endpoint.fault({
      kind: "empty-page",
      service: "ec2",
      region: "eu-west-1",
      onPage: 1,
      times: 1,
    });
    ground.endpoint.fault({
      kind: "throttle",
      service: "ec2",
      region: "eu-west-1",
      onPage: 2,
      times: 2,
    });
    const { code, stdout, stderr } = await ground.lcops("hosts");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(new Set(lines(stdout)).size).toBe(1001);
    expect(instancesOf("eu-west-1")).toBe(8);
  });

  test("with the environment of the profile where no tag says it", async () => {
    ground.endpoint.setInstances("eu-west-1", [{ instanceId: instanceId(1), tags: { Name: "x" } }]);
    const { stdout } = await ground.lcops("hosts", "--env", "prod");
    expect(lines(stdout)).toEqual([expect.stringMatching(/^x\tprod\t/)]);
  });
});

describe("a region that fails is named, the others are shown, and the code is 3", () => {
  const FAULTS = [
    ["a page that repeats", { kind: "repeat-token" }, "repeats a page for ever"],
    ["a denial", { kind: "denied" }, "have ec2:DescribeInstances allowed"],
    ["a region that is not enabled", { kind: "opt-in" }, "the region is not enabled"],
    ["an account that is not signed up", { kind: "not-subscribed" }, "OptInRequired"],
    [
      "a token that expires in the middle",
      { kind: "expired", onPage: 2 },
      "sign in: aws sso login --profile prod",
    ],
    ["a page of a proxy", { kind: "garbage" }, "check the network and the endpoint"],
    ["an answer that is cut off", { kind: "cut" }, "check the network and the endpoint"],
    ["a signature of another key", { kind: "signature" }, "refuses it (AuthFailure)"],
    ["throttling without end", { kind: "throttle" }, "AWS asks to slow down"],
  ] as const;
  test.concurrent.for(FAULTS)("%s", async ([_what, fault, said], { expect: check }) => {
    const own = await makeAwsGround();
    try {
      own.endpoint.setInstances("us-west-2", [make(5000, "other")]);
      own.endpoint.setInstances("eu-west-1", { count: 1001, make });
      own.endpoint.fault({ ...fault, service: "ec2", region: "eu-west-1" });
      const { code, stdout, stderr } = await own.lcops("hosts");
      check({ code, lines: lines(stdout).length }).toEqual({ code: 3, lines: 1 });
      check(stdout).toMatch(/^other\t/);
      check(stderr).toContain("ec2:DescribeInstances in eu-west-1");
      check(stderr).toContain("its hosts are missing below");
      check(stderr).toContain(said);
      check(lines(stderr)).toHaveLength(1);
      if (fault.kind !== "repeat-token") check(stderr).toContain("(profile prod)");
    } finally {
      await own.remove();
    }
  });

  test.each([
    ["sts", "GetCallerIdentity"],
    ["ec2", "DescribeInstances"],
  ])(
    "but for a clock that is wrong at %s, which is corrected by the answer",
    async (service, action) => {
      ground.endpoint.setInstances("eu-west-1", one());
      ground.endpoint.fault({ kind: "clock", service });
      const { code, stdout, stderr } = await ground.lcops("hosts");
      expect({ code, lines: lines(stdout).length, stderr }).toEqual({
        code: 0,
        lines: 1,
        stderr: "",
      });
      expect(ground.count(action)).toBe(6);
    },
  );

  test("a signature that is refused, with the clock and the keys to look at", async () => {
    ground.endpoint.setInstances("us-west-2", one());
    ground.endpoint.fault({ kind: "signature", service: "sts", region: "eu-west-1" });
    const { code, stdout, stderr } = await ground.lcops("hosts");
    expect([code, lines(stdout).length]).toEqual([3, 1]);
    expect(stderr).toContain("the signature was refused (SignatureDoesNotMatch)");
    expect(stderr).toContain("check this machine's clock, and the keys of the profile");
  });

  test("a region that the account has not enabled, as STS words it", async () => {
    ground.endpoint.setInstances("us-west-2", one());
    ground.endpoint.fault({ kind: "opt-in", region: "eu-west-1" });
    const { code, stdout, stderr } = await ground.lcops("hosts");
    expect([code, lines(stdout).length]).toEqual([3, 1]);
    expect(stderr).toMatch(
      /sts:GetCallerIdentity in eu-west-1 .*the region is not enabled.*\(InvalidClientTokenId\)/,
    );
  });

  test("a region that nobody knows, whose name has no address", async () => {
    ground.endpoint.setInstances("us-west-2", one());
    const { environment } = ground;
    // Too long for a name: the resolver knows that by itself.
    const nowhere = `endpoint_url = http://${"x".repeat(64)}.invalid\n`;
    const file = environment["AWS_CONFIG_FILE"] ?? "";
    const profiles = readFileSync(file, "utf8").split(/^(?=\[profile prod\])/m);
    const lost = profiles[1]?.replace(/^endpoint_url.*\n/m, nowhere) ?? "";
    writeFileSync(file, `${profiles[0]}${lost}`);
    const { code, stdout } = await ground.lcops("hosts", "--json");
    expect([code, hostsOf(stdout).length]).toEqual([3, 1]);
    const { gaps } = JSON.parse(stdout) as { gaps: unknown[] };
    expect(gaps).toMatchObject([
      {
        region: "eu-west-1",
        profile: "prod",
        message: expect.stringContaining("getaddrinfo") as string,
      },
      { region: "ap-northeast-1", profile: "prod", kind: "unreachable", shownFrom: null },
    ]);
  });

  test("credentials that have expired", async () => {
    ground.endpoint.fault({ kind: "expired", accessKeyId: KEYS.prod });
    ground.endpoint.setInstances("us-west-2", one());
    const { code, stdout, stderr } = await ground.lcops("hosts");
    expect(code).toBe(3);
    expect(lines(stdout)).toHaveLength(1);
    expect(stderr).toContain("sts:GetCallerIdentity in eu-west-1 (profile prod)");
    expect(stderr).toContain("sign in: aws sso login --profile prod");
    expect(ground.endpoint.requests.filter(({ service }) => service === "ec2")).toHaveLength(1);
  });

  test("an endpoint that nobody listens at, and a profile that is not there", async () => {
    const refused = await runLcops(["hosts", "--env", "dev"], {
      environment: { ...ground.environment, AWS_ENDPOINT_URL: "http://127.0.0.1:1" },
    });
    expect(refused).toMatchObject({ code: 3, stdout: "" });
    expect(refused.stderr).toMatch(/us-west-2 \(profile dev\).*ECONNREFUSED/);
    const missing = await ground.lcops("hosts", "--env", "dev", "--profile", "nosuch");
    expect(missing).toMatchObject({ code: 3, stdout: "" });
    expect(missing.stderr).toBe(
      "lcops: sts:GetCallerIdentity in us-west-2 (profile nosuch): there is no such profile in the AWS files; its hosts are missing below; name one of dev, prod\n",
    );
  });

  test.each(["not a region", "x@127.0.0.1/", "$(id)"])("a region %j", async (region) => {
    const { AWS_CONFIG_FILE: _own, ...environment } = ground.environment;
    const result = await runLcops(["hosts", "--env", "dev", "--region", region], { environment });
    expect(result.code).not.toBe(0);
    expect(result.stdout).toBe("");
    expect(result.stderr).not.toContain("this is a fault of lcops");
  });
});

describe("a host that is known by an elastic IP", () => {
  beforeEach(() => {
    ground.endpoint.setInstances("eu-west-1", [{ ...make(1, "inside"), ipAddress: "203.0.113.1" }]);
    ground.endpoint.setAddresses("eu-west-1", [
      {
        allocationId: "eipalloc-1",
        publicIp: "203.0.113.1",
        instanceId: instanceId(1),
        tags: { Name: "front" },
      },
      { allocationId: "eipalloc-2", publicIp: "203.0.113.2" },
    ]);
  });
  const setEip = (eip: { allocation: string } | { tags: Record<string, string> }): void =>
    ground.configure((config) => {
      config.hosts = { gate: { environment: "prod", address: { eip } } };
    });

  test.each([
    ["its allocation id", { allocation: "eipalloc-1" }],
    ["its tags", { tags: { Name: "front" } }],
  ])("by %s is one with its instance, from the cache too", async (_what, eip) => {
    // An answer that was kept before anybody asked for elastic IPs does not stand in the way.
    expect((await ground.lcops("hosts")).stdout).toMatch(/^inside\t/);
    setEip(eip);
    for (const asked of [1, 1]) {
      const { code, stdout } = await ground.lcops("hosts", "--json");
      expect([code, ground.count("DescribeAddresses")]).toEqual([0, 2 * asked]);
      expect(hostsOf(stdout)).toMatchObject([
        {
          name: "gate",
          instanceId: instanceId(1),
          address: "203.0.113.1",
          sources: ["config", "ec2"],
        },
      ]);
      expect(hostsOf(stdout)).toHaveLength(1);
    }
  });

  test("stands apart where elastic IPs may not be listed, which is named and not kept", async () => {
    setEip({ allocation: "eipalloc-1" });
    const mend = ground.endpoint.fault({ kind: "denied", action: "DescribeAddresses" });
    const { code, stdout, stderr } = await ground.lcops("hosts");
    expect([code, lines(stdout).length]).toEqual([3, 2]);
    expect(stderr).toContain(
      "ec2:DescribeAddresses in eu-west-1 (profile prod): permission denied",
    );
    expect(stderr).toContain("stands apart from its instance");
    mend();
    expect(await ground.lcops("hosts")).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("a machine is of production by its account", () => {
  const listed = async (
    ...flags: string[]
  ): Promise<{ code: number | null; stderr: string; said: string[] }> => {
    const { code, stdout, stderr } = await ground.lcops("hosts", ...flags);
    return {
      code,
      stderr,
      said: lines(stdout).map((line) => line.split("\t").slice(0, 2).join(" ")),
    };
  };

  test("whatever the profile is called that leads there", async () => {
    ground.configure(({ environments }) => {
      Object.assign(environments?.["prod"]?.aws ?? {}, { account: ACCOUNTS.prod });
    });
    ground.endpoint.setIdentity(KEYS.dev, { account: ACCOUNTS.prod });
    ground.endpoint.setInstances("us-west-2", [
      { instanceId: instanceId(1), tags: { Name: "plain" } },
      { instanceId: instanceId(2), tags: { Name: "posing", Environment: "dev" } },
    ]);
    const { code, said, stderr } = await listed();
    expect({ code, said }).toEqual({ code: 3, said: ["plain prod", "posing prod"] });
    expect(stderr).toContain(
      `the profile dev of dev belongs to account ${ACCOUNTS.prod}, which the configuration gives to prod; its machines are shown as those of prod; name the account of dev too`,
    );
    // That nothing is left of it for dev is not shown as if there were nothing.
    expect(await listed("--env", "dev")).toMatchObject({ code: 3, said: [] });
  });

  test("and is of no environment, which is guarded, where two share the account and no tag tells", async () => {
    ground.configure(({ environments }) => {
      for (const name of ["dev", "prod"])
        Object.assign(environments?.[name]?.aws ?? {}, { account: ACCOUNTS.prod });
    });
    ground.endpoint.setIdentity(KEYS.dev, { account: ACCOUNTS.prod });
    ground.endpoint.setInstances("us-west-2", [
      { instanceId: instanceId(1), tags: { Name: "plain" } },
      { instanceId: instanceId(2), tags: { Name: "told", Environment: "dev" } },
    ]);
    expect(await listed()).toEqual({ code: 0, stderr: "", said: ["plain ", "told dev"] });
  });
});

describe("what an instance has not got", () => {
  test("is left out, and without a Name it is called by its id", async () => {
    ground.endpoint.setInstances("eu-west-1", [
      { instanceId: instanceId(1) },
      { instanceId: instanceId(2), tags: { Name: "inner" }, privateIpAddress: "10.0.0.2" },
      { instanceId: instanceId(3), tags: { Name: "six" }, ipv6Addresses: ["2001:db8::3"] },
      { instanceId: instanceId(4), tags: { Name: "" }, ipAddress: "192.0.2.4" },
    ]);
    const { code, stdout } = await ground.lcops("hosts", "--json");
    expect(code).toBe(0);
    expect(hostsOf(stdout)).toMatchObject([
      { name: instanceId(1), address: null, publicAddress: null, privateAddress: null },
      { name: "inner", address: "10.0.0.2", publicAddress: null, addressKind: null },
      { name: "six", address: "2001:db8::3", privateAddress: null, sources: ["ec2"] },
      { name: instanceId(4), address: "192.0.2.4", state: "running", conflicts: [] },
    ]);
    const table = await ground.lcops("hosts");
    expect(lines(table.stdout).map((line) => line.split("\t")[5])).toEqual([
      "",
      "10.0.0.2",
      "2001:db8::3",
      "192.0.2.4",
    ]);
  });

  test("is refused in words when it is connected to", async () => {
    ground.endpoint.setInstances("eu-west-1", [
      { instanceId: instanceId(1), tags: { Name: "bare" } },
    ]);
    const result = await ground.lcops("ssh", "bare", "--", "true");
    expect(result).toMatchObject({ code: 255, stdout: "" });
    expect(result.stderr).toMatch(/bare \(i-0+1\) has no +address/);
  });
});

test("two of the same name are both listed, and neither is connected to unless its id is given", async () => {
  ground.endpoint.setInstances("eu-west-1", [
    make(1, "web"),
    { ...make(2, "web"), launchTime: "2026-02-03T04:05:06.000Z" },
  ]);
  ground.endpoint.setInstances("ap-northeast-1", [{ ...make(3, "web"), state: "stopped" }]);
  const listed = await ground.lcops("hosts");
  expect(lines(listed.stdout)).toHaveLength(2);
  expect(lines((await ground.lcops("hosts", "--all")).stdout)).toHaveLength(3);
  const result = await ground.lcops("ssh", "web", "--", "true");
  expect(result).toMatchObject({ code: 255, stdout: "" });
  expect(result.stderr).toContain("web is 2 hosts, and one is needed");
  expect(result.stderr).toContain(
    `${instanceId(2)} in eu-west-1, 10.0.0.2, since 2026-02-03T04:05:06.000Z`,
  );
  expect(result.stderr).not.toContain(instanceId(3));
  const chosen = await ground.lcops("hosts", instanceId(2));
  expect(lines(chosen.stdout)).toEqual([expect.stringContaining(instanceId(2))]);
});

describe("a hostile Name", () => {
  const NAMES = [
    "line\nend\r\tx",
    "c1 \u009b31m",
    "$(touch owned)`touch owned`;touch owned",
    "-oProxyCommand=touch owned",
    "x".repeat(256),
    "🦀🔥 server",
    "bidi \u202etxt.exe\u2066",
    "*",
    "..",
  ];
  /** No XML can hold them: OpsWorks answers in JSON. */
  const ESCAPES = "\u001b[2J\u001b]0;owned\u0007";
  beforeEach(() => {
    ground.endpoint.setInstances(
      "eu-west-1",
      NAMES.map((name, index) => make(index, name)),
    );
    const instance = { Hostname: ESCAPES, Ec2InstanceId: instanceId(99), LayerIds: [] };
    ground.endpoint.setStacks("eu-west-1", [
      { StackId: "s", Name: ESCAPES, layers: [], instances: [{ InstanceId: "o", ...instance }] },
    ]);
    // A user's setting that hands the name to a shell.
    ground.configure((config) => {
      Object.assign(config.environments?.["prod"]?.aws ?? {}, { opsworks: true });
      config.ssh = { configFile: `${ground.folder}/risky_config` };
    });
    return writeRiskyConfig();
  });

  /** Controls but tab and line end, and what turns text round. */
  const RAW = /[^\P{Cc}\t\n]|\p{Bidi_Control}/u;
  async function writeRiskyConfig(): Promise<void> {
    const { writeFile } = await import("node:fs/promises");
    await writeFile(
      `${ground.folder}/risky_config`,
      'Match exec "cd HERE; echo %n >/dev/null"\n  User nobody\n'.replace("HERE", ground.folder),
    );
  }

  test("never comes raw into a pipe, as a table or as JSON", async () => {
    for (const flags of [[], ["--json"], ["--all"]]) {
      const { code, stdout, stderr } = await ground.lcops("hosts", ...flags);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).not.toMatch(RAW);
      if (flags[0] === "--json")
        expect(hostsOf(stdout).map(({ name }) => name)).toEqual([...NAMES, ESCAPES]);
      else expect(lines(stdout)).toHaveLength(NAMES.length + 1);
    }
  });

  test("never comes raw onto a screen, which it leaves as wide as it is", async () => {
    const pty = openPty(["hosts", "--no-color"], { environment: ground.environment, columns: 90 });
    expect(await pty.exit).toMatchObject({ code: 0 });
    // What lcops itself draws: its progress, a cursor that is hidden and shown.
    // eslint-disable-next-line no-control-regex -- these are what is looked for
    const rest = pty.raw().replaceAll(/\u001b\[(\?25[hl]|\?2004[hl]|[0-9;]*[KGAmJ])|[\r\n]/g, "");
    expect(rest).not.toMatch(RAW);
    expect(pty.raw()).not.toContain(ESCAPES);
    expect(pty.text()).toContain(String.raw`c1 \x9b31m`);
    for (const line of pty.text().split("\n")) expect(line.length).toBeLessThanOrEqual(90);
  });

  test.each([...NAMES.map((name, index) => [name, index] as const), [ESCAPES, 99] as const])(
    "%j is refused by ssh before any shell sees it",
    async (name, index) => {
      const result = await ground.lcops("ssh", "--", name).then((first) =>
        // Behind -- stands the command: the name itself is given as the operand.
        name.startsWith("-") ? first : ground.lcops("ssh", name),
      );
      expect(result).toMatchObject({ code: 255, stdout: "" });
      expect(result.stderr).not.toMatch(RAW);
      expect(result.stderr).not.toContain("fault of lcops");
      if (!name.startsWith("-") && /[^.\w]/.test(name) && name !== "*")
        expect(result.stderr).toContain(`call it by its instance id, ${instanceId(index)}`);
      expect(readdirSync(ground.folder)).not.toContain("owned");
    },
  );
});

test.each([
  ["ec2", /eu-west-1 \(profile prod\).* no answer (within 30 s|in time)/],
  ["sts", /sts:GetCallerIdentity in eu-west-1 \(profile prod\): no answer (within 20 s|in time)/],
] as const)(
  "a region that hangs holds nobody up for more than its half minute: %s",
  async (service, said) => {
    const { code, stdout, stderr, seconds, kept } = await hanging[service];
    expect(code).toBe(3);
    expect(hostsOf(stdout)).toMatchObject([{ name: "other" }]);
    expect(stderr).toMatch(said);
    expect(seconds).toBeLessThan(34);
    // The other two have had their answers, which were kept.
    expect(kept).toBe(2);
  },
  60_000,
);
