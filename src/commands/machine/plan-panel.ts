import type { Config } from "../../config/schema.ts";
import { printable } from "../../system/printable.ts";
import { listLaunches, type NamedLaunch } from "../../workstation/list-panel.ts";

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
export function planPanel(config: Config): PanelEntries[] {
  const launches = listLaunches(config);
  const choose = (kind: NamedLaunch["config"]["kind"]): PanelEntry[] =>
    launches
      .filter((launch) => launch.config.kind === kind)
      .map(({ name, key, title }) => ({
        key,
        label: printable(title),
        run: ["machine", "launch", name],
      }));
  const repositories = Object.keys(config.workstation?.repositories ?? {});
  const update = {
    key: "repo",
    label: printable(repositories.join("+")),
    run: ["machine", "update"],
  };
  const groups = [
    { title: "Launch Jmeter:", choices: choose("jmeter") },
    { title: "Launch APP:", choices: choose("app") },
    { title: "Update repos:", choices: repositories.length > 0 ? [update] : [] },
  ];
  return groups.filter(({ choices }) => choices.length > 0);
}
