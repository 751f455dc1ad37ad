import { describeError, OperatorError } from "../../system/errors.ts";
import { type Cluster, isNotThere } from "./cluster.ts";
import type { ElasticsearchJob } from "./settings.ts";

interface Repository {
  type: string;
  settings?: Record<string, string>;
}

/** Given a job, return the name of its repository. Pure. */
export const repositoryOf = ({ elasticsearch }: ElasticsearchJob): string =>
  elasticsearch?.repository ?? "lcops";

/** Whether a job's documents are copied instead, and no repository is needed. Pure. */
export const isExport = ({ job }: { job: ElasticsearchJob }): boolean =>
  job.elasticsearch?.way === "export";

const pathOf = (name: string): string => `/_snapshot/${encodeURIComponent(name)}`;

/** Given a cluster and a job, return what is wrong with its repository as far as that is seen without a change; whether it is to be registered first. Throws `configuration`. */
export async function checkRepository(
  cluster: Cluster,
  job: ElasticsearchJob,
): Promise<"registered" | "to be registered"> {
  const name = repositoryOf(job);
  const register = job.elasticsearch?.register;
  const found = await cluster
    .ask<Record<string, Repository>>("GET", pathOf(name))
    .catch((error: unknown): Record<string, Repository> => {
      if (isNotThere(error)) return {};
      throw error;
    });
  const repository = found[name];
  if (!repository) {
    if (register) return "to be registered";
    throw new OperatorError("configuration", `${cluster.name} has no snapshot repository ${name}`, {
      next: "register one, set elasticsearch.repository or register of the job, or its way to export",
    });
  }
  if (repository.settings?.["readonly"] === "true")
    throw new OperatorError("configuration", `${name} is read-only for ${cluster.name}`, {
      next: "each cluster writes into a repository of its own",
    });
  const other = Object.entries(register?.settings ?? {}).find(
    ([key, value]) => repository.settings?.[key] !== String(value),
  );
  if (register && (register.type !== repository.type || other))
    throw new OperatorError(
      "configuration",
      `${name} is registered otherwise than the job says: ${other?.[0] ?? "type"}`,
      {
        next: "correct elasticsearch.register of the job; lcops changes no repository that is there",
      },
    );
  return "registered";
}

/** Given a cluster and a job, register its repository where there is none, and have every node prove that it can write there. */
export async function openRepository(cluster: Cluster, job: ElasticsearchJob): Promise<void> {
  const name = repositoryOf(job);
  const state = await checkRepository(cluster, job);
  try {
    if (state === "to be registered")
      await cluster.ask("PUT", `${pathOf(name)}?verify=false`, job.elasticsearch?.register);
    await cluster.ask("POST", `${pathOf(name)}/_verify`);
  } catch (error) {
    if (!(error instanceof OperatorError) || error.kind !== "failed") throw error;
    throw new OperatorError(
      "failed",
      `not every node can write to ${name}: ${describeError(error)}`,
      {
        next: "each node must reach the repository, and be allowed to",
        cause: error,
      },
    );
  }
}
