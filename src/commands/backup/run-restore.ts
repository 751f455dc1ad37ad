import { availableParallelism } from "node:os";
import { jobFolderOf } from "../../backup/job-folder.ts";
import { makeRunFolder } from "../../backup/run-folder.ts";
import type { StoredSet } from "../../backup/list-sets.ts";
import { openSet, type ReadOptions } from "../../backup/read-set.ts";
import { openRestoreProgress } from "../../backup/restore-set.ts";
import type { RestoreOutcome, RestorePlan } from "../../services/backup-driver.ts";
import type { RestoreTarget } from "../../services/restore-target.ts";
import type { SetContent, SetReader } from "../../services/set-content.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
import type { ChangePlan } from "../../system/gate.ts";
import { printable } from "../../system/printable.ts";
import { countOf, describeBytes } from "../../system/quantities.ts";
import type { Context, Input } from "../command.ts";
import { findSet } from "./gather-sets.ts";
import { type Backups, loadDriver, withBackups } from "./open-backups.ts";
import { programEnvironment } from "./program-environment.ts";
import { hasPort } from "../../config/schema.ts";
import { serviceTypeOf } from "../../services/registry.ts";

const GOES_ON = "the same command goes on where it stopped";

/** Given what was typed, do what `lcops backup restore` says and return the exit code. */
export function runRestore(input: Input, context: Context): Promise<number> {
  const [name = ""] = input.operands;
  const into = input.options["into"];
  const only = input.options["only"];
  if (typeof into !== "string") {
    throw new OperatorError("usage", "it is not said where the set is restored to", {
      next: "add --into SERVICE, e.g. --into school-dev/rescued",
    });
  }
  return withBackups(context, async (backups) => {
    const { job, copies, bad } = await findSet(backups, name, context);
    const [set] = copies;
    const whole = [...copies];
    if (!set)
      throw new OperatorError("failed", `${name}: ${bad[0]?.problem ?? "there is no copy"}`);
    if (set.manifest.external && !set.manifest.external.isRestorable)
      throw new OperatorError(
        "usage",
        `${set.setId} is a ${set.manifest.external.kind}, which lcops does not restore`,
        {
          next: `restore ${set.manifest.external.id} with AWS's own means`,
        },
      );
    const { target, isProduction } = openTarget(into, job.service.kind, backups);
    const driver = await loadDriver(job.service, job.job.service);
    const { startProgress } = await import("../../terminal/progress.ts");
    const progress = startProgress(context.terminal);
    const folder = await makeRunFolder(context.folders.state);
    let bytes = 0;
    let line = "";
    const draw = (): void => progress.update(`${describeBytes(bytes)}  ${line}`);
    const environment = await programEnvironment(context);
    const options = {
      job: job.job,
      environment,
      signal: context.signal,
      update: (text: string) => {
        line = text;
        draw();
      },
      trace: context.terminal.trace,
      parallel: Math.max(2, Math.min(4, availableParallelism())),
      folder: folder.path,
      jobFolder: jobFolderOf(context.folders.state, job.name),
      origin: backups.openPlace(job.job.service),
      ...(typeof only === "string" && { only }),
    };
    try {
      const readOptions = {
        environment,
        signal: context.signal,
        identities: backups.identities,
        passed: (more: number) => {
          bytes += more;
          draw();
        },
      };
      const read = <T>(use: (reader: SetReader) => Promise<T>): Promise<T> =>
        readWhole(whole, readOptions, context, use);
      const plan = await read((reader) => driver.planRestore(reader, target, options));
      progress.end();
      if (plan.isSource && input.options["inPlace"] !== true) {
        throw new OperatorError("refused", `${into} is what the set was read from`, {
          next: "restore it elsewhere, or add --in-place if it is really to be overwritten",
        });
      }
      const selected = typeof only === "string" ? only : undefined;
      const change = describeRestore(set, { into, only: selected, isProduction }, plan);
      if (!(await context.gate(change))) return 0;
      const done = await openRestoreProgress(context.folders.state, {
        setId: set.setId,
        into,
        only: typeof only === "string" ? only : undefined,
      });
      if (done.resumed > 0)
        context.terminal.note(
          `${countOf(done.resumed, "part was", "parts were")} restored before; it goes on behind those that still stand`,
        );
      const record = await context.journal({ change: change.title });
      const began = Date.now();
      let missing: RestoreOutcome["missing"] = [];
      try {
        const restored = await read((reader) =>
          driver.restore(reader, target, { ...options, ...done }),
        );
        missing = restored?.missing ?? [];
      } catch (error) {
        await record.end({ state: "failed", detail: describeError(error) });
        context.signal.throwIfAborted();
        throw error instanceof OperatorError
          ? new OperatorError(error.kind, `${error.message}; ${into} is restored in part`, {
              next:
                error.kind === "unreachable"
                  ? GOES_ON
                  : `${error.next === undefined ? "" : `${error.next}; `}${GOES_ON}`,
              cause: error,
            })
          : error;
      }
      await done.finish();
      await record.end({
        state: missing.length > 0 ? "failed" : "done",
        ...(missing.length > 0 && {
          detail: `${countOf(missing.length, "object is", "objects are")} missing`,
        }),
      });
      const tookMs = Date.now() - began;
      if (context.terminal.flags.json)
        context.terminal.printJson({
          setId: set.setId,
          into,
          only: only ?? null,
          bytes,
          tookMs,
          missing,
        });
      else if (missing.length === 0)
        context.terminal.note(
          `${into}: restored, ${describeBytes(bytes)} in ${(tookMs / 1000).toFixed(1)} s`,
        );
      for (const { object, reason } of missing.slice(0, 20))
        context.terminal.warn(`lcops: ${into}: ${printable(`${object}: ${reason}`)}`);
      if (missing.length > 20)
        context.terminal.warn(`  and ${countOf(missing.length - 20, "more object")}`);
      return missing.length > 0 ? 3 : 0;
    } finally {
      progress.end();
      await folder.remove();
    }
  });
}

/** Given the copies of a set, hand one to `use`; where one proves damaged on the way, it is taken out and the next goes on. */
async function readWhole<T>(
  copies: StoredSet[],
  options: ReadOptions,
  { signal, terminal }: Context,
  use: (reader: SetReader) => Promise<T>,
): Promise<T> {
  for (;;) {
    const [set] = copies;
    if (!set) throw new Error("no copy is left");
    let problem: string | undefined;
    const damaged = (told: string): void => void (problem ??= told);
    try {
      return await use(openSet(set, { ...options, damaged }));
    } catch (error) {
      signal.throwIfAborted();
      if (problem === undefined || copies.length === 1) throw error;
      terminal.warn(
        `lcops: at ${set.store.name} ${printable(problem)}; the copy at ${copies[1]?.store.name} is read`,
      );
      copies.shift();
    }
  }
}

/** Returns what a restore is about to do. Over its own source it is confirmed by name, wherever that is. Pure. */
export function describeRestore(
  {
    setId,
    job,
    manifest,
  }: Pick<StoredSet, "setId" | "job"> & {
    manifest: Pick<SetContent, "consistency" | "skipped">;
  },
  wish: { into: string; only: string | undefined; isProduction: boolean },
  plan: RestorePlan,
): ChangePlan {
  const { into, only, isProduction } = wish;
  const { consistency, skipped } = manifest;
  return {
    title: `restore ${only === undefined ? "" : `${only} of `}${setId} (${job}) into ${into}`,
    lines: [
      `as of ${consistency.at}, ${consistency.level}`,
      ...describeSkipped(skipped),
      ...plan.objects.slice(0, 20),
      ...(plan.objects.length > 20 ? [`and ${plan.objects.length - 20} more`] : []),
      ...plan.replaces.slice(0, 20).map((one) => `replaces ${one}`),
      ...(plan.replaces.length > 20 ? [`and ${plan.replaces.length - 20} more`] : []),
      ...(plan.isSource ? [`${into} is what the set was read from`] : []),
      ...(plan.warnings ?? []).map(({ code, detail = "" }) => `${code} ${detail}`),
    ],
    target: into,
    danger: "destroys",
    isProduction: isProduction || plan.isSource,
  };
}

/** Whoever restores a set that is not whole must know before it is done. */
function describeSkipped(skipped: SetContent["skipped"]): string[] {
  return [
    ...skipped.slice(0, 20).map(({ object, reason }) => `without ${object}: ${reason}`),
    ...(skipped.length > 20 ? [`and without ${skipped.length - 20} more`] : []),
  ];
}

/** Returns the target of `--into`: `SERVICE`, `SERVICE/WITHIN`, or for whisper files and objects `/FOLDER` of this machine. Throws `usage`. */
export function openTarget(
  into: string,
  kind: string,
  backups: Pick<Backups, "openPlace">,
): { target: RestoreTarget; isProduction: boolean } {
  if (into.startsWith("/")) {
    if (!serviceTypeOf(kind).fitsFolder)
      throw new OperatorError("usage", `a ${kind} set is restored into a service, not a folder`, {
        next: "name a service after --into",
      });
    return { target: { kind: "folder", folder: into }, isProduction: false };
  }
  const at = into.indexOf("/");
  const [service, within] = at === -1 ? [into] : [into.slice(0, at), into.slice(at + 1)];
  const place = backups.openPlace(service ?? "", within);
  const { config, isProduction } = place;
  if (config.kind !== kind)
    throw new OperatorError(
      "usage",
      `${service} is a ${config.kind} service, the set is of ${kind}`,
      {
        next: `name a ${kind} service after --into`,
      },
    );
  const target: RestoreTarget = hasPort(config)
    ? { kind: "service", place }
    : { kind: "bucket", place };
  return { target, isProduction };
}
