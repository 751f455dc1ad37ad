import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { watchMemory } from "../support/aws-ground.ts";
import { compareFolders, makeWhisper } from "../support/backup-ground.ts";
import { makeFarWhisper } from "../support/far-whisper.ts";

const PER_FOLDER = 1000;
const POINTS = 30;
const MOST_MEMORY_MB = 300;
/** A slow disk takes its time for so many files. */
const LIMIT_MS = 300_000;

/**
 * Given how many (100,000), back up whisper files over ssh, verify, drill and restore them; return what it took. Throws where one of them is missing or
 * another one, or where lcops has needed more memory than it may.
 */
export async function soakBackupGraphite(count = 100_000): Promise<string> {
  const ground = await makeFarWhisper("127.0.0.92");
  try {
    for (let index = 0; index < count; index++) {
      const at = path.join(
        ground.whisper,
        `stats${index % 3}`,
        `host${Math.floor(index / PER_FOLDER)}`,
      );
      if (index % PER_FOLDER < 3) mkdirSync(at, { recursive: true });
      writeFileSync(path.join(at, `metric${index}.wsp`), makeWhisper(POINTS, index));
    }
    const target = ground.at("restored");
    const into = ["--into", `graphite/${target}`, "--yes"];
    const steps: Record<string, string[]> = {
      run: ["run"],
      "verify --level decode": ["verify", "--level", "decode"],
      drill: ["drill"],
      restore: ["restore", "graphite", ...into],
    };
    const told: string[] = [];
    for (const [name, words] of Object.entries(steps)) {
      const { variables, readMb } = watchMemory(ground.folder);
      const begin = performance.now();
      const { code, stdout, stderr } = await ground.run(["backup", ...words], {
        environment: { ...ground.environment, ...variables },
        timeoutMs: LIMIT_MS,
      });
      if (code !== 0 || stdout + stderr !== "")
        throw new Error(`backup ${words.join(" ")}: ${code}\n${stdout}${stderr}`);
      const seconds = ((performance.now() - begin) / 1000).toFixed(0);
      const megabytes = Math.round(readMb());
      if (megabytes > MOST_MEMORY_MB) throw new Error(`${name} took ${megabytes} MB`);
      told.push(`${name} ${seconds} s and ${megabytes} MB`);
    }
    const different = compareFolders(ground.whisper, target);
    if (different.length > 0) throw new Error(`${different.length} files differ`);
    return `${count} whisper files: ${told.join(", ")}; each restored as it was`;
  } finally {
    await ground.close();
  }
}
