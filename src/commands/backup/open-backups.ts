import type {
  BackupJobConfig,
  BackupsConfig,
  DestinationConfig,
  DestinationName,
} from "../../config/backup-schema.ts";
import { expandHome } from "../../config/folders.ts";
import type { Config, ServiceConfig } from "../../config/schema.ts";
import type { Store } from "../../backup/store.ts";
import type { BackupDriver } from "../../services/backup-driver.ts";
import { type OpenServices, withServices } from "../../reach/open-service.ts";
import { OperatorError } from "../../system/errors.ts";
import type { Context } from "../command.ts";
import type { ServicePlace } from "../../reach/service-place.ts";

/** What is configured of backups, and the ways to it. */
export interface Backups {
  config: Config;
  settings: BackupsConfig;
  /** Given what was typed, return the jobs that it names, all where it names none. Throws `usage`. */
  pick(names: readonly string[]): Job[];
  /** Where the sets of a job go; each destination is opened once. */
  stores(job: BackupJobConfig): Promise<Store[]>;
  /** The private keys. Throws `access`. */
  identities(): Promise<readonly string[]>;
  /** Returns the service of that name; its ways are closed with everything else. Throws `usage`. */
  openPlace(name: string, within?: string): ServicePlace;
}

export interface Job {
  name: string;
  job: BackupJobConfig;
  service: ServiceConfig;
}

/** Given a context, call `use` with what is configured of backups; everything that was opened meanwhile is closed behind it. Throws `configuration` where there is nothing. */
export async function withBackups<T>(
  context: Context,
  use: (backups: Backups) => Promise<T>,
): Promise<T> {
  const config = await context.config();
  const settings = config.backups;
  if (!settings) {
    throw new OperatorError("configuration", "no backups are configured", {
      next: "add a section backups with destinations and jobs; lcops.config.example.json has one",
    });
  }
  const opened = new Map<DestinationName, Promise<Store>>();
  const openStore = (name: DestinationName, destination: DestinationConfig): Promise<Store> => {
    const known = opened.get(name) ?? makeStore(name, destination, config, context);
    opened.set(name, known);
    return known;
  };
  const serviceOf = (name: string): ServiceConfig => {
    const services = config.services ?? {};
    const service = Object.hasOwn(services, name) ? services[name] : undefined;
    if (service) return service;
    throw new OperatorError("usage", `there is no service ${name}`, {
      next: `name one of ${Object.keys(services).join(", ")}`,
    });
  };
  const useOpen = (open: OpenServices): Promise<T> =>
    use({
      config,
      settings,
      pick: (names) => pickJobs(names, settings, serviceOf),
      stores: async (job) => {
        const names = job.destinations ?? (["server", "operator"] as const);
        const stores = await Promise.all(
          names.flatMap((name) => {
            const destination = settings.destinations[name];
            return destination ? [openStore(name, destination)] : [];
          }),
        );
        return stores;
      },
      identities: async () => {
        const { readSecret } = await import("../../config/read-secret.ts");
        const { environment, signal } = context;
        return Promise.all(
          (settings.identities ?? []).map((one) => readSecret(one, { environment, signal })),
        );
      },
      openPlace: (name, within) => open(name, serviceOf(name), within),
    });
  try {
    return await withServices(config, context, useOpen);
  } finally {
    for (const store of opened.values()) (await store.catch(() => undefined))?.close();
  }
}

function pickJobs(
  names: readonly string[],
  settings: BackupsConfig,
  serviceOf: (name: string) => ServiceConfig,
): Job[] {
  const all = Object.keys(settings.jobs);
  const unknown = names.find((name) => !Object.hasOwn(settings.jobs, name));
  if (unknown !== undefined) {
    throw new OperatorError("usage", `there is no backup job ${unknown}`, {
      next: `name one of ${all.join(", ")}`,
    });
  }
  return [...new Set(names.length > 0 ? names : all)].flatMap((name) => {
    const job = settings.jobs[name];
    return job ? [{ name, job, service: serviceOf(job.service) }] : [];
  });
}

async function makeStore(
  name: DestinationName,
  destination: DestinationConfig,
  config: Config,
  context: Context,
): Promise<Store> {
  if ("folder" in destination) {
    const { openFolderStore } = await import("../../backup/folder-store.ts");
    return openFolderStore(name, expandHome(destination.folder));
  }
  const { openBucket } = await import("./open-bucket.ts");
  try {
    return await openBucket(name, destination, config, context);
  } catch (error) {
    context.signal.throwIfAborted();
    const isMendable = error instanceof OperatorError && error.kind !== "configuration";
    if (!isMendable) throw error;
    // A sign-in that has expired must not cost the copy at the other destination.
    const { closedStore } = await import("../../backup/closed-store.ts");
    const { bucket, prefix = "" } = destination;
    return closedStore(name, `s3://${bucket}/${prefix}`, error);
  }
}

/** How a kind of service is backed up. Throws `usage` where lcops cannot. */
export async function loadDriver(service: ServiceConfig, name: string): Promise<BackupDriver> {
  const { serviceTypeOf } = await import("../../services/registry.ts");
  const driver = await serviceTypeOf(service.kind).backup?.();
  if (driver) return driver;
  throw new OperatorError(
    "configuration",
    `${name}: a ${service.kind} service cannot be backed up yet`,
    {
      next: "take its job out of backups.jobs",
    },
  );
}
