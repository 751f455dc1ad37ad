import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { listFiles, ROOT } from "./support/read-documents.ts";

/** Server programs that are started otherwise than by the lab's own functions. */
const STARTERS = new Set([
  "test/support/lab.ts",
  "test/support/machine-ground.ts",
  "test/support/redis-servers.ts",
  "test/support/scratch-mysql.ts",
]);
/** A server program as the first argument of what starts programs. */
const START_OF_SERVER =
  /\b(?:spawn|exec|execFile|fork|runProgram|startProgram|execa)(?:Sync)?\(\s*"(?:[^"]*\/)?(?:redis-server|mariadbd|mysqld|sshd|monit|apache2|prosody|carbon-cache|java|moto_server|versitygw|nginx)"/;
/** It listens to learn that nobody does. */
const NO_STARTERS = new Set(["test/lab/free-port.ts"]);

const files = listFiles().filter((file) => file.startsWith("test/") && file.endsWith(".ts"));
const texts = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), "utf8")]));

function startsServers(file: string): boolean {
  const text = texts.get(file) ?? "";
  if (STARTERS.has(file) || START_OF_SERVER.test(text)) return true;
  // A socket that the test itself answers, in its own process, is no server.
  if (NO_STARTERS.has(file) || file.endsWith(".test.ts")) return false;
  return /\b(createServer|startServer|spawnRecorded)\(/.test(text);
}

function importsOf(file: string): string[] {
  const text = (texts.get(file) ?? "").replaceAll(/^import type [^;]*;/gm, "");
  const specifiers = text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
  return [...specifiers].map(([, specifier = ""]) => normalize(join(dirname(file), specifier)));
}

/** Takes a file; returns the way of imports to one that starts a server, undefined where there is none. */
function findStarter(file: string, seen = new Set<string>()): string[] | undefined {
  if (startsServers(file)) return [file];
  seen.add(file);
  for (const imported of importsOf(file)) {
    if (seen.has(imported)) continue;
    const way = findStarter(imported, seen);
    if (way) return [file, ...way];
  }
  return undefined;
}

test("the search finds the servers behind a lab test", () => {
  expect(findStarter("test/e2e/menu.lab.test.ts")).toContain("test/support/lab.ts");
  expect(findStarter("test/ssh/forward.lab.test.ts")).toContain("test/ssh/start-sshd.ts");
});

test("no unit test starts a server", () => {
  const units = files.filter((file) => /(?<!\.lab)\.test\.ts$/.test(file));
  expect(units.length).toBeGreaterThan(50);
  expect(units.flatMap((file) => findStarter(file)?.join(" imports ") ?? [])).toEqual([]);
});
