import { expect, test } from "vitest";
import { parseConfig } from "../support/known-config.ts";
import { lookUpThroughEc2 } from "./config-inventory.ts";
import { buildConfig, FAMILIAR_PORTS } from "./config.ts";
import { MACHINES, MONIT_HOSTS } from "./estate.ts";
import type { LabDescription } from "./lab.ts";

const endpoint = (port: number) => ({ address: "127.9.9.9", port, pid: 1 });

function describeWholeLab(): Pick<LabDescription, "hosts" | "services" | "sshConfigFile"> {
  const host = {
    otherAddresses: [],
    hostKeyFingerprint: "SHA256:x",
    hostKeyFile: "/k",
    logFile: "/l",
    pid: 1,
  };
  return {
    sshConfigFile: "/lab/config",
    hosts: Object.fromEntries(
      MACHINES.map(({ name }, index) => [
        name,
        { ...host, address: `127.9.9.${index}`, port: 1000 + index },
      ]),
    ),
    services: {
      mysql: {
        primary: { ...endpoint(1), socket: "/s" },
        replica: { ...endpoint(2), socket: "/s" },
        database: "school",
        passwordFiles: { app: "/secrets/app" },
      },
      redis: { ...endpoint(3), keys: 1 },
      devRedis: { ...endpoint(4), keys: 1 },
      graphite: { ...endpoint(4), linePort: 5, picklePort: 6, whisperFolder: "/w" },
      monit: Object.fromEntries(
        MONIT_HOSTS.map((name) => [
          name,
          { ...endpoint(7), user: "admin", passwordFile: `/secrets/${name}` },
        ]),
      ),
      elasticsearch: endpoint(8),
      kibana: endpoint(9),
      jenkins: endpoint(10),
    },
  };
}

async function pickWished(_address: string, wished = 40_000): Promise<number> {
  return wished;
}

test("follows the schema, and no name in it leads nowhere", async () => {
  const config = parseConfig(await buildConfig(describeWholeLab(), pickWished, "familiar"));
  for (const service of Object.values(config.services ?? {})) {
    if ("host" in service && service.host) expect(config.hosts).toHaveProperty([service.host]);
  }
  for (const entry of (config.menu ?? []).flatMap((group) => group.entries)) {
    if ("service" in entry) expect(config.services).toHaveProperty([entry.service]);
    if ("host" in entry) expect(config.hosts).toHaveProperty([entry.host]);
  }
});

test("has every key of awsConnect.sh, in its order, once, and those of the tables", async () => {
  const config = await buildConfig(describeWholeLab(), pickWished, "familiar");
  const keys = config.menu?.flatMap((group) => group.entries.map((entry) => entry.key));
  expect(keys).toEqual([
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "o",
    "b",
    "ba",
    "be",
    "bg",
    "bm",
    "bs",
    "bd",
    "rd",
    "rp",
    "li",
    "uu",
    "c",
    "m",
    "repo",
    "dt",
    "dd",
    "dc",
    "du",
    "h",
    "hw",
    "t",
    "tc",
  ]);
});

test("wishes for the ports of awsConnect.sh only when told to", async () => {
  const localPorts = async (ports: "free" | "familiar") => {
    const config = await buildConfig(describeWholeLab(), pickWished, ports);
    return Object.fromEntries(
      Object.entries(config.services ?? {}).flatMap(([name, service]) =>
        service.localPort ? [[name, service.localPort]] : [],
      ),
    );
  };
  expect(await localPorts("familiar")).toEqual(FAMILIAR_PORTS);
  expect(new Set(Object.values(await localPorts("free")))).toEqual(new Set([40_000]));
});

test("keeps secrets out of it", async () => {
  const text = JSON.stringify(await buildConfig(describeWholeLab(), pickWished, "free"));
  expect(text).toContain("${file:/secrets/app}");
  expect(
    [...text.matchAll(/"password":"([^"]*)"/g)].every(([, value]) => value?.startsWith("${file:")),
  ).toBe(true);
});

test("without a part, it and its menu entry are left out", async () => {
  const { jenkins: _jenkins, ...services } = describeWholeLab().services;
  const config = await buildConfig({ ...describeWholeLab(), services }, pickWished, "free");
  expect(config.services).not.toHaveProperty("jenkins");
  expect(config.menu?.map((group) => group.title)).not.toContain("CI");
  const empty = await buildConfig(
    { hosts: {}, services: {}, sshConfigFile: "/c" },
    pickWished,
    "free",
  );
  expect(empty.hosts).toEqual({});
});

const aws = {
  endpointUrl: "http://127.0.0.1:1",
  opsworksUrl: "http://127.0.0.1:2",
  dynamodbUrl: "http://127.0.0.1:3",
  state: "stand-in" as const,
  accountId: "123456789012",
  regions: ["eu-west-1"],
  instances: {},
};

test("with AWS each environment has its profile, account and regions", async () => {
  const config = await buildConfig({ ...describeWholeLab(), aws }, pickWished, "free");
  const shared = { account: "123456789012", regions: ["eu-west-1"] };
  expect(config.environments).toEqual({
    dev: { production: false, aws: { profile: "dev", ...shared } },
    prod: { production: true, aws: { profile: "prod", ...shared } },
  });
});

test("hosts that EC2 is asked for have a name and a region, and no address", async () => {
  const config = await buildConfig({ ...describeWholeLab(), aws }, pickWished, "free");
  const changed = lookUpThroughEc2(config, ["RedisCache", "DevServices"]);
  expect(changed.hosts?.["RedisCache"]).toEqual({
    ...config.hosts?.["RedisCache"],
    address: { dyn: { tags: { Name: "RedisCache" }, region: "eu-west-1" } },
  });
  expect(changed.hosts?.["GraphStats"]).toEqual(config.hosts?.["GraphStats"]);
});
