import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fetchOpenSearch } from "./fetch-opensearch.ts";
import { fetchVersitygw } from "./fetch-versitygw.ts";
import { findOpenSearch, openSearchFolder } from "./opensearch-cache.ts";
import { findVersitygw } from "./versitygw-cache.ts";

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(path.join(os.tmpdir(), "lcops-fetch-"));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

const environment = (more = {}) => ({ PATH: "/usr/bin:/bin", XDG_CACHE_HOME: cache, ...more });
const leftovers = () => readdirSync(path.join(cache, "lcops-lab"));

function writeProgram(script: string): string {
  const file = path.join(cache, "program");
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

test("what Maven notes beside its work is not kept, neither here nor there", async () => {
  const maven = writeProgram(`mkdir -p '\${project.basedir}/target' opensearch-2.19.0/lib`);
  const options = { environment: environment(), limitMs: 10_000 };
  expect(await fetchOpenSearch({ ...options, maven })).toMatchObject({ fetched: true });
  expect(readdirSync(openSearchFolder(environment()))).toEqual(["opensearch-2.19.0"]);
  expect(existsSync("${project.basedir}")).toBe(false);
});

test("a Maven that fails is quoted by its first error, and nothing half made stays", async () => {
  const maven = writeProgram(
    "touch half; echo '[ERROR] cannot resolve opensearch'; echo '[ERROR] help'; exit 1",
  );
  const options = { environment: environment(), limitMs: 10_000, maven };
  expect(await fetchOpenSearch(options)).toEqual({
    fetched: false,
    line: "opensearch: not fetched, [ERROR] cannot resolve opensearch",
  });
  expect(leftovers()).toEqual([]);
  expect(findOpenSearch(environment())).toBe("not fetched: npm run lab:fetch");
});

test("without Go there is no versitygw, and a registry that is left out is not asked", async () => {
  const options = { environment: environment(), limitMs: 10_000, go: "/nonexistent/go" };
  expect(await fetchVersitygw(options)).toMatchObject({ fetched: false });
  expect(leftovers()).toEqual([]);
  expect(findVersitygw(environment())).toBeUndefined();
  const only = { ...options, environment: environment({ LCOPS_LAB_ONLY: "debian,npm" }) };
  expect(await fetchVersitygw(only)).toEqual({
    fetched: false,
    line: "versitygw: not fetched, LCOPS_LAB_ONLY leaves go out",
  });
});

test("an OpenSearch that is named is looked at where it is", () => {
  const named = environment({ LCOPS_LAB_OPENSEARCH: cache });
  expect(findOpenSearch(named)).toBe(`no OpenSearch in ${cache}`);
  const library = path.join(cache, "lib");
  mkdirSync(library);
  writeFileSync(path.join(library, "elasticsearch-8.11.0.jar"), "");
  expect(findOpenSearch(named)).toBe("Elasticsearch 8.11.0 is not 7, which the lab can start");
});
