import type { CheckSubject } from "../../consistency/open-ground.ts";
import type { ConsistencyConfig } from "../../config/consistency-schema.ts";
import { environmentOf } from "../../config/environments.ts";
import type { Config } from "../../config/schema.ts";
import type { OpenServices } from "../../reach/open-service.ts";
import { OperatorError } from "../../system/errors.ts";
import type { Context } from "../command.ts";
import { placeOf, replicaOf } from "./open-places.ts";
import { openOutsides } from "./open-outsides.ts";
import { openSchemas } from "./open-schemas.ts";
import { mysql } from "../../services/mysql/mysql.ts";

/** What is to be checked, by name. */
export interface Entry {
  name: string;
  config: ConsistencyConfig;
}

/** Given what was typed, return what is to be checked: all that is configured of the environment of `--env`, or each MySQL service where nothing is. Throws `usage`. */
export function pickEntries(
  names: readonly string[],
  config: Config,
  environment: string | undefined,
): Entry[] {
  const configured = config.consistency ?? {};
  const services = Object.entries(config.services ?? {}).flatMap(([name, service]) =>
    mysql.is(service) ? [name] : [],
  );
  const all: Entry[] = [
    ...Object.entries(configured).map(([name, entry]) => ({ name, config: entry })),
    ...services
      .filter((name) => !Object.hasOwn(configured, name))
      .map((service) => ({ name: service, config: { service } })),
  ];
  if (names.length > 0)
    return [...new Set(names)].map((name) => {
      const found = all.find((entry) => entry.name === name);
      if (found) {
        const own = environmentOf(config.services?.[found.config.service], config);
        if (environment === undefined || own === environment) return found;
        throw new OperatorError(
          "usage",
          `${name} belongs to ${own ?? "no environment"}, not to ${environment}`,
          { next: "correct --env or the name" },
        );
      }
      throw new OperatorError("usage", `there is nothing to check that is called ${name}`, {
        next:
          all.length > 0
            ? `name one of ${all.map((entry) => entry.name).join(", ")}`
            : "add a MySQL service to the services of the configuration",
      });
    });
  const entries = config.consistency
    ? all.filter(({ name }) => Object.hasOwn(configured, name))
    : all;
  const wanted = entries.filter(
    (entry) =>
      environment === undefined ||
      environmentOf(config.services?.[entry.config.service], config) === environment,
  );
  if (wanted.length > 0) return wanted;
  throw new OperatorError("usage", "there is no MySQL service to be checked", {
    next: "add one to the services of the configuration, or choose another --env",
  });
}

/** Given what is to be checked since no name was typed, return the MySQL services of that environment that are in none of it. Pure. */
export function findLeftOut(
  entries: readonly Entry[],
  config: Config,
  environment: string | undefined,
): string[] {
  const checked = new Set(entries.map((entry) => entry.config.service));
  return Object.entries(config.services ?? {}).flatMap(([name, service]) =>
    mysql.is(service) &&
    !checked.has(name) &&
    (environment === undefined || environmentOf(service, config) === environment)
      ? [name]
      : [],
  );
}

/** Given what is to be checked, return it with the ways to everything that it needs. */
export function openSubject(
  { name, config: entry }: Entry,
  config: Config,
  context: Context,
  open: OpenServices,
): CheckSubject {
  const primary = placeOf(entry.service, config, open);
  return {
    name,
    config: entry,
    primary,
    replica: replicaOf(entry.service, config, open),
    schemas: openSchemas(entry, config, context, open),
    database: entry.databases?.length === 1 ? entry.databases[0] : primary.config.database,
    outsides: openOutsides(entry, config, context, open),
  };
}
