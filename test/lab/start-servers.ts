/** Starts the servers of the lab, side by side. */
import { randomInt } from "node:crypto";
import { awaitAll } from "./await-all.ts";
import { startAws } from "./start-aws.ts";
import { startBastion, startPrivateHost } from "./bastion.ts";
import { MACHINES, MONIT_HOSTS } from "./estate.ts";
import { startGraphite } from "./graphite.ts";
import type { LabAws, LabHost, LabMonit, LabS3, LabServices, PartName } from "./lab.ts";
import { startMariadb } from "./mariadb.ts";
import { startMonit } from "./monit.ts";
import { startOpenSearch } from "./opensearch.ts";
import { findOpenSearch } from "./opensearch-cache.ts";
import { startPage } from "./page.ts";
import type { LabContext } from "./process.ts";
import { startProsody } from "./prosody.ts";
import { startRedis } from "./redis.ts";
import { startS3 } from "./s3.ts";
import { findVersitygw } from "./versitygw-cache.ts";
import { makeOperatorFiles, writeOperatorFiles } from "./ssh-files.ts";
import type { OperatorFiles } from "./ssh-files.ts";
import { makeSeparationFolder, prepareHost, startHost } from "./sshd.ts";
import type { PreparedHost } from "./sshd.ts";

/** Each lab has a network of its own, so that several can run at once. */
function createAddresses(): (index: number) => string {
  const prefix = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  return (index) => `${prefix}.${10 + index}`;
}

async function prepareHosts(
  lab: LabContext,
  files: OperatorFiles,
  addressOf: (index: number) => string,
  withBastion: boolean,
): Promise<PreparedHost[]> {
  makeSeparationFolder();
  const machines = MACHINES.filter(
    (machine) => withBastion || !(machine.isPrivate || machine.role === "bastion"),
  );
  return awaitAll(
    machines.map((machine) =>
      prepareHost(lab, machine, addressOf(MACHINES.indexOf(machine)), files.authorizedKeysFile),
    ),
  );
}

async function startHosts(
  lab: LabContext,
  prepared: PreparedHost[],
): Promise<Record<string, LabHost>> {
  const secluded = prepared.find(({ machine }) => machine.isPrivate);
  const bastion = prepared.find(({ machine }) => machine.role === "bastion");
  const startGuarded = async (): Promise<[string, LabHost][]> => {
    if (!secluded || !bastion) return [];
    const inside = await startPrivateHost(lab, secluded);
    return [
      [bastion.machine.name, await startBastion(lab, bastion, inside.pid)],
      [secluded.machine.name, inside],
    ];
  };
  const open = prepared.filter((host) => host !== secluded && host !== bastion);
  const starts = open.map(async (host): Promise<[string, LabHost]> => [
    host.machine.name,
    await startHost(lab, host),
  ]);
  const [guarded, ...others] = await awaitAll([startGuarded(), ...starts]);
  return Object.fromEntries([...others, ...guarded]);
}

async function startMonits(lab: LabContext): Promise<Record<string, LabMonit>> {
  const started = await awaitAll(
    MONIT_HOSTS.map(async (name) => [name, await startMonit(lab, name)] as const),
  );
  return Object.fromEntries(started);
}

function startSearch(lab: LabContext): Promise<NonNullable<LabServices["elasticsearch"]>> {
  const files = findOpenSearch(process.env);
  return typeof files === "string" ? startPage(lab, "elasticsearch") : startOpenSearch(lab, files);
}

export type RunningServers = {
  hosts: Record<string, LabHost>;
  services: LabServices;
  files: OperatorFiles;
  aws?: LabAws;
  s3?: LabS3;
};

/**
 * Takes which parts are wanted; starts all servers that do not wait for one another side by side, and returns them.
 * Throws when one does not start, once none of the others is still starting.
 */
export async function startServers(
  lab: LabContext,
  has: (name: PartName) => boolean,
): Promise<RunningServers> {
  const addressOf = createAddresses();
  const machines = MACHINES.length;
  const when = <T>(name: PartName, start: () => Promise<T>): Promise<T | undefined> => {
    return has(name) ? start() : Promise.resolve(undefined);
  };
  const startNetwork = async () => {
    const files = await makeOperatorFiles(lab, has("hosts"));
    const prepared = has("hosts") ? await prepareHosts(lab, files, addressOf, has("bastion")) : [];
    writeOperatorFiles(files, prepared);
    const hosts = await startHosts(lab, prepared);
    return { files, hosts, monit: await when("monit", () => startMonits(lab)) };
  };
  const network = startNetwork();
  const knownHosts = network.then(({ hosts }) => hosts);
  // Whoever waits for them hears it from the network itself.
  knownHosts.catch(() => {});
  const startedAws = when("aws", () => startAws(lab, knownHosts));
  const addressOfRole = (role: string): string =>
    addressOf(MACHINES.findIndex((machine) => machine.role === role));
  const [started, mysql, redis, devRedis, graphite, xmpp, elasticsearch, kibana, jenkins, aws, s3] =
    await awaitAll([
      network,
      when("mysql", () =>
        startMariadb(lab, { primary: addressOf(machines), replica: addressOf(machines + 1) }),
      ),
      when("redis", () => startRedis(lab, "redis", addressOfRole("cache"))),
      when("redis", () => startRedis(lab, "dev-redis", addressOfRole("chat"))),
      when("graphite", () => startGraphite(lab)),
      when("xmpp", () => startProsody(lab)),
      when("elasticsearch", () => startSearch(lab)),
      when("kibana", () => startPage(lab, "kibana")),
      when("jenkins", () => startPage(lab, "jenkins")),
      startedAws,
      when("s3", () => startS3(lab, findVersitygw(process.env), startedAws)),
    ]);
  const services = {
    mysql,
    redis,
    devRedis,
    graphite,
    monit: started.monit,
    xmpp,
    elasticsearch,
    kibana,
    jenkins,
  };
  const running = Object.fromEntries(
    Object.entries(services).filter(([, service]) => service !== undefined),
  );
  return {
    hosts: started.hosts,
    services: running as LabServices,
    files: started.files,
    ...(aws && { aws }),
    ...(s3 && { s3 }),
  };
}
