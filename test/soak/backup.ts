import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { startScriptedS3 } from "../lab/scripted-s3.ts";
import { makeBackupGround } from "../support/backup-ground.ts";
import { findPrograms } from "../support/find-programs.ts";
import { startLcops } from "../support/run-lcops.ts";
import { useBucket } from "../support/use-bucket.ts";

/** So many packs a set has, each in a root of its own. */
const ROOTS = 24;
const BYTES_BY_ROOT = 400_000;
const SET_ID = /\d{8}T\d{6}Z-[0-9a-f]{6}/;

/**
 * Given how often (50), kill a backup to a bucket (stand-in) and a folder at a random moment; return what was seen. Throws where a set is
 * listed that does not verify, one is lost, the next run does not work, or anything is left behind gc.
 */
export async function soakBackup(count = 50): Promise<string> {
  const ground = makeBackupGround();
  const s3 = await startScriptedS3(50);
  try {
    useBucket(ground, s3.url);
    for (let root = 0; root < ROOTS; root++) {
      mkdirSync(path.join(ground.whisper, `root${root}`));
      // What no compression makes small.
      writeFileSync(path.join(ground.whisper, `root${root}/m.wsp`), randomBytes(BYTES_BY_ROOT));
    }
    const lcops = async (...words: string[]): Promise<void> => {
      const { code, stdout, stderr } = await ground.lcops(...words);
      if (code !== 0 || stdout + stderr !== "")
        throw new Error(`lcops ${words.join(" ")}: ${code}\n${stdout}${stderr}`);
    };
    const begin = performance.now();
    await lcops("backup", "run");
    let wholeMs = performance.now() - begin;

    const seen = { killed: 0, ended: 0, withRemains: 0, published: 0 };
    // A moment after its end is none.
    for (let round = 0; seen.killed < count; round++) {
      if (round > count * 4 + 10)
        throw new Error(`of ${round} runs only ${seen.killed} were killed`);
      const before = await ground.sets();
      const began = performance.now();
      const running = startLcops(["backup", "run"], { environment: ground.environment });
      await Promise.race([wait(Math.random() * wholeMs), running.ended]);
      const ranMs = performance.now() - began;
      running.send("SIGKILL");
      const { signal } = await running.ended;
      seen[signal === "SIGKILL" ? "killed" : "ended"]++;
      // The machine may have had other things to do at the first one.
      if (signal === null) wholeMs = Math.min(wholeMs, ranMs);
      const sets = await ground.sets();
      if (sets.length > before.length) seen.published++;
      if (before.some((setId) => !sets.includes(setId))) throw new Error(`${round}: a set is lost`);
      await lcops("backup", "verify", "--level", "decode", ...sets.slice(-1));
      if (strays(sets).length > 0) seen.withRemains++;
      if (round % 5 === 4) {
        await lcops("backup", "run");
        const left = strays(await ground.sets());
        if (left.length > 0) throw new Error(`${round}: the next run has left ${left.join(", ")}`);
      }
    }
    await lcops("backup", "run");
    await lcops("backup", "gc", "--yes");
    const sets = await ground.sets();
    const left = [
      ...strays(sets),
      ...s3.uploads.keys(),
      ...stateOf(ground.at("home/.local/state/lcops/backup")),
      ...(await findPrograms(ground.folder)),
    ];
    if (left.length > 0) throw new Error(`left behind gc: ${left.join(", ")}`);
    await lcops("backup", "verify", "--level", "hashes", ...sets);
    return `${seen.killed} runs of ${Math.round(wholeMs)} ms killed, ${seen.ended} more had ended before; ${seen.withRemains} times something was left, ${seen.published} times a set was whole already; ${sets.length} sets verify, none is lost, nothing is left behind gc`;

    function strays(known: readonly string[]): string[] {
      const all = [...s3.objects.keys(), ...ground.files("operator")];
      return all.filter(
        (file) => file.includes(".tmp-") || !known.includes(SET_ID.exec(file)?.[0] ?? ""),
      );
    }
  } finally {
    await s3.close();
    ground.remove();
  }
}

/** What runs leave in the state folder: their folders, and notes of those that are not finished. */
function stateOf(folder: string): string[] {
  return [
    ...readdirSync(folder).filter((entry) => entry.startsWith("run-")),
    ...readdirSync(path.join(folder, "unfinished")),
  ];
}
