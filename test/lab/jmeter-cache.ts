/** Where JMeter is: put together by `npm run lab:fetch`, or wherever LCOPS_LAB_JMETER says. */
import { existsSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import { registryAllowed } from "./packages.ts";

/** The newest of the registry's that runs on Java 8 to 17, and has its report. */
export const JMETER_VERSION = "5.5";

/** Takes environment variables; returns the folder in which the fetched one is kept, or will be. */
export function jmeterFolder(environment: NodeJS.ProcessEnv): string {
  return path.join(cacheFolder(environment), `jmeter-${JMETER_VERSION}`);
}

/** Takes environment variables; returns JMeter's program, undefined where there is none, or no Java. */
export function findJmeter(environment: NodeJS.ProcessEnv): string | undefined {
  const named = environment["LCOPS_LAB_JMETER"] ?? "";
  if (named === "" && !registryAllowed(environment["LCOPS_LAB_ONLY"], "maven")) return undefined;
  const program = path.join(named === "" ? jmeterFolder(environment) : named, "bin/jmeter");
  const folders = (environment["PATH"] ?? "").split(path.delimiter);
  const hasJava = folders.some((folder) => existsSync(path.join(folder, "java")));
  return hasJava && existsSync(program) ? program : undefined;
}
