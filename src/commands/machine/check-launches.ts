import { stat } from "node:fs/promises";
import { describeError } from "../../system/errors.ts";
import type { Finding } from "../../system/finding.ts";
import { findProgram } from "../../system/program.ts";
import { findJmeter } from "../../workstation/launch-jmeter.ts";
import { listLaunches, type NamedLaunch } from "../../workstation/list-panel.ts";
import type { Context } from "../command.ts";
import { locateApp, locateTest } from "./locate-launch.ts";

/** Given the context, return a finding for each thing that the panel launches: whether all is there that it needs. */
export async function checkLaunches(
  context: Pick<Context, "config" | "childEnvironment">,
): Promise<Finding[]> {
  const launches = listLaunches(await context.config());
  return Promise.all(
    launches.map(async (launch) => {
      const { name } = launch;
      try {
        const detail = await findWhatItNeeds(launch, context);
        return { area: "machine", name, state: "ok" as const, detail };
      } catch (error) {
        return {
          area: "machine",
          name,
          state: "warn" as const,
          detail: describeError(error),
          next: `install it, or mend workstation.launches.${name}`,
        };
      }
    }),
  );
}

async function findWhatItNeeds(
  { name, config }: NamedLaunch,
  context: Pick<Context, "config" | "childEnvironment">,
): Promise<string> {
  const environment = await context.childEnvironment();
  if (config.kind === "jmeter") {
    const { plan, program } = locateTest(config);
    return `${await findJmeter(name, { plan, program }, environment)}, ${plan}`;
  }
  const folder = await locateApp(name, config, context);
  if (!(await stat(folder)).isDirectory()) throw new Error(`${folder} is no folder`);
  const program = config.run[0] ?? "";
  // A path is seen from the app's own folder, by whoever runs it.
  if (program.includes("/")) return `${program} in ${folder}`;
  const found = await findProgram([program], environment["PATH"] ?? "");
  if (found === undefined) throw new Error(`the program ${program} is not installed`);
  return `${found} in ${folder}`;
}
