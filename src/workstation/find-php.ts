import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { findProgram } from "../system/program.ts";
import type { LoadedModule } from "./loaded-module.ts";
import { systemEnvironment } from "./run-as-root.ts";

const PHP = "/etc/php";
const APACHE_MODULES = "/etc/apache2/mods-enabled";

/** A PHP that is set up to serve pages, as Debian has it. */
export interface ServingPhp {
  version: string;
  sapi: "apache2" | "fpm";
}

/** Return Apache's own PHP where its module is enabled, then each FPM that is installed; whether they run is not looked at. */
export async function findServingPhp(environment: NodeJS.ProcessEnv): Promise<ServingPhp[]> {
  const versions = (await readdir(PHP).catch(() => [])).filter((name) => /^\d\.\d+$/.test(name));
  versions.sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
  const path = systemEnvironment(environment)["PATH"] ?? "";
  const found = await Promise.all(
    versions.map(async (version) => ({
      version,
      isInApache: await exists(join(APACHE_MODULES, `php${version}.load`)),
      // The configuration of one that was removed is kept.
      isBeside:
        (await exists(join(PHP, version, "fpm", "conf.d"))) &&
        (await findProgram([`php-fpm${version}`], path)) !== undefined,
    })),
  );
  const pick = (sapi: ServingPhp["sapi"], is: "isInApache" | "isBeside"): ServingPhp[] =>
    found.flatMap((one) => (one[is] ? [{ version: one.version, sapi }] : []));
  return [...pick("apache2", "isInApache"), ...pick("fpm", "isBeside")];
}

/** Given the name of a module and a PHP, return how it is configured there; undefined where that PHP has no such module. */
export async function readPhpModule(
  name: string,
  php: ServingPhp,
): Promise<LoadedModule | undefined> {
  const settings = await readFile(
    join(PHP, php.version, "mods-available", `${name}.ini`),
    "utf8",
  ).catch(() => undefined);
  return settings === undefined ? undefined : describePhpModule(name, settings, php);
}

/** Returns how Debian configures a module, given its name, the text of its `.ini` file and its PHP. Pure. */
export function describePhpModule(
  name: string,
  settings: string,
  { version, sapi }: ServingPhp,
): LoadedModule {
  // phpenmod(8): the number is the module's priority.
  const priority = /^;\s*priority\s*=\s*(\d+)/m.exec(settings)?.[1] ?? "20";
  const library = /^\s*(?:zend_)?extension\s*=\s*"?([^"\s;]+)/m.exec(settings)?.[1] ?? name;
  const file = library.split("/").at(-1) ?? library;
  const which = ["-v", version, "-s", sapi, name];
  return {
    library: file.endsWith(".so") ? file : `${file}.so`,
    link: join(PHP, version, sapi, "conf.d", `${priority}-${name}.ini`),
    mark: `/var/lib/php/modules/${version}/${sapi}/disabled_by_admin/${name}`,
    enable: ["phpenmod", ...which],
    disable: ["phpdismod", ...which],
    test: sapi === "apache2" ? ["apache2ctl", "configtest"] : [`php-fpm${version}`, "--test"],
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
