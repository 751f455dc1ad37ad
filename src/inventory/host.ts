import type { AddressConfig } from "../config/schema.ts";

/** Who says something of a host. */
export type Source = "config" | "ec2" | "opsworks" | "ssh-config";

/** What two sources can say differently. */
export type Field =
  | "environment"
  | "role"
  | "region"
  | "publicAddress"
  | "privateAddress"
  | "state";

/** A machine of the inventory, as its sources describe it. */
export interface Host {
  name: string;
  /** Who knows it, the one that names it first. */
  sources: readonly Source[];
  environment?: string;
  role?: string;
  region?: string;
  /** Where the configuration says that it is; absent: where its instance is, else what the user's ssh settings say. */
  address?: AddressConfig;
  use?: "public" | "private";
  user?: string;
  port?: number;
  /** Names of the hosts to go through, outermost first. */
  jump?: readonly string[];
  instanceId?: string;
  /** running, stopped, …: EC2's words. */
  state?: string;
  publicAddress?: string;
  privateAddress?: string;
  /** ISO 8601. */
  launchedAt?: string;
  tags?: Readonly<Record<string, string>>;
  /** Who said which field, and when AWS was asked (ISO 8601). */
  fields?: Readonly<Partial<Record<Field, { source: Source; at?: string }>>>;
  /** Where another source says something else than the field holds. */
  conflicts?: readonly { field: Field; source: Source; value: string }[];
}

export type AddressKind = "eip" | "dyn" | "dns";

/**
 * Given a host, return the kind of its address, where the configuration gives one, and the address as far as it is known without looking:
 * what a lookup would search for, or where its instance was when AWS was last asked.
 */
export function describeAddress(host: Host): { kind?: AddressKind; value: string } | undefined {
  const { address } = host;
  const ofInstance = chooseAddress(host);
  if (address === undefined) return ofInstance === undefined ? undefined : { value: ofInstance };
  if ("dns" in address) return { kind: "dns", value: address.dns };
  if ("dyn" in address) return { kind: "dyn", value: ofInstance ?? showTags(address.dyn.tags) };
  if (typeof address.eip === "string") return { kind: "eip", value: address.eip };
  return {
    kind: "eip",
    value:
      ofInstance ?? ("tags" in address.eip ? showTags(address.eip.tags) : address.eip.allocation),
  };
}

/** Given the addresses of an instance and which is wanted, return it: the public one where there is a choice and no wish. */
export function chooseAddress(
  host: Pick<Host, "use" | "publicAddress" | "privateAddress">,
): string | undefined {
  if (host.use === "private") return host.privateAddress;
  if (host.use === "public") return host.publicAddress;
  return host.publicAddress ?? host.privateAddress;
}

function showTags(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .map((tag) => tag.join("="))
    .join(",");
}
