/** The lab: real servers that stand for the estate, in one folder, on loopback only. */
import { setMaxListeners } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { writeAwsFiles } from "./aws-files.ts";
import { makeBackups } from "./backups.ts";
import { findNamespaceObstacle } from "./bastion.ts";
import { buildConfig } from "./config.ts";
import { createPortPicker } from "./free-port.ts";
import type { Lab, LabBackups, LabDescription, LabOptions, Part, PartName } from "./lab.ts";
import { LAB_PREFIX, LAB_VARIABLE, recordLab, removeLeftovers } from "./leftovers.ts";
import { findMoto } from "./moto-cache.ts";
import { ensurePackages } from "./packages.ts";
import type { PackageReport } from "./packages.ts";
import { findOpenSearch } from "./opensearch-cache.ts";
import { planChoice, planParts, requireParts } from "./parts.ts";
import type { Better } from "./parts.ts";
import { killRemaining } from "./process.ts";
import { makeRepositories } from "./repositories.ts";
import type { LabContext } from "./process.ts";
import { prepareServers } from "./start-servers.ts";
import { findVersitygw, VERSITYGW_VERSION } from "./versitygw-cache.ts";

function makeFolders(folder: string): void {
  // MariaDB runs as another user and must be able to pass through.
  chmodSync(folder, 0o711);
  for (const name of ["log", "secrets", "hosts", "home"])
    mkdirSync(path.join(folder, name), { mode: 0o700 });
  chmodSync(path.join(folder, "hosts"), 0o755);
}

function makeEnvironment(folder: string, configPath: string): Record<string, string> {
  const home = path.join(folder, "home");
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    LANG: "C.UTF-8",
    HOME: home,
    XDG_CONFIG_HOME: path.join(home, ".config"),
    XDG_STATE_HOME: path.join(home, ".local/state"),
    XDG_CACHE_HOME: path.join(home, ".cache"),
    LCOPS_CONFIG: configPath,
    [LAB_VARIABLE]: folder,
  };
}

/** Takes environment variables; returns the parts for which more than the least was fetched. */
function findBetter(environment: NodeJS.ProcessEnv): Better {
  const search = findOpenSearch(environment);
  return {
    ...(findMoto(environment) !== undefined && {
      aws: { state: "emulator", detail: "moto: EC2 in three regions, STS, RDS, CloudWatch" },
      dynamodb: { state: "emulator", detail: "moto" },
    }),
    ...(findVersitygw(environment) !== undefined && {
      s3: { state: "real", detail: `versitygw ${VERSITYGW_VERSION}` },
    }),
    ...(typeof search !== "string" && {
      elasticsearch: {
        state: "real",
        detail: `${search.product === "elasticsearch" ? "Elasticsearch" : "OpenSearch"} ${search.version}, three days of logs`,
      },
    }),
  };
}

async function decideParts(
  lab: LabContext,
  options: LabOptions,
  packages: PackageReport,
): Promise<Part[]> {
  const obstacle = packages.missing.includes("iproute2")
    ? undefined
    : await findNamespaceObstacle(lab);
  const parts = planParts(
    options.parts,
    packages,
    {
      ...(obstacle !== undefined && { bastion: obstacle }),
      ...(findVersitygw(process.env) === undefined &&
        findMoto(process.env) === undefined && {
          s3: "neither versitygw nor moto is here: npm run lab:fetch",
        }),
    },
    findBetter(process.env),
  );
  if (packages.command && parts.some((part) => part.state === "absent"))
    lab.log(`lab: to have all of it: ${packages.command}`);
  requireParts(parts, process.env["LCOPS_LAB_REQUIRE"]);
  return parts;
}

/** Stops what runs, whatever happens to one of it, and leaves nothing behind. */
async function stopAll(lab: LabContext): Promise<void> {
  const closed = await Promise.allSettled(lab.closers.map(async (close) => close()));
  for (const result of closed)
    if (result.status === "rejected") lab.log(`lab: ${String(result.reason)}`);
  await killRemaining(lab);
  rmSync(lab.folder, { recursive: true, force: true, maxRetries: 5 });
  lab.recorder.erase();
}

/** A lab whose parts start when they are asked for. */
export type OpenLab = {
  folder: string;
  /** The parts that were wished, and what they need, each with its state on this machine. */
  parts: Part[];
  /** Takes parts, or all of them; returns the lab with these alone, once each of them answers. */
  ask(names?: readonly PartName[]): Promise<LabDescription>;
  stop(): Promise<void>;
};

/**
 * Takes options; installs what is missing where that is allowed, and returns a lab of which nothing runs yet.
 * Throws when LCOPS_LAB_REQUIRE is not met.
 */
export async function openLab(options: LabOptions = {}): Promise<OpenLab> {
  const log = options.log ?? (() => {});
  // Each command that runs listens to it, and many run at once.
  if (options.signal) setMaxListeners(0, options.signal);
  // The SDK's note on its next Node version, from the clients that seed the lab.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  removeLeftovers(log);
  const packages = await ensurePackages(log);
  options.signal?.throwIfAborted();

  const folder = mkdtempSync(path.join(os.tmpdir(), LAB_PREFIX));
  const lab: LabContext = {
    folder,
    log,
    signal: options.signal,
    recorder: recordLab(folder),
    pickPort: createPortPicker(),
    closers: [],
    logFiles: [],
  };
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= stopAll(lab));
  try {
    makeFolders(folder);
    const parts = await decideParts(lab, options, packages);
    const has = new Set(parts.filter((part) => part.state !== "absent").map((part) => part.name));
    const start = prepareServers(lab, (name) => has.has(name));
    let backups: Promise<LabBackups> | undefined;
    let repositories: ReturnType<typeof makeRepositories> | undefined;
    let described = 0;

    const ask: OpenLab["ask"] = async (names) => {
      const chosen = planChoice(parts, names);
      const wanted = new Set(
        chosen.filter(({ state }) => state !== "absent").map(({ name }) => name),
      );
      backups ??= makeBackups(folder);
      const makeWorkingCopies = () =>
        (repositories ??= makeRepositories(path.join(folder, "repositories"), REPOSITORIES));
      const { files, ...servers } = await start(wanted);
      const found = {
        ...servers,
        backups: await backups,
        ...(wanted.has("repositories") && { repositories: await makeWorkingCopies() }),
        sshConfigFile: files.sshConfigFile,
      };
      const config = await buildConfig(found, lab.pickPort, options.ports);
      options.signal?.throwIfAborted();
      const own = path.join(folder, "operator", String(++described));
      mkdirSync(own, { mode: 0o700 });
      const configPath = path.join(own, "lcops.config.json");
      writeFileSync(configPath, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
      const environment = {
        ...makeEnvironment(folder, configPath),
        ...writeAwsFiles(own, servers.aws, servers.s3),
      };
      const { identityFile, knownHostsFile } = files;
      return {
        folder,
        configPath,
        environment,
        parts: chosen,
        ...found,
        identityFile,
        knownHostsFile,
      };
    };
    return { folder, parts, ask, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Working copies of the operator's. */
const REPOSITORIES = ["app", "api", "worker"];

/**
 * Takes options; starts all parts that are wished and returns the lab once each of them answers.
 * Throws, with nothing left running, when one does not start or LCOPS_LAB_REQUIRE is not met.
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const lab = await openLab(options);
  try {
    return { ...(await lab.ask()), stop: lab.stop };
  } catch (error) {
    await lab.stop();
    throw error;
  }
}
