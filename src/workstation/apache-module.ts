import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type LoadedModule,
  observeModule,
  planModules,
  type ServedModule,
} from "./loaded-module.ts";
import { lookUpServer } from "./machine-service.ts";
import type { MachineService, MachineTools } from "./machine-service.ts";

const APACHE = "/etc/apache2";

/** Given a module of Apache, return it as a service of the panel; Debian's a2enmod and a2dismod. */
export function apacheModuleService(
  config: { module: string; server?: string | undefined },
  tools: MachineTools,
): MachineService {
  const serverName = config.server ?? "apache";
  const find = async (): Promise<ServedModule | undefined> => {
    const module = await findModule(config.module);
    return module && { module, serverName, server: lookUpServer(serverName, tools) };
  };
  return {
    observe: async () => {
      const found = await find();
      return found ? observeModule(found) : { state: "not installed" };
    },
    plan: async (to) => {
      const found = await find();
      if (!found) throw new Error("it was there when it was observed");
      return planModules([found], to, tools.environment);
    },
  };
}

async function findModule(name: string): Promise<LoadedModule | undefined> {
  const settings = await readFile(join(APACHE, "mods-available", `${name}.load`), "utf8").catch(
    () => undefined,
  );
  return settings === undefined ? undefined : describeApacheModule(name, settings);
}

/** Returns how Debian configures a module, given its name and the text of its `.load` file. Pure. */
export function describeApacheModule(name: string, settings: string): LoadedModule {
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
