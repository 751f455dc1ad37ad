import type { Config } from "./schema.ts";

/** What `config init` found out by asking. */
export interface Wishes {
  environments: readonly { name: string; production: boolean; profile?: string }[];
  /** Hosts of the user's ssh configuration that belong into the menu. */
  hosts: readonly string[];
}

/** Given the operator's wishes, return a configuration to start from. Pure. */
export function proposeConfig(wishes: Wishes): Config {
  const [first] = wishes.environments;
  return {
    $schema: "./lcops.schema.json",
    ...(first && { defaultEnvironment: first.name }),
    environments: Object.fromEntries(
      wishes.environments.map(({ name, production, profile }) => [
        name,
        { production, ...(profile !== undefined && { aws: { profile } }) },
      ]),
    ),
    hosts: Object.fromEntries(wishes.hosts.map((name) => [name, {}])),
    services: {},
    menu: [
      ...(wishes.hosts.length > 0
        ? [
            {
              title: "Hosts:",
              entries: wishes.hosts.map((host, index) => ({ key: String(index + 1), host })),
            },
          ]
        : []),
      { title: "Inventory:", entries: [{ key: "li", label: "List the hosts", run: ["hosts"] }] },
    ],
  };
}
