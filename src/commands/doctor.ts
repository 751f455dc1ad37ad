import { printable } from "../system/printable.ts";
import type { Config } from "../config/schema.ts";
import type { Finding } from "../system/finding.ts";
import type { Command, Context } from "./command.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "Check what is installed and reachable, and how to mend what is not",
  examples: ["doctor", "doctor --env prod", "doctor --json"],
  danger: "reads",
  aws: true,
  async run(_input, context) {
    const { startProgress } = await import("../terminal/progress.ts");
    const { checkMachine } = await import("../system/check-machine.ts");
    const progress = startProgress(context.terminal);
    const findings: Finding[] = [];
    try {
      progress.update("looking at this machine");
      findings.push(...(await checkMachine(context.environment)));
      const { checkTunnels } = await import("./check-tunnels.ts");
      findings.push(...(await checkTunnels(context)));
      findings.push(...(await checkConfigured(context, progress.update)));
    } finally {
      progress.end();
    }
    const isWell = findings.every((finding) => finding.state !== "fail");
    await renderFindings(findings, context);
    return isWell ? 0 : 4;
  },
};

/** A configuration that cannot be read is a finding like any other: the rest is still said. */
async function checkConfigured(
  context: Context,
  update: (line: string) => void,
): Promise<Finding[]> {
  const { checkEstate } = await import("./check-estate.ts");
  const { OperatorError } = await import("../system/errors.ts");
  try {
    const config = await context.config();
    const well: Finding = {
      area: "configuration",
      name: context.configPath,
      state: "ok",
      detail: "well formed",
    };
    const hosts = await context.hosts();
    const { pickServices } = await import("./pick-services.ts");
    const services = pickServices(config, hosts, context.environmentFlag);
    const { ask: _never, ...unattended } = await context.reach();
    const { checkAws } = await import("./check-aws.ts");
    const { planScopes } = await import("../inventory/plan-scopes.ts");
    const scopes = planScopes(config, context.scopeWishes);
    return [
      well,
      ...(await checkAws(scopes, context)),
      ...(await checkEstate(
        hosts.filter((host) => host.sources[0] === "config"),
        services,
        { config, reach: unattended },
        update,
      )),
      ...(await checkJobs(context, config, update)),
      ...(await checkRecipients(context, config, update)),
      ...(await checkPanel(context, config, update)),
      ...(await checkKnown(config)),
    ];
  } catch (error) {
    if (!(error instanceof OperatorError) || error.kind === "usage") throw error;
    return [
      {
        area: "configuration",
        name: context.configPath,
        state: "fail",
        detail: [error.message, ...error.details].join("; "),
        ...(error.next !== undefined && { next: error.next }),
      },
    ];
  }
}

async function checkJobs(
  context: Context,
  config: Config,
  update: (line: string) => void,
): Promise<Finding[]> {
  if (!config.backups) return [];
  update("looking at the backups");
  const { checkBackups } = await import("./check-backups.ts");
  return checkBackups(context);
}

async function checkRecipients(
  context: Context,
  config: Config,
  update: (line: string) => void,
): Promise<Finding[]> {
  if (!config.notify) return [];
  update("looking at who is told");
  const { checkNotify } = await import("./check-notify.ts");
  return checkNotify(context);
}

/** Who has configured nothing of the own machine is not told what it lacks. */
async function checkPanel(
  context: Context,
  config: Config,
  update: (line: string) => void,
): Promise<Finding[]> {
  const { services, launches } = config.workstation ?? {};
  const findings: Finding[] = [];
  if (services) {
    update("looking at the services of this machine");
    const { checkServices } = await import("./machine/check-services.ts");
    findings.push(...(await checkServices(context)));
  }
  if (launches) {
    const { checkLaunches } = await import("./machine/check-launches.ts");
    findings.push(...(await checkLaunches(context)));
  }
  return findings;
}

async function checkKnown(config: Config): Promise<Finding[]> {
  if (!config.consistency) return [];
  const { checkBaselines } = await import("./check-baselines.ts");
  return checkBaselines(config, new Date());
}

/** Given findings, show them as a table, or as one JSON document; with `--quiet` only those that are not well. */
export async function renderFindings(
  findings: readonly Finding[],
  { terminal }: Pick<Context, "terminal">,
): Promise<void> {
  if (terminal.flags.json) {
    terminal.printJson(findings);
    return;
  }
  const paints = { ok: terminal.out.green, warn: terminal.out.yellow, fail: terminal.out.red };
  const shown = terminal.flags.quiet
    ? findings.filter((finding) => finding.state !== "ok")
    : findings;
  const { printTable } = await import("../terminal/table.ts");
  printTable(terminal, shown, [
    { title: "STATE", value: (one) => one.state, paint: (text, one) => paints[one.state](text) },
    { title: "AREA", value: (one) => one.area },
    { title: "NAME", value: (one) => one.name },
    { title: "WHAT", value: (one) => one.detail },
  ]);
  for (const one of shown) {
    if (one.next === undefined) continue;
    const line = printable(`${one.name}: ${one.next}`);
    if (one.state === "fail") terminal.warn(line);
    else terminal.note(line);
  }
}
