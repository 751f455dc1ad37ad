import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fetchMoto } from "./fetch-moto.ts";
import { findMoto, motoFolder } from "./moto-cache.ts";

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(path.join(os.tmpdir(), "lcops-fetch-"));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

const environment = (more = {}) => ({ PATH: "/usr/bin:/bin", XDG_CACHE_HOME: cache, ...more });

/** A Python that makes an environment whose pip does what is said. */
function writePython(pip: string): string {
  const file = path.join(cache, "python");
  const inner = `#!/bin/sh\ncase "$2" in pip) ${pip};; esac\n`;
  writeFileSync(
    file,
    `#!/bin/sh\nmkdir -p "$4/bin"\ncat >"$4/bin/python" <<'END'\n${inner}END\nchmod +x "$4/bin/python"\n`,
    { mode: 0o755 },
  );
  return file;
}

const leftovers = () => readdirSync(path.join(cache, "lcops-lab"));

test("what was fetched is found, and not fetched again", async () => {
  const python = writePython("true");
  expect(findMoto(environment())).toBeUndefined();
  const options = {
    environment: environment(),
    limitMs: 10_000,
    pythons: ["/nonexistent", python],
  };
  expect(await fetchMoto(options)).toMatchObject({ fetched: true });
  expect(leftovers()).toEqual([path.basename(motoFolder(environment()))]);
  expect(findMoto(environment())).toBe(path.join(motoFolder(environment()), "bin/python"));
  const again = await fetchMoto({ ...options, pythons: [] });
  expect(again.line).toContain("there already");
});

test("LCOPS_LAB_ONLY without pypi neither fetches nor uses it", async () => {
  const only = environment({ LCOPS_LAB_ONLY: "debian,npm" });
  const report = await fetchMoto({ environment: only, limitMs: 10_000 });
  expect(report).toEqual({
    fetched: false,
    line: "moto: not fetched, LCOPS_LAB_ONLY leaves pypi out",
  });
  mkdirSync(path.join(motoFolder(only), "bin"), { recursive: true });
  writeFileSync(path.join(motoFolder(only), "bin/python"), "");
  expect(findMoto(only)).toBeUndefined();
  expect(findMoto(environment({ LCOPS_LAB_ONLY: "debian,pypi" }))).toBeDefined();
});

test("a registry that does not answer, or not in time, leaves a reason and nothing half made", async () => {
  const refused = await fetchMoto({
    environment: environment(),
    limitMs: 10_000,
    pythons: [writePython("echo 'no such package' >&2; exit 1")],
  });
  expect(refused).toEqual({ fetched: false, line: "moto: not fetched, no such package" });
  const late = await fetchMoto({
    environment: environment(),
    limitMs: 300,
    pythons: [writePython("sleep 60")],
  });
  expect(late).toEqual({ fetched: false, line: "moto: not fetched, not done within 0.3 s" });
  const none = await fetchMoto({
    environment: environment(),
    limitMs: 10_000,
    pythons: ["/nonexistent"],
  });
  expect(none.line).toContain("Debian's needs python3-venv");
  expect(leftovers()).toEqual([]);
});

test("it can be stopped", async () => {
  const ending = new AbortController();
  const fetching = fetchMoto({
    environment: environment(),
    limitMs: 60_000,
    pythons: [writePython("sleep 60")],
    signal: ending.signal,
  });
  setTimeout(() => ending.abort(new Error("stopped")), 200);
  expect(await fetching).toEqual({ fetched: false, line: "moto: not fetched, stopped" });
  expect(existsSync(motoFolder(environment()))).toBe(false);
});
