import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OpsWorksStack } from "../lab/aws/state.ts";
import { instanceId, makeAwsGround, type AwsGround } from "../support/aws-ground.ts";
import { openPty } from "../support/pty.ts";

let ground: AwsGround;
beforeEach(async () => {
  ground = await makeAwsGround();
});
afterEach(() => ground.remove());

interface Listing {
  asOf: string | null;
  gaps: { message: string; shownFrom: string | null }[];
  notes: string[];
  hosts: unknown[];
}
/** Of the environment that OpsWorks serves. */
const list = async (
  ...flags: string[]
): Promise<{ code: number | null; stderr: string } & Listing> => {
  const { code, stdout, stderr } = await ground.lcops("hosts", "--json", ...flags);
  return { code, stderr, ...(JSON.parse(stdout) as Listing) };
};

describe("OpsWorks", () => {
  const stack = (more: object = {}): OpsWorksStack => ({
    StackId: "stack-1",
    Name: "legacy",
    layers: [
      { LayerId: "l1", Name: "Web", Shortname: "web" },
      { LayerId: "l2", Name: "API", Shortname: "api" },
    ],
    instances: [
      {
        InstanceId: "o1",
        Hostname: "api1",
        Ec2InstanceId: instanceId(1),
        LayerIds: ["l1", "l2"],
        PrivateIp: "10.9.9.9",
        ...more,
      },
      { InstanceId: "o2", Hostname: "api2", Ec2InstanceId: instanceId(2), LayerIds: ["l2"] },
    ],
  });
  beforeEach(() => {
    ground.configure(({ environments }) => {
      Object.assign(environments?.["dev"]?.aws ?? {}, { opsworks: true });
    });
    ground.endpoint.setStacks("us-west-2", [stack()]);
    ground.endpoint.setInstances("us-west-2", [
      { instanceId: instanceId(1), tags: { Name: "old" }, privateIpAddress: "10.0.0.1" },
    ]);
  });

  test("is joined with EC2 by instance id, and what they say differently is shown", async () => {
    const { code, hosts } = await list();
    expect(code).toBe(0);
    expect(hosts).toMatchObject([
      {
        name: "old",
        sources: ["ec2", "opsworks"],
        instanceId: instanceId(1),
        environment: "legacy",
        role: "api+web",
        privateAddress: "10.0.0.1",
        fields: { role: { source: "opsworks" }, privateAddress: { source: "ec2" } },
        conflicts: [{ field: "privateAddress", source: "opsworks", value: "10.9.9.9" }],
      },
      { name: "api2", sources: ["opsworks"], role: "api", state: "running", conflicts: [] },
    ]);
    const pty = openPty(["hosts"], { environment: ground.environment, columns: 140 });
    expect(await pty.exit).toMatchObject({ code: 0 });
    expect(pty.text()).toContain("old: privateAddress is 10.0.0.1 by ec2, 10.9.9.9 by opsworks");
  });

  test("is not asked where the configuration does not say so", async () => {
    ground.configure(({ environments }) => {
      Object.assign(environments?.["dev"]?.aws ?? {}, { opsworks: false });
    });
    expect(await ground.lcops("hosts")).toMatchObject({ code: 0 });
    expect(ground.count("DescribeStacks")).toBe(0);
  });

  const TAGGED = {
    instanceId: instanceId(1),
    tags: {
      Name: "old",
      "OpsWorks:Stack": "legacy",
      "opsworks:layer:web": "Web",
      "opsworks:layer:api": "A",
    },
  };
  const BY_TAGS = [{ name: "old", sources: ["ec2"], environment: "legacy", role: "api+web" }];

  test.each([
    ["has gone from its address", "gone"],
    ["knows no such action any more", "unknown-action"],
    ["is not offered to the account", "not-subscribed"],
    ["never answers", "hang"],
  ] as const)(
    "that %s is a note, whenever the list is shown, and its tags are used",
    async (_what, kind) => {
      ground.endpoint.setInstances("us-west-2", [TAGGED]);
      ground.endpoint.fault({ kind, service: "opsworks" });
      const first = await list();
      const note = "OpsWorks does not answer in us-west-2 (profile dev), only its tags are used: ";
      expect(first).toMatchObject({ code: 0, gaps: [], stderr: "", hosts: BY_TAGS });
      expect(first.notes).toEqual([expect.stringContaining(note)]);
      const asked = ground.endpoint.requests.length;
      // Out of the cache it hides no more than before.
      expect(await list()).toEqual(first);
      expect(ground.endpoint.requests).toHaveLength(asked);
      expect((await ground.lcops("hosts", "-v")).stderr).toContain(note);
    },
  );

  test.each([
    ["is denied", { kind: "denied" }, "DescribeStacks", "have opsworks:DescribeStacks allowed"],
    [
      "is denied half-way",
      { kind: "denied", action: "DescribeLayers" },
      "DescribeLayers",
      "have opsworks:DescribeLayers allowed",
    ],
    ["says that the token has expired", { kind: "expired" }, "DescribeStacks", "sign in: aws sso"],
    ["asks to slow down", { kind: "throttle" }, "DescribeStacks", "try again in a minute"],
    ["is cut off", { kind: "cut" }, "DescribeStacks", "check the network"],
    ["is behind a proxy that fails", { kind: "garbage" }, "DescribeStacks", "check the network"],
  ] as const)("that %s is a gap, which is never kept", async (_what, fault, action, next) => {
    ground.endpoint.setInstances("us-west-2", [TAGGED]);
    const mend = ground.endpoint.fault({ ...fault, service: "opsworks" });
    const where = `opsworks:${action} in us-west-2 (profile dev)`;
    for (const _again of [1, 2]) {
      const listed = await list();
      expect(listed).toMatchObject({ code: 3, notes: [], hosts: BY_TAGS });
      expect(listed.gaps).toMatchObject([
        { region: "us-west-2", profile: "dev", message: expect.stringContaining(where) as string },
      ]);
      expect(listed.stderr).toContain("hosts that OpsWorks alone knows are missing below");
      expect(listed.stderr).toContain(next);
    }
    mend();
    expect(await list()).toMatchObject({ code: 0, gaps: [], hosts: [{}, { name: "api2" }] });
  });

  test("that is denied now is shown as it was, beside EC2 as it is", async () => {
    const before = await list("--env", "dev");
    ground.endpoint.setInstances("us-west-2", [
      { instanceId: instanceId(1), tags: { Name: "new" } },
    ]);
    ground.endpoint.fault({ kind: "denied", service: "opsworks" });
    const listed = await list("--env", "dev", "--refresh");
    expect(listed).toMatchObject({
      code: 3,
      asOf: before.asOf,
      gaps: [{ shownFrom: before.asOf }],
      hosts: [{ name: "new", environment: "legacy" }, { name: "api2" }],
    });
    expect(listed.stderr).toContain(`shown as of ${before.asOf}`);
  });

  test("that is denied hides no instance of EC2 from being connected to, and is named for any other name", async () => {
    ground.endpoint.setInstances("us-west-2", [{ ...TAGGED, privateIpAddress: "127.0.0.1" }]);
    ground.configure((config) => {
      // Nobody listens there.
      writeFileSync(config.ssh?.configFile ?? "", "Port 1\n");
    });
    ground.endpoint.fault({ kind: "denied", service: "opsworks" });
    const known = await ground.lcops("ssh", "old", "--", "true");
    expect(known.stderr).toMatch(/^lcops: old \(127\.0\.0\.1:1, i-0/);
    const other = await ground.lcops("ssh", "api2", "--", "true");
    expect(other.stderr).toContain("api2 is looked for in AWS, and a part of it cannot be seen");
    expect(other.stderr).toContain("opsworks:DescribeStacks in us-west-2");
  });

  test("is asked as soon as the configuration says so, whatever the cache has of EC2 alone", async () => {
    const ask = (opsworks: boolean): void =>
      ground.configure(({ environments }) => {
        Object.assign(environments?.["dev"]?.aws ?? {}, { opsworks });
      });
    ask(false);
    expect((await list()).hosts).toHaveLength(1);
    ask(true);
    expect((await list()).hosts).toHaveLength(2);
    ask(false);
    expect((await list()).hosts).toHaveLength(1);
    expect(ground.count("DescribeInstances")).toBe(3 + 2);
  });

  test.each([
    ["refuses connections", "http://127.0.0.1:1", "ECONNREFUSED"],
    // Too long for a name: the resolver knows that by itself.
    ["has no name any more", `http://${"x".repeat(64)}.invalid`, "getaddrinfo"],
  ])("that %s is a note too, and none in a pipe", async (_what, url, said) => {
    const services = `services = s\n[services s]\nopsworks =\n  endpoint_url = ${url}`;
    ground.writeProfiles({}, services);
    expect(await ground.lcops("hosts")).toMatchObject({ code: 0, stderr: "" });
    expect((await ground.lcops("hosts", "--refresh", "-v")).stderr).toContain(said);
  });
});
