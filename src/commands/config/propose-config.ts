import { NAME } from "../../config/name.ts";
import type { Config, ReachableConfig, ServiceConfig } from "../../config/schema.ts";

/** What `config init` found out by asking. */
export interface Wishes {
  environments: readonly {
    name: string;
    production: boolean;
    profile?: string;
    /** The one that the profile was seen to belong to. */
    account?: string;
    regions?: readonly string[];
  }[];
  /** Hosts of the user's ssh configuration that belong into the menu. */
  hosts: readonly string[];
  /** Machines that AWS knows. */
  machines: readonly Machine[];
}

export interface Machine {
  name: string;
  environment: string;
  region?: string;
  role?: string;
  tags: Readonly<Record<string, string>>;
}

/** What a machine of this name or role usually runs, with the port of its tunnel; a guess to start from, for the operator to correct. */
const USUAL_SERVICES: readonly { sign: RegExp; services: readonly [string, ReachableConfig][] }[] =
  [
    {
      sign: /graph|stats/i,
      services: [["graphite", { kind: "graphite", title: "Graphite", port: 80, localPort: 2180 }]],
    },
    {
      sign: /log|elastic|kibana/i,
      services: [
        ["kibana", { kind: "http", title: "Kibana", port: 5601, localPort: 5601 }],
        ["elasticsearch", { kind: "elasticsearch", title: "API", port: 9200, localPort: 9200 }],
      ],
    },
    {
      sign: /redis|cache/i,
      services: [["redis", { kind: "redis", title: "Console", port: 6379, localPort: 16379 }]],
    },
    {
      sign: /jenkins|\bci\b/i,
      services: [["jenkins", { kind: "http", title: "Jenkins", port: 8080, localPort: 18081 }]],
    },
  ];

/** Given the operator's wishes, return a configuration to start from. Pure. */
export function proposeConfig(wishes: Wishes): Config {
  const [first] = wishes.environments;
  const counts = new Map<string, number>();
  for (const { name } of wishes.machines) counts.set(name, (counts.get(name) ?? 0) + 1);
  // Only a name that stands for one machine can be looked up by it.
  const machines = wishes.machines.filter(
    ({ name }) => NAME.test(name) && counts.get(name) === 1 && !wishes.hosts.includes(name),
  );
  const services = proposeServices(machines);
  const withService = new Set(services.map(([, { host }]) => host));
  const entries = [
    ...services.map(([service]) => ({ service })),
    ...machines.flatMap(({ name }) => (withService.has(name) ? [] : [{ host: name }])),
    ...wishes.hosts.map((host) => ({ host })),
  ].map((entry, index) => ({ key: String(index + 1), ...entry }));
  return {
    $schema: "./lcops.schema.json",
    ...(first && { defaultEnvironment: first.name }),
    environments: Object.fromEntries(
      wishes.environments.map(({ name, production, profile, account, regions }) => [
        name,
        {
          production,
          ...(profile !== undefined && {
            aws: {
              profile,
              ...(account !== undefined && { account }),
              ...(regions && { regions: [...regions] }),
            },
          }),
        },
      ]),
    ),
    hosts: Object.fromEntries([
      ...wishes.hosts.map((name) => [name, {}] as const),
      ...machines.map((machine) => [machine.name, proposeHost(machine)] as const),
    ]),
    services: Object.fromEntries(services),
    menu: [
      ...(entries.length > 0 ? [{ title: "Hosts:", entries }] : []),
      { title: "Inventory:", entries: [{ key: "li", label: "List the hosts", run: ["hosts"] }] },
    ],
  };
}

function proposeHost({
  name,
  environment,
  region,
  role,
  tags,
}: Machine): NonNullable<Config["hosts"]>[string] {
  const tag = Object.keys(tags).find(
    (key) => /^(name|opsworks:instance)$/i.test(key) && tags[key] === name,
  );
  return {
    environment,
    ...(region !== undefined && { region }),
    ...(role !== undefined && NAME.test(role) && { role }),
    ...(tag !== undefined && {
      address: {
        dyn: { tags: { [tag]: name }, ...(region !== undefined && { region }) },
      },
    }),
  };
}

/** The first machine that fits gets a service: names and local ports are given once. */
function proposeServices(machines: readonly Machine[]): [string, ServiceConfig][] {
  return USUAL_SERVICES.flatMap(({ sign, services }) => {
    const machine = machines.find(({ name, role }) => sign.test(`${name} ${role ?? ""}`));
    return machine
      ? services.map(([name, service]): [string, ServiceConfig] => [
          name,
          { ...service, host: machine.name },
        ])
      : [];
  });
}
