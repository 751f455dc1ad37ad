import type { Config } from "../../config/schema.ts";
import { printable } from "../../system/printable.ts";

/** What a key of the panel starts, beside the services that it toggles. */
export interface PanelEntry {
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
  return [
    ...(repositories.length === 0
      ? []
      : [
          {
            title: "Update repos:",
            choices: [
              {
                key: "repo",
                label: printable(repositories.join("+")),
                run: ["machine", "update"],
              },
            ],
          },
        ]),
  ];
}
