import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AddressConfig } from "../../src/config/schema.ts";
import type { Host } from "../../src/inventory/host.ts";
import { lookUpAddress, type Lookup } from "../../src/inventory/look-up-address.ts";
import type { EnvironmentScope } from "../../src/inventory/plan-scopes.ts";
import { startAwsEndpoint, type AwsEndpoint } from "../lab/aws-endpoint.ts";
import type { AwsInstance } from "../lab/aws/state.ts";
import { instanceId } from "../support/aws-ground.ts";

let endpoint: AwsEndpoint;
const before = { ...process.env };
beforeEach(async () => {
  endpoint = await startAwsEndpoint();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint.url,
    AWS_ACCESS_KEY_ID: "AKIALOOKUP0000000000",
    AWS_SECRET_ACCESS_KEY: "x",
    AWS_CONFIG_FILE: "/nonexistent",
    AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
    AWS_EC2_METADATA_DISABLED: "true",
  });
});
afterEach(async () => {
  await endpoint.close();
  process.env = { ...before };
});

const SCOPES: EnvironmentScope[] = [
  { region: "eu-west-1", environments: ["prod"], hasOpsWorks: false, hasElasticIps: false },
  { region: "us-west-2", environments: ["dev", "prod"], hasOpsWorks: false, hasElasticIps: false },
];
const lookUp = (
  host: Partial<Host>,
  scopes = SCOPES,
  signal = new AbortController().signal,
): Promise<Lookup> =>
  lookUpAddress(
    { name: "web", sources: ["config"], ...host },
    {
      scopes,
      checkAccount: () => Promise.resolve(),
      access: { environment: process.env, signal },
    },
  );
const dyn = (tags: Record<string, string>, region?: string): { address: AddressConfig } => ({
  address: { dyn: { tags, ...(region !== undefined && { region }) } },
});
const web = (index: number, more: Partial<AwsInstance> = {}): AwsInstance => ({
  instanceId: instanceId(index),
  tags: { Name: "web" },
  privateIpAddress: `10.0.0.${index}`,
  ipAddress: `192.0.2.${index}`,
  launchTime: `2026-01-0${index}T00:00:00.000Z`,
  ...more,
});

describe("a dyn address", () => {
  test("is that of the one instance that runs, whatever else had its name", async () => {
    endpoint.setInstances("eu-west-1", [
      web(1, { state: "terminated" }),
      web(2, { state: "stopped" }),
      web(3, { state: "pending" }),
      web(4),
    ]);
    expect(await lookUp(dyn({ Name: "web" }))).toMatchObject({
      address: "192.0.2.4",
      instanceId: instanceId(4),
      launchedAt: "2026-01-04T00:00:00.000Z",
      account: "123456789012",
    });
    expect(await lookUp({ ...dyn({ Name: "web" }), use: "private" })).toMatchObject({
      address: "10.0.0.4",
    });
  });

  test("is refused with the candidates where two run, in two regions too", async () => {
    endpoint.setInstances("eu-west-1", [web(1)]);
    endpoint.setInstances("us-west-2", [web(2)]);
    await expect(lookUp(dyn({ Name: "web" }))).rejects.toMatchObject({
      kind: "usage",
      message: "web: 2 running instances have Name=web",
      details: [
        `${instanceId(1)} in eu-west-1, 192.0.2.1, since 2026-01-01T00:00:00.000Z`,
        `${instanceId(2)} in us-west-2, 192.0.2.2, since 2026-01-02T00:00:00.000Z`,
      ],
    });
    expect(await lookUp(dyn({ Name: "web" }, "us-west-2"))).toMatchObject({ address: "192.0.2.2" });
    expect(await lookUp({ ...dyn({ Name: "web" }), environment: "dev" })).toMatchObject({
      address: "192.0.2.2",
    });
  });

  test.each([
    ["nothing", []],
    ["a stopped one", [web(1, { state: "stopped" as const })]],
    ["a terminated one", [web(1, { state: "terminated" as const })]],
    ["another name", [web(1, { tags: { Name: "webb" } })]],
  ])("says so where there is %s", async (_what, instances) => {
    endpoint.setInstances("eu-west-1", instances);
    await expect(lookUp(dyn({ Name: "web" }))).rejects.toMatchObject({
      kind: "unreachable",
      message: "web: no running instance has Name=web in eu-west-1, us-west-2",
    });
  });

  test("needs all of its tags, and takes none for a pattern", async () => {
    endpoint.setInstances("eu-west-1", [
      web(1, { tags: { Name: "web", Role: "api" } }),
      web(2, { tags: { Name: "web", Role: "db" } }),
    ]);
    expect(await lookUp(dyn({ Name: "web", Role: "db" }))).toMatchObject({ address: "192.0.2.2" });
    await expect(lookUp(dyn({ Name: "*", Role: "db" }))).rejects.toThrow("no running instance");
    await expect(lookUp(dyn({ Name: "w?b", Role: "db" }))).rejects.toThrow("no running instance");
  });

  test("is not guessed where a region cannot be seen", async () => {
    endpoint.setInstances("eu-west-1", [web(1)]);
    endpoint.fault({ kind: "denied", region: "us-west-2" });
    await expect(lookUp(dyn({ Name: "web" }))).rejects.toMatchObject({
      kind: "access",
      message: expect.stringContaining("ec2:DescribeInstances in us-west-2") as string,
    });
  });

  test("is refused without an address of the wished kind", async () => {
    const { ipAddress: _none, ...inner } = web(1);
    endpoint.setInstances("eu-west-1", [inner]);
    await expect(lookUp({ ...dyn({ Name: "web" }), use: "public" })).rejects.toThrow(
      `web (${instanceId(1)}) has no public address`,
    );
    expect(await lookUp(dyn({ Name: "web" }))).toMatchObject({ address: "10.0.0.1" });
  });
});

describe("an instance that was listed", () => {
  const listed = { sources: ["ec2" as const], region: "eu-west-1", instanceId: instanceId(1) };

  test("is found by its id, whoever has its name", async () => {
    endpoint.setInstances("eu-west-1", [web(1), web(2)]);
    expect(await lookUp(listed)).toMatchObject({ instanceId: instanceId(1) });
  });

  test("is found where its tag names an environment that is not configured", async () => {
    endpoint.setInstances("eu-west-1", [web(1)]);
    expect(await lookUp({ ...listed, environment: "qa" })).toMatchObject({ address: "192.0.2.1" });
  });

  test("is waited for where EC2 does not know its id yet", async () => {
    const asked = lookUp(listed);
    await vi.waitFor(() => expect(endpoint.requests.length).toBeGreaterThanOrEqual(2));
    endpoint.setInstances("eu-west-1", [web(1)]);
    expect(await asked).toMatchObject({ instanceId: instanceId(1) });
  });

  test("is given up after some seconds where EC2 never knows its id", async () => {
    await expect(lookUp(listed)).rejects.toMatchObject({ kind: "unreachable" });
    expect(endpoint.requests.length).toBe(4);
  });

  test("is not waited for where it is known and does not run, nor once the operator leaves", async () => {
    endpoint.setInstances("eu-west-1", [web(1, { state: "stopped" })]);
    await expect(lookUp(listed)).rejects.toThrow("does not run");
    expect(endpoint.requests.length).toBe(1);
    endpoint.setInstances("eu-west-1", []);
    const leaving = new AbortController();
    const asked = lookUp(listed, SCOPES, leaving.signal);
    await vi.waitFor(() => expect(endpoint.requests.length).toBeGreaterThanOrEqual(2));
    leaving.abort();
    await expect(asked).rejects.toThrow("aborted");
    expect(endpoint.requests.length).toBeLessThanOrEqual(3);
  });

  test.each([
    ["gone", [web(1, { state: "terminated" }), web(2)]],
    ["stopped", [web(1, { state: "stopped" }), web(2)]],
    ["not there", [web(2)]],
  ])("that is %s is not replaced by another of its name", async (_state, instances) => {
    endpoint.setInstances("eu-west-1", instances);
    await expect(lookUp(listed)).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining(`its instance ${instanceId(1)} does not run`) as string,
    });
  });
});

describe("an elastic IP", () => {
  const address = (index: number, name: string, more = {}) => ({
    allocationId: `eipalloc-${index}`,
    publicIp: `203.0.113.${index}`,
    tags: { Name: name },
    ...more,
  });
  beforeEach(() => {
    endpoint.setAddresses("eu-west-1", [address(1, "a", { instanceId: instanceId(1) })]);
    endpoint.setAddresses("us-west-2", [address(2, "b"), address(3, "twice"), address(4, "twice")]);
    endpoint.setInstances("eu-west-1", [web(1)]);
  });

  test("is found by its allocation id and by its tags", async () => {
    expect(await lookUp({ address: { eip: { allocation: "eipalloc-1" } } })).toMatchObject({
      address: "203.0.113.1",
      instanceId: instanceId(1),
      account: "123456789012",
    });
    expect(await lookUp({ address: { eip: { tags: { Name: "b" } } } })).toMatchObject({
      address: "203.0.113.2",
    });
  });

  test("leads to the private address of its instance where that is wished", async () => {
    const eip = { allocation: "eipalloc-1" };
    expect(await lookUp({ address: { eip }, use: "private" })).toMatchObject({
      address: "10.0.0.1",
    });
    await expect(
      lookUp({ address: { eip: { tags: { Name: "b" } } }, use: "private" }),
    ).rejects.toThrow("no running instance has the elastic IP 203.0.113.2");
  });

  test.each([
    ["several match", "twice", "usage", "2 elastic IPs match", ["203.0.113.3", "203.0.113.4"]],
    ["none does", "nosuch", "unreachable", "0 elastic IPs match", []],
    ["it is no pattern", "?", "unreachable", "0 elastic IPs match", []],
  ])("is refused where %s", async (_what, name, kind, message, details) => {
    await expect(lookUp({ address: { eip: { tags: { Name: name } } } })).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(message) as string,
      details,
    });
  });

  test("that is given as an address is asked of nobody", async () => {
    expect(await lookUp({ address: { eip: "198.51.100.1" } }, [])).toEqual({
      address: "198.51.100.1",
    });
    expect(endpoint.requests).toEqual([]);
  });
});
