import { jobFolderOf } from "../../backup/job-folder.ts";
import { makeRunFolder } from "../../backup/run-folder.ts";
import { serviceOf } from "../../services/restore-target.ts";
import { OperatorError } from "../../system/errors.ts";
import { findSet } from "../backup/gather-sets.ts";
import { loadDriver, withBackups } from "../backup/open-backups.ts";
import { programEnvironment } from "../backup/program-environment.ts";
import type { Context } from "../command.ts";
import type { ServicePlace } from "../../reach/service-place.ts";
import { mysql } from "../../services/mysql/mysql.ts";
import type { MysqlJob } from "../../services/mysql/settings.ts";

/** A set as a server that can be asked. */
interface RestoredSet {
  place: ServicePlace;
  databases: string[];
  /** What its job leaves out by configuration: names of databases and tables. */
  exclude: readonly string[];
}

/**
 * Given the name of a set, or of a job for its newest, restore it into a scratch server as a drill does, and call `use` with it; the server is gone behind it.
 * Throws `missing` where this machine has no such server, `usage` where it is no set of a MySQL service.
 */
export function withRestoredSet<T>(
  name: string,
  context: Context,
  update: (line: string) => void,
  use: (restored: RestoredSet) => Promise<T>,
): Promise<T> {
  return withBackups(context, async (backups) => {
    const { job, copies } = await findSet(backups, name, context);
    const [set] = copies;
    if (!set)
      throw new OperatorError("failed", `the manifest of ${name} is damaged`, {
        next: "see lcops backup verify, or choose another set",
      });
    if (!mysql.is(set.manifest) || set.manifest.external)
      throw new OperatorError(
        "usage",
        `${set.setId} is no set of a MySQL service that can be restored here`,
      );
    const { openSet } = await import("../../backup/read-set.ts");
    const driver = await loadDriver(job.service, job.job.service);
    const folder = await makeRunFolder(context.folders.state);
    const environment = await programEnvironment(context);
    const { signal } = context;
    const options = {
      job: job.job,
      environment,
      signal,
      update,
      trace: context.terminal.trace,
      parallel: 2,
      folder: folder.path,
      jobFolder: jobFolderOf(context.folders.state, job.name),
      origin: backups.openPlace(job.job.service),
    };
    const reader = openSet(set, { identities: backups.identities, environment, signal });
    try {
      // Without `configured`, the server that a drill may overwrite: nobody's server is written to here.
      const scratch = await driver.openScratch(reader, options);
      if ("needs" in scratch)
        throw new OperatorError(
          "missing",
          `${set.setId} is restored to be compared: it needs ${scratch.needs} on this machine`,
        );
      try {
        await driver.restore(reader, scratch.target, {
          ...options,
          isDone: () => false,
          markDone: () => Promise.resolve(),
        });
        const databases = reader.parts.flatMap(({ role, object }) =>
          role === "database" ? [object] : [],
        );
        const { mysql: settings }: MysqlJob = job.job;
        return await use({
          place: { ...serviceOf(scratch.target), name: set.setId },
          databases,
          exclude: settings?.exclude ?? [],
        });
      } finally {
        await scratch.close();
      }
    } finally {
      await folder.remove();
    }
  });
}
