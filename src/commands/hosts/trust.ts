import { isGuarded } from "../../config/environments.ts";
import type { HostKeyChange } from "../../ssh/host-key-change.ts";
import { printable } from "../../system/printable.ts";
import type { Command } from "../command.ts";

export const hostsTrust: Command = {
  name: "hosts trust",
  summary: "Accept the host key that a host shows now, after a change that is right",
  operands: [{ syntax: "<host>", description: "name, or a selector that picks one host" }],
  examples: ["hosts trust GraphStats", "hosts trust GraphStats --confirm GraphStats"],
  danger: "writes",
  aws: true,
  unattended: "--yes, in production --confirm NAME",
  async run(input, context) {
    const { planHostTrust } = await import("../../reach/connect-host.ts");
    const { startProgress } = await import("../../terminal/progress.ts");
    const { terminal } = context;
    const host = await context.findHost(input.operands[0] ?? "");
    const progress = startProgress(terminal);
    progress.update(`asking ${host.name} for its key`);
    const change = await planHostTrust(host, await context.reach()).finally(progress.end);
    const { label, state, shown, stored, file } = change;
    const result = { host: host.name, shown, stored, file };
    if (state === "known") {
      if (terminal.flags.json) terminal.printJson({ ...result, state });
      else terminal.note(printable(`${label}: ${shown} is known already; nothing to do`));
      return 0;
    }
    const title = `${state === "changed" ? "accept another host key of" : "trust the host key of"} ${label}`;
    const config = await context.config();
    const mayGo = await context.gate({
      title,
      lines: describeChange(change),
      target: host.name,
      danger: "writes",
      isProduction: isGuarded(host.environment, config),
      undo: "putting the old lines back, which the journal has,",
    });
    if (!mayGo) return 0;
    const record = await context.journal({
      change: `${title}: ${shown}`,
      undo: { kind: "host-key", file, name: change.name, stored },
    });
    try {
      await change.accept();
    } catch (error) {
      await record.end({ state: "failed" });
      throw error;
    }
    await record.end({ state: "done" });
    if (terminal.flags.json) terminal.printJson({ ...result, state: "trusted" });
    else terminal.note(printable(`${label}: ${shown} is trusted now`));
    return 0;
  },
};

function describeChange(change: HostKeyChange): string[] {
  const { shown, stored, launchedAt, said, file, name } = change;
  return [
    `shown now: ${shown}`,
    ...(stored.length > 0
      ? stored.map(({ key, place }) => `stored:    ${key} (${place})`)
      : ["stored:    nothing"]),
    ...(launchedAt === undefined ? [] : [`launched:  ${launchedAt}`]),
    ...said,
    `it is kept as ${name} in ${file}`,
  ];
}
