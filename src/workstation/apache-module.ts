import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type LoadedModule, observeModule, planModule } from "./loaded-module.ts";
import { lookUpServer } from "./look-up-server.ts";
import type { MachineService, MachineTools, Observation } from "./machine-service.ts";

const APACHE = "/etc/apache2";

/** Given a module of Apache, return it as a service of the panel; Debian's a2enmod and a2dismod. */
export function apacheModuleService(
  config: { module: string; server?: string | undefined },
  tools: MachineTools,
): MachineService {
  const serverName = config.server ?? "apache";
  const observe = async (): Promise<Observation> => {
    const module = await findModule(config.module);
    if (!module) return { state: "not installed" };
    return observeModule(module, serverName, await lookUpServer(serverName, tools).observe());
  };
  return {
    observe,
    plan: async (to, seen) => {
      const module = await findModule(config.module);
      if (!module) throw new Error("it was there when it was observed");
      const server = lookUpServer(serverName, tools);
      const isRunning = (await server.observe()).state === "on";
      const restart = isRunning ? (server.restart ?? []) : [];
      return planModule(module, to, seen, { serverName, restart, observe, tools });
    },
  };
}

async function findModule(name: string): Promise<LoadedModule | undefined> {
  const settings = await readFile(join(APACHE, "mods-available", `${name}.load`), "utf8").catch(
    () => undefined,
  );
  if (settings === undefined) return undefined;
  const library = /^\s*LoadModule\s+\S+\s+(\S+)/m.exec(settings)?.[1] ?? `mod_${name}.so`;
  return {
    library: library.split("/").at(-1) ?? library,
    link: join(APACHE, "mods-enabled", `${name}.load`),
    mark: `/var/lib/apache2/module/disabled_by_admin/${name}`,
    enable: ["a2enmod", "--quiet", name],
    disable: ["a2dismod", "--quiet", name],
    test: ["apache2ctl", "configtest"],
  };
}
