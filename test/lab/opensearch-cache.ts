/** Where OpenSearch is: unpacked by `npm run lab:fetch`, or wherever LCOPS_LAB_OPENSEARCH says, which may be an Elasticsearch 7 too; and a Java for it. */
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import { registryAllowed } from "./packages.ts";

/** The newest of the registry's that runs on Java 17. */
export const OPENSEARCH_VERSION = "2.19.0";

export type OpenSearchFiles = {
  /** The unpacked distribution. */
  folder: string;
  product: "opensearch" | "elasticsearch";
  version: string;
  java: string;
};

/** Takes environment variables; returns the folder in which the fetched distribution is kept, or will be. */
export function openSearchFolder(environment: NodeJS.ProcessEnv): string {
  return path.join(cacheFolder(environment), `opensearch-${OPENSEARCH_VERSION}`);
}

/** Takes a home of Java; returns its major version, 0 where it is none. */
function readJavaVersion(home: string): number {
  try {
    const release = readFileSync(path.join(home, "release"), "utf8");
    return Number(/^JAVA_VERSION="(?:1\.)?(\d+)/m.exec(release)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Takes environment variables and the oldest major version that will do; returns the java of JAVA_HOME or of the PATH. */
function findJava(environment: NodeJS.ProcessEnv, oldest: number): string | undefined {
  const homes = [environment["JAVA_HOME"] ?? ""];
  for (const folder of (environment["PATH"] ?? "").split(path.delimiter)) {
    const java = path.join(folder, "java");
    if (existsSync(java)) homes.push(path.resolve(realpathSync(java), "../.."));
  }
  const home = homes.find((found) => found !== "" && readJavaVersion(found) >= oldest);
  return home === undefined ? undefined : path.join(home, "bin/java");
}

/** Takes environment variables; returns OpenSearch and a Java that runs it, or why there is none. */
export function findOpenSearch(environment: NodeJS.ProcessEnv): OpenSearchFiles | string {
  const named = environment["LCOPS_LAB_OPENSEARCH"] ?? "";
  if (named === "" && !registryAllowed(environment["LCOPS_LAB_ONLY"], "maven"))
    return "LCOPS_LAB_ONLY leaves maven out";
  const kept = path.join(openSearchFolder(environment), `opensearch-${OPENSEARCH_VERSION}`);
  const folder = named === "" ? kept : named;
  const library = path.join(folder, "lib");
  const names = existsSync(library) ? readdirSync(library) : [];
  const jar = names
    .map((name) => /^(opensearch|elasticsearch)-((\d+)\.\d+\.\d+)\.jar$/.exec(name))
    .find(Boolean);
  if (!jar) return named === "" ? "not fetched: npm run lab:fetch" : `no OpenSearch in ${named}`;
  const [, name, version = "", major] = jar;
  const product = name === "elasticsearch" ? name : "opensearch";
  // From 8 on it is started by a program of its own.
  if (product === "elasticsearch" && major !== "7")
    return `Elasticsearch ${version} is not 7, which the lab can start`;
  const oldest = product === "opensearch" && Number(major) >= 3 ? 21 : 11;
  const java = findJava(environment, oldest);
  return java === undefined
    ? `${version} of ${product} needs Java ${oldest} or newer`
    : { folder, product, version, java };
}
