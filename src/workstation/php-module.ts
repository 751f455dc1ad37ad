import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type LoadedModule, observeModule, planModule } from "./loaded-module.ts";
import type { MachineService, MachineTools, Observation } from "./machine-service.ts";
import { lookUpServer } from "./look-up-server.ts";

const PHP = "/etc/php";
const APACHE_MODULES = "/etc/apache2/mods-enabled";

export interface PhpModuleConfig {
  module: string;
  version?: string | undefined;
  sapi?: "apache2" | "fpm" | undefined;
  server?: string | undefined;
}

/** Given a module of PHP, return it as a service of the panel; Debian's phpenmod and phpdismod, of the PHP that serves pages and not of the command line's. */
export function phpModuleService(config: PhpModuleConfig, tools: MachineTools): MachineService {
  const serverName = config.server ?? "apache";
  const observe = async (): Promise<Observation> => {
    const module = await findModule(config);
    if ("state" in module) return module;
    const server = await lookUpServer(serverName, tools).observe();
    return observeModule(module, serverName, server);
  };
  return {
    observe,
    plan: async (to, seen) => {
      const module = await findModule(config);
      if ("state" in module) throw new Error("it was there when it was observed");
      const server = lookUpServer(serverName, tools);
      const isRunning = (await server.observe()).state === "on";
      const restart = isRunning ? (server.restart ?? []) : [];
      return planModule(module, to, seen, { serverName, restart, observe, tools });
    },
  };
}

async function findModule(config: PhpModuleConfig): Promise<LoadedModule | Observation> {
  const { module } = config;
  const found = (await findServing()).filter(
    ({ version, sapi }) =>
      version === (config.version ?? version) && sapi === (config.sapi ?? sapi),
  );
  const [serving] = found;
  if (!serving) return { state: "not installed", detail: "no PHP serves pages here" };
  if (found.length > 1) {
    const names = found.map(({ version, sapi }) => `${version} ${sapi}`).join(" and ");
    return { state: "unknown", detail: `PHP ${names} are here: the configuration must name one` };
  }
  const { version, sapi } = serving;
  const settings = await readFile(
    join(PHP, version, "mods-available", `${module}.ini`),
    "utf8",
  ).catch(() => undefined);
  if (settings === undefined) return { state: "not installed" };
  // phpenmod(8): the number is the module's priority.
  const priority = /^;\s*priority\s*=\s*(\d+)/m.exec(settings)?.[1] ?? "20";
  const library = /^\s*(?:zend_)?extension\s*=\s*"?([^"\s;]+)/m.exec(settings)?.[1] ?? module;
  const file = library.split("/").at(-1) ?? library;
  const which = ["-v", version, "-s", sapi, module];
  return {
    library: file.endsWith(".so") ? file : `${file}.so`,
    link: join(PHP, version, sapi, "conf.d", `${priority}-${module}.ini`),
    mark: `/var/lib/php/modules/${version}/${sapi}/disabled_by_admin/${module}`,
    enable: ["phpenmod", ...which],
    disable: ["phpdismod", ...which],
    test: sapi === "apache2" ? ["apache2ctl", "configtest"] : [`php-fpm${version}`, "--test"],
  };
}

interface Serving {
  version: string;
  sapi: "apache2" | "fpm";
}

/** Apache's own PHP where its module is enabled, else those that run beside it. */
async function findServing(): Promise<Serving[]> {
  const versions = (await readdir(PHP).catch(() => [])).filter((name) => /^\d\.\d+$/.test(name));
  const pick = async (sapi: Serving["sapi"], path: (version: string) => string) =>
    (
      await Promise.all(
        versions.map(async (version) => ((await exists(path(version))) ? [{ version, sapi }] : [])),
      )
    ).flat();
  const inApache = await pick("apache2", (version) => join(APACHE_MODULES, `php${version}.load`));
  const beside = await pick("fpm", (version) => join(PHP, version, "fpm", "conf.d"));
  return [...inApache, ...beside];
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
