import { findUnpublished } from "../../backup/collect-garbage.ts";
import { jobFolderOf } from "../../backup/job-folder.ts";
import type { Store } from "../../backup/store.ts";
import type { DriverOptions } from "../../services/backup-driver.ts";
import type { ExternalReference } from "../../services/set-content.ts";
import type { Context } from "../command.ts";
import { type Backups, type Job, loadDriver } from "./open-backups.ts";
import { programEnvironment } from "./program-environment.ts";

/** What a killed run has made elsewhere, as an RDS snapshot, and no set stands for. */
export interface LeftExternal {
  job: string;
  reference: ExternalReference;
  remove: () => Promise<void>;
}

/** Given a job, its stores and sets whose runs were killed, return what is left of them elsewhere. Throws where a store or the service does not answer. */
export async function findExternals(
  job: Job,
  { stores, setIds }: { stores: readonly Store[]; setIds: readonly string[] },
  backups: Backups,
  context: Context,
): Promise<LeftExternal[]> {
  const { external } = await loadDriver(job.service, job.job.service);
  if (!external || setIds.length === 0) return [];
  const unpublished = await findUnpublished(stores, job.name, setIds);
  if (unpublished.length === 0) return [];
  const place = backups.openPlace(job.job.service);
  const options: DriverOptions = {
    job: job.job,
    environment: await programEnvironment(context),
    signal: context.signal,
    update: () => undefined,
    trace: context.terminal.trace,
    parallel: 1,
    folder: context.folders.state,
    jobFolder: jobFolderOf(context.folders.state, job.name),
  };
  const left = await external.findLeft(unpublished, place, options);
  return left.map((reference) => ({
    job: job.name,
    reference,
    remove: () => external.remove(reference, place, options),
  }));
}
