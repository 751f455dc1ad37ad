import type { Config } from "../../config/schema.ts";
import { printable } from "../../system/printable.ts";

/** What a key of the panel starts, beside the services that it toggles. */
interface PanelEntry {
  key: string;
  label: string;
  /** The command line, without `lcops`. */
  run: readonly string[];
}

export interface PanelEntries {
  title: string;
  choices: readonly PanelEntry[];
}

/** Given the configuration, return what stands on the panel below its services. Pure. */
export function planPanel({ workstation }: Config): PanelEntries[] {
  const repositories = Object.keys(workstation?.repositories ?? {});
  if (repositories.length === 0) return [];
  const label = printable(repositories.join("+"));
  return [
    { title: "Update repos:", choices: [{ key: "repo", label, run: ["machine", "update"] }] },
  ];
}
