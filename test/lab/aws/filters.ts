/** The filters of DescribeInstances and DescribeAddresses that lcops may use, with AWS's wildcards. */
import { readList } from "./request.ts";
import type { AwsAddress, AwsInstance } from "./state.ts";

export type Filter = { name: string; values: string[] };

/** Takes the fields of a request; returns its filters in order. */
export function readFilters(fields: Record<string, string>): Filter[] {
  const filters: Filter[] = [];
  for (let index = 1; `Filter.${index}.Name` in fields; index += 1)
    filters.push({
      name: fields[`Filter.${index}.Name`] ?? "",
      values: readList(fields, `Filter.${index}.Value`),
    });
  return filters;
}

/** Takes a filter's value, in which `*` and `?` are wildcards unless a backslash stands before them; returns its test. */
function toPattern(value: string): RegExp {
  const parts = value.replaceAll(/\\(.)|([*?])|([\s\S])/g, (_all, escaped, wild, plain) => {
    if (wild !== undefined) return wild === "*" ? "[\\s\\S]*" : "[\\s\\S]";
    return String(escaped ?? plain).replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
  });
  return new RegExp(`^${parts}$`);
}

type Facts<T> = Record<string, (thing: T) => (string | undefined)[]>;

const OF_INSTANCES: Facts<AwsInstance> = {
  "instance-id": ({ instanceId }) => [instanceId],
  "instance-state-name": ({ state }) => [state ?? "running"],
  "private-ip-address": ({ privateIpAddress }) => [privateIpAddress],
  "ip-address": ({ ipAddress }) => [ipAddress],
  "availability-zone": ({ availabilityZone }) => [availabilityZone],
  "instance-type": ({ instanceType }) => [instanceType],
};

const OF_ADDRESSES: Facts<AwsAddress> = {
  "allocation-id": ({ allocationId }) => [allocationId],
  "association-id": ({ associationId }) => [associationId],
  "instance-id": ({ instanceId }) => [instanceId],
  "public-ip": ({ publicIp }) => [publicIp],
  domain: () => ["vpc"],
};

function makeTest<T extends { tags?: Record<string, string> }>(
  facts: Facts<T>,
  filters: Filter[],
): ((thing: T) => boolean) | string {
  const tests: ((thing: T) => boolean)[] = [];
  for (const { name, values } of filters) {
    const patterns = values.map((value) => toPattern(value));
    const matches = (value: string | undefined) =>
      value !== undefined && patterns.some((pattern) => pattern.test(value));
    const fact = Object.hasOwn(facts, name) ? facts[name] : undefined;
    if (name.startsWith("tag:"))
      tests.push((thing) => matches(new Map(Object.entries(thing.tags ?? {})).get(name.slice(4))));
    else if (name === "tag-key")
      tests.push((thing) => Object.keys(thing.tags ?? {}).some((key) => matches(key)));
    else if (name === "tag-value")
      tests.push((thing) => Object.values(thing.tags ?? {}).some((value) => matches(value)));
    else if (fact) tests.push((thing) => fact(thing).some((value) => matches(value)));
    else return name;
  }
  return (thing) => tests.every((test) => test(thing));
}

/** Takes filters; returns what tells whether an instance passes all, or the name of one that it does not know. */
export function filterInstances(filters: Filter[]): ((thing: AwsInstance) => boolean) | string {
  return makeTest(OF_INSTANCES, filters);
}

/** Takes filters; returns what tells whether an address passes all, or the name of one that it does not know. */
export function filterAddresses(filters: Filter[]): ((thing: AwsAddress) => boolean) | string {
  return makeTest(OF_ADDRESSES, filters);
}
