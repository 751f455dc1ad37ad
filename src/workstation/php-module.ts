import { findServingPhp, readPhpModule, type ServingPhp } from "./find-php.ts";
import { lookUpServer } from "./machine-service.ts";
import { observeModule, planModules, type ServedModule } from "./loaded-module.ts";
import type { MachineService, MachineTools, Observation } from "./machine-service.ts";
import { systemdService } from "./system-service.ts";

export interface PhpModuleConfig {
  module: string;
  version?: string | undefined;
  sapi?: "apache2" | "fpm" | undefined;
  server?: string | undefined;
}

/**
 * Given a module of PHP, return it as a service of the panel; Debian's phpenmod and phpdismod, of each PHP that serves pages, in Apache and in FPM, and
 * not of the command line's.
 */
export function phpModuleService(config: PhpModuleConfig, tools: MachineTools): MachineService {
  return {
    observe: async () => {
      const found = await findServed(config, tools);
      if ("state" in found) return found;
      const { served, without } = found;
      return joinObservations(
        await Promise.all(
          served.map(async (one) => ({ label: one.label, seen: await observeModule(one) })),
        ),
        without,
      );
    },
    plan: async (to) => {
      const found = await findServed(config, tools);
      if ("state" in found) throw new Error("it was there when it was observed");
      return planModules(found.served, to, tools.environment);
    },
  };
}

interface LabelledModule extends ServedModule {
  /** Of its PHP, `8.2 fpm`. */
  label: string;
}

interface FoundModules {
  served: LabelledModule[];
  /** Labels of what serves too, and has no such module. */
  without: string[];
}

async function findServed(
  config: PhpModuleConfig,
  tools: MachineTools,
): Promise<FoundModules | Observation> {
  const found = pickConfigured(await findServingPhp(tools.environment), config, tools);
  if (found.length === 0) return { state: "not installed", detail: "no PHP serves pages here" };
  if (config.server !== undefined && found.length > 1) {
    return {
      state: "unknown",
      detail: `PHP ${found.map(describePhp).join(" and ")} are here: the configuration must name the one of ${config.server}`,
    };
  }
  const servers = found.map((php) => ({ php, ...findServer(php, config, tools) }));
  const serving = await pickServing(servers);
  const all = await Promise.all(
    serving.map(async ({ php, ...server }) => {
      const module = await readPhpModule(config.module, php);
      return { label: describePhp(php), module, ...server };
    }),
  );
  const served = all.flatMap(({ module, ...one }) => (module ? [{ module, ...one }] : []));
  const without = all.flatMap(({ module, label }) => (module ? [] : [label]));
  return served.length > 0 ? { served, without } : { state: "not installed" };
}

const describePhp = ({ version, sapi }: ServingPhp): string => `${version} ${sapi}`;

/** Returns the PHPs that the configuration means: by version, by the way it serves, by the server that loads it. Pure. */
export function pickConfigured(
  all: readonly ServingPhp[],
  { version, sapi, server }: PhpModuleConfig,
  { find }: Pick<MachineTools, "find">,
): ServingPhp[] {
  const found = all.filter(
    (php) => php.version === (version ?? php.version) && php.sapi === (sapi ?? php.sapi),
  );
  if (server === undefined) return found;
  const config = find(server)?.config;
  const unit = config && ("unit" in config ? config.unit : "script" in config ? config.script : "");
  const fpm = /^php(\d\.\d+)-fpm(?:\.service)?$/.exec(unit ?? "")?.[1];
  if (fpm !== undefined) return found.filter((php) => php.sapi === "fpm" && php.version === fpm);
  const inApache = found.filter((php) => php.sapi === "apache2");
  return inApache.length > 0 ? inApache : found;
}

/** Those whose server runs; where none does, Apache's, or else those beside it. */
export async function pickServing<
  One extends { php: ServingPhp; server: Pick<MachineService, "observe"> },
>(all: readonly One[]): Promise<readonly One[]> {
  if (all.length === 1) return all;
  const states = await Promise.all(all.map(({ server }) => server.observe()));
  const serving = all.filter((_, index) => states[index]?.state === "on");
  if (serving.length > 0) return serving;
  const inApache = all.filter(({ php }) => php.sapi === "apache2");
  return inApache.length > 0 ? inApache : all;
}

function findServer(
  { version, sapi }: ServingPhp,
  config: PhpModuleConfig,
  tools: MachineTools,
): Pick<ServedModule, "serverName" | "server"> {
  const named = config.server ?? (sapi === "apache2" ? "apache" : undefined);
  if (named !== undefined) return { serverName: named, server: lookUpServer(named, tools) };
  const unit = `php${version}-fpm`;
  return { serverName: unit, server: systemdService(unit, tools) };
}

/** Given what was seen of a module in each PHP that serves, and those that have none of it, return it as one. Pure. */
export function joinObservations(
  all: readonly { label: string; seen: Observation }[],
  without: readonly string[],
): Observation {
  const [first, ...others] = all;
  if (!first) throw new Error("at least one is expected");
  const missing = without.length === 0 ? [] : [`not installed in PHP ${without.join(" and ")}`];
  const { state, pending } = first.seen;
  const isSame = others.every(({ seen }) => seen.state === state && seen.pending === pending);
  if (!isSame) {
    const each = all.map(
      ({ label, seen }) =>
        `${seen.state.toUpperCase()} in PHP ${label}${seen.pending ? ", restart pending" : ""}`,
    );
    const isOn = all.some(({ seen }) => seen.state === "on");
    return { state: isOn ? "on" : "off", partly: true, detail: [...each, ...missing].join("; ") };
  }
  const labels = all.map(({ label }) => label).join(" and ");
  const where = all.length + without.length > 1 ? [`in PHP ${labels}`] : [];
  const details = new Set(all.flatMap(({ seen }) => seen.detail ?? []));
  const detail = [...where, ...missing, ...details].join("; ");
  return { state, ...(pending && { pending }), ...(detail !== "" && { detail }) };
}
