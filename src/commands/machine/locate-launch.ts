import { resolve } from "node:path";
import { expandHome } from "../../config/folders.ts";
import type { AppConfig, JmeterConfig } from "../../config/workstation-schema.ts";
import { OperatorError } from "../../system/errors.ts";
import type { Context } from "../command.ts";

export interface Launch<Config> {
  name: string;
  config: Config;
  /** What marks all that it starts. */
  mark: string;
  /** Makes the folder of this run, once nothing stands in the way. */
  makeFolder: () => Promise<string>;
}

/** Given a test, return where JMeter and its plan are. Pure but for the home folder. */
export function locateTest({ program = "jmeter", plan }: JmeterConfig): {
  program: string;
  plan: string;
} {
  return {
    // A bare name is looked for as a shell does.
    program: program.includes("/") ? resolve(expandHome(program)) : program,
    plan: resolve(expandHome(plan)),
  };
}

/** Given an app, return where it is run. Throws `configuration` where nobody says so. */
export async function locateApp(
  name: string,
  { folder }: AppConfig,
  context: Pick<Context, "config">,
): Promise<string> {
  const repositories = (await context.config()).workstation?.repositories ?? {};
  const given =
    folder ?? (Object.hasOwn(repositories, name) ? repositories[name]?.folder : undefined);
  if (given !== undefined) return resolve(expandHome(given));
  throw new OperatorError("configuration", `where ${name} is run is not configured`, {
    next: `say it in workstation.launches.${name}.folder`,
  });
}
