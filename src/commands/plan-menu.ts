import type { Config, HostConfig, MenuEntryConfig } from "../config/schema.ts";
import { printable } from "../system/printable.ts";
import { derivePort, describeUrl } from "../tunnels/describe-url.ts";

export interface MenuEntry {
  key: string;
  label: string;
  /** The command line, without `lcops`. */
  run: readonly string[];
}

export interface MenuGroup {
  title: string;
  choices: readonly MenuEntry[];
}

/** Given the configuration, return the groups of the menu, with their labels made where none are written. Pure. */
export function planMenu(config: Config): MenuGroup[] {
  return (config.menu ?? proposeMenu(config)).map((group) => ({
    title: group.title,
    choices: group.entries.map((entry) => ({
      key: entry.key,
      label: printable(labelOf(entry, config)),
      run: commandOf(entry, config),
    })),
  }));
}

const HEALTH_ENTRIES: MenuEntryConfig[] = [
  { key: "h", label: "Everything in one table", run: ["health"] },
  { key: "hw", label: "The same, kept on the screen", run: ["health", "--watch"] },
];
const TUNNEL_ENTRIES: MenuEntryConfig[] = [
  { key: "t", label: "In the background", run: ["tunnel", "list"] },
  { key: "tc", label: "Close those in the background", run: ["tunnel", "close", "--all"] },
];

/** A menu for a configuration that has none: its services, then its hosts, numbered; tables where AWS is spoken to. */
function proposeMenu(config: Config): NonNullable<Config["menu"]> {
  let next = 0;
  const number = <E extends object>(entries: readonly E[]): (E & { key: string })[] =>
    entries.map((entry) => ({ key: String(++next), ...entry }));
  const services = Object.entries(config.services ?? {}).filter(
    ([, service]) => service.host !== undefined,
  );
  const groups = [
    {
      title: "Services:",
      entries: number(services.map(([service]) => ({ service }))),
    },
    { title: "Hosts:", entries: number(Object.keys(config.hosts ?? {}).map((host) => ({ host }))) },
    ...(Object.values(config.environments ?? {}).some(({ aws }) => aws)
      ? [
          {
            title: "DynamoDB:",
            entries: [{ key: "dt", label: "List the tables", run: ["dyn", "tables"] }],
          },
        ]
      : []),
    { title: "Update repos:", entries: proposeRepositories(config) },
    { title: "Inventory:", entries: [{ key: "li", label: "List the hosts", run: ["hosts"] }] },
    {
      title: "Health:",
      entries: Object.keys(config.services ?? {}).length > 0 ? HEALTH_ENTRIES : [],
    },
    { title: "Tunnels:", entries: services.length > 0 ? TUNNEL_ENTRIES : [] },
  ];
  return groups.filter((group) => group.entries.length > 0);
}

function proposeRepositories({ workstation }: Config): MenuEntryConfig[] {
  const names = Object.keys(workstation?.repositories ?? {});
  return names.length === 0
    ? []
    : [{ key: "repo", label: names.join("+"), run: ["machine", "update"] }];
}

function commandOf(entry: MenuEntryConfig, config: Config): readonly string[] {
  if ("run" in entry) return entry.run;
  if ("host" in entry) return ["ssh", entry.host];
  const host = config.services?.[entry.service]?.host ?? "";
  return ["tunnel", "open", entry.service, "--", "lcops", "ssh", host];
}

/** `[EIP] SSH @ GraphStats => http://localhost:2180/ (Graphite)`, the wording of the old script. */
function labelOf(entry: MenuEntryConfig, config: Config): string {
  if (entry.label !== undefined) return entry.label;
  if ("run" in entry) return entry.run.join(" ");
  const service = "service" in entry ? config.services?.[entry.service] : undefined;
  const hostName = "host" in entry ? entry.host : (service?.host ?? "");
  const shell = `${kindOf(config.hosts?.[hostName])}SSH @ ${hostName}`;
  if (!("service" in entry) || !service) return shell;
  const port = service.localPort ?? derivePort(entry.service);
  return `${shell} => ${describeUrl(service, port)} (${service.title ?? entry.service})`;
}

/** EIP: an elastic IP; DYN: looked up at connect; DOM: a DNS name. */
function kindOf(host: HostConfig | undefined): string {
  if (!host?.address) return "";
  if ("eip" in host.address) return "[EIP] ";
  return "dyn" in host.address ? "[DYN] " : "[DOM] ";
}
