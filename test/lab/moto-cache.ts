/** Where moto's server is kept between labs: a Python environment of its own, made by `npm run lab:fetch`. */
import { existsSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import { registryAllowed } from "./packages.ts";

const MOTO_VERSION = "5.2.5";
/** Its `server` extra brings 180 MB that EC2, STS, RDS and CloudWatch do without. */
export const MOTO_REQUIREMENTS = [
  `moto==${MOTO_VERSION}`,
  "flask==3.1.3",
  "flask-cors==6.0.5",
  "werkzeug==3.1.9",
];

/** Takes environment variables; returns the folder in which moto is kept, or will be. */
export function motoFolder(environment: NodeJS.ProcessEnv): string {
  return path.join(cacheFolder(environment), `moto-${MOTO_VERSION}-flask-3.1.3`);
}

/** Takes environment variables; returns moto's Python, or undefined where it was not fetched or PyPI is left out. */
export function findMoto(environment: NodeJS.ProcessEnv): string | undefined {
  if (!registryAllowed(environment["LCOPS_LAB_ONLY"], "pypi")) return undefined;
  const python = path.join(motoFolder(environment), "bin/python");
  return existsSync(python) ? python : undefined;
}
