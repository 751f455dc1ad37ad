/** Starts the servers of the lab: each part when it is first asked for, and once. */
import { randomInt } from "node:crypto";
import { awaitAll } from "./await-all.ts";
import { startAws } from "./start-aws.ts";
import { startBastion, startPrivateHost } from "./bastion.ts";
import { MACHINES, MONIT_HOSTS } from "./estate.ts";
import type { Machine } from "./estate.ts";
import { startGraphite } from "./graphite.ts";
import type { LabAws, LabHost, LabMonit, LabS3, LabServices, PartName } from "./lab.ts";
import { installMariadb } from "./mariadb.ts";
import { startMonit } from "./monit.ts";
import { startOpenSearch } from "./opensearch.ts";
import { findOpenSearch } from "./opensearch-cache.ts";
import { startPage } from "./page.ts";
import { makeStarter } from "./part-starter.ts";
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

const isGuarded = (machine: Machine): boolean =>
  machine.isPrivate === true || machine.role === "bastion";

async function prepareHosts(
  lab: LabContext,
  files: OperatorFiles,
  addressOf: (index: number) => string,
  withBastion: boolean,
): Promise<PreparedHost[]> {
  makeSeparationFolder();
  const machines = MACHINES.filter((machine) => withBastion || !isGuarded(machine));
  return awaitAll(
    machines.map((machine) =>
      prepareHost(lab, machine, addressOf(MACHINES.indexOf(machine)), files.authorizedKeysFile),
    ),
  );
}

async function startOpenHosts(
  lab: LabContext,
  prepared: PreparedHost[],
): Promise<Record<string, LabHost>> {
  const open = prepared.filter(({ machine }) => !isGuarded(machine));
  const started = open.map(
    async (host) => [host.machine.name, await startHost(lab, host)] as const,
  );
  return Object.fromEntries(await awaitAll(started));
}

async function startGuardedHosts(
  lab: LabContext,
  prepared: PreparedHost[],
): Promise<Record<string, LabHost>> {
  const secluded = prepared.find(({ machine }) => machine.isPrivate);
  const bastion = prepared.find(({ machine }) => machine.role === "bastion");
  if (!secluded || !bastion) return {};
  const inside = await startPrivateHost(lab, secluded);
  return {
    [bastion.machine.name]: await startBastion(lab, bastion, inside.pid),
    [secluded.machine.name]: inside,
  };
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
 * Takes the lab and which parts this machine can have; returns what starts parts of it. It starts those that do not run yet
 * side by side, and returns the servers of these parts alone. It throws when one does not start, once none of the others is
 * still starting.
 */
export function prepareServers(
  lab: LabContext,
  can: (name: PartName) => boolean,
): (names: ReadonlySet<PartName>) => Promise<RunningServers> {
  const addressOf = createAddresses();
  const addressOfRole = (role: string): string =>
    addressOf(MACHINES.findIndex((machine) => machine.role === role));
  const startOnce = makeStarter(lab);
  const network = startOnce("the keys of the hosts", async (context) => {
    const files = await makeOperatorFiles(context, can("hosts"));
    const prepared = can("hosts")
      ? await prepareHosts(context, files, addressOf, can("bastion"))
      : [];
    writeOperatorFiles(files, prepared);
    return { files, prepared };
  });
  const hosts = startOnce("hosts", async (context) =>
    startOpenHosts(context, (await network()).prepared),
  );
  const bastion = startOnce("bastion", async (context) =>
    startGuardedHosts(context, (await network()).prepared),
  );
  const mariadb = startOnce("the data folders of mysql", (context) =>
    installMariadb(context, {
      primary: addressOf(MACHINES.length),
      replica: addressOf(MACHINES.length + 1),
    }),
  );
  const mysql = startOnce("mysql", async (context) => (await mariadb()).startPrimary(context));
  const replica = startOnce("replica", async (context) =>
    (await mariadb()).startReplica(context, mysql()),
  );
  const aws = startOnce("aws", async (context) => {
    const { prepared } = await network();
    const known = prepared.map(({ machine, host }) => [machine.name, host] as const);
    return startAws(context, Object.fromEntries(known));
  });
  const s3 = startOnce("s3", (context) => startS3(context, findVersitygw(process.env), aws));
  const services = {
    redis: startOnce("redis", (context) => startRedis(context, "redis", addressOfRole("cache"))),
    devRedis: startOnce("redis of development", (context) =>
      startRedis(context, "dev-redis", addressOfRole("chat")),
    ),
    graphite: startOnce("graphite", startGraphite),
    monit: startOnce("monit", async (context) => {
      // It watches their sshd.
      await hosts();
      return startMonits(context);
    }),
    xmpp: startOnce("xmpp", startProsody),
    elasticsearch: startOnce("elasticsearch", startSearch),
    kibana: startOnce("kibana", (context) => startPage(context, "kibana")),
    jenkins: startOnce("jenkins", (context) => startPage(context, "jenkins")),
  };

  return async (names) => {
    const when = <T>(name: PartName, start: () => Promise<T>): Promise<T | undefined> =>
      names.has(name) ? start() : Promise.resolve(undefined);
    const startServices = Object.entries<() => Promise<unknown>>(services).map(
      async ([name, start]) =>
        [name, await when(name === "devRedis" ? "redis" : (name as PartName), start)] as const,
    );
    const [{ files }, open, guarded, primary, second, cloud, objects, ...others] = await awaitAll([
      network(),
      when("hosts", hosts),
      when("bastion", bastion),
      when("mysql", mysql),
      when("replica", replica),
      when("aws", aws),
      when("s3", s3),
      ...startServices,
    ]);
    const found = Object.fromEntries(others.filter(([, service]) => service !== undefined));
    return {
      hosts: { ...open, ...guarded },
      services: {
        ...(primary && { mysql: { ...primary, ...(second && { replica: second }) } }),
        ...(found as LabServices),
      },
      files,
      ...(cloud && { aws: cloud }),
      ...(objects && { s3: objects }),
    };
  };
}
