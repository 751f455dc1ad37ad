import { environmentOf } from "../../config/environments.ts";
import type { Config } from "../../config/schema.ts";
import { OperatorError } from "../../system/errors.ts";
import { mysql } from "../../services/mysql/mysql.ts";

/** One side of a comparison, as it was typed. */
export type ComparedSide =
  | { kind: "server"; name: string; service: string; database: string | undefined }
  | { kind: "set"; name: string };

/** What is compared with what. */
export interface Comparison {
  pairs: readonly (readonly [ComparedSide, ComparedSide])[];
  areEnvironments: boolean;
}

/**
 * Given the two words of a comparison, return what they mean: a service before an environment before a set. Two environments are compared service by service: the
 * only one of each, else those that open the same database. Throws `usage`. Pure.
 */
export function findSides(one: string, other: string, config: Config): Comparison {
  const isService = (word: string): boolean =>
    Object.hasOwn(config.services ?? {}, word.split("/")[0] ?? "");
  const isEnvironment = (word: string): boolean =>
    !isService(word) && Object.hasOwn(config.environments ?? {}, word);
  if (isEnvironment(one) && isEnvironment(other))
    return { pairs: pairEnvironments(one, other, config), areEnvironments: true };
  if (isEnvironment(one) || isEnvironment(other))
    throw new OperatorError("usage", "an environment is compared with another environment", {
      next: "name two environments, or two MySQL services",
    });
  const sides = [one, other].map((word): ComparedSide => {
    if (!isService(word)) return { kind: "set", name: word };
    const [service = "", database] = word.split("/");
    if (!mysql.is(config.services?.[service]))
      throw new OperatorError("usage", `${service} is no MySQL service`, {
        next: nameServices(config),
      });
    return { kind: "server", name: word, service, database };
  });
  const [first, second] = sides;
  if (!first || !second || (first.kind === "set" && second.kind === "set"))
    throw new OperatorError("usage", `neither ${one} nor ${other} is a MySQL service`, {
      next: nameServices(config),
    });
  // The server is the one that goes on: it comes first.
  return {
    pairs: [first.kind === "set" ? [second, first] : [first, second]],
    areEnvironments: false,
  };
}

/** What to do where a name is none of them. */
function nameServices({ services = {} }: Config): string {
  const names = Object.keys(services).filter((name) => mysql.is(services[name]));
  return names.length > 0
    ? `name one of ${names.join(", ")}, and what it is compared with`
    : "add a MySQL service to the services of the configuration";
}

function pairEnvironments(one: string, other: string, config: Config): Comparison["pairs"] {
  if (one === other) throw new OperatorError("usage", `${one} is compared with itself`);
  const servicesOf = (environment: string) =>
    Object.entries(config.services ?? {}).flatMap(([name, service]) =>
      mysql.is(service) && environmentOf(service, config) === environment ? [name] : [],
    );
  const [here, there] = [servicesOf(one), servicesOf(other)];
  const sideOf = (service: string): ComparedSide => ({
    kind: "server",
    name: service,
    service,
    database: undefined,
  });
  const databaseOf = (service: string): string | undefined => {
    const found = config.services?.[service];
    return mysql.is(found) ? found.database : undefined;
  };
  const pairs =
    here.length === 1 && there.length === 1
      ? [[here[0] ?? "", there[0] ?? ""] as const]
      : here.flatMap((service) => {
          const like = there.find(
            (candidate) =>
              databaseOf(service) !== undefined && databaseOf(candidate) === databaseOf(service),
          );
          return like === undefined ? [] : [[service, like] as const];
        });
  // Each of both once.
  const isWhole =
    pairs.length === Math.max(here.length, there.length) &&
    new Set(pairs.map(([, like]) => like)).size === pairs.length;
  if (pairs.length > 0 && isWhole)
    return pairs.map(([service, like]) => [sideOf(service), sideOf(like)] as const);
  const list = (names: readonly string[]): string => names.join(", ") || "none";
  throw new OperatorError(
    "usage",
    `the MySQL services of ${one} (${list(here)}) and ${other} (${list(there)}) do not go together`,
    { next: "name two services" },
  );
}
