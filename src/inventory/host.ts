import type { AddressConfig } from "../config/schema.ts";

/** A machine of the inventory, as the sources describe it. */
export interface Host {
  name: string;
  /** Where lcops knows it from. */
  source: "config" | "ssh-config";
  environment?: string;
  role?: string;
  region?: string;
  /** Where it is; absent: what the user's ssh settings say of its name. */
  address?: AddressConfig;
  user?: string;
  port?: number;
  /** Names of the hosts to go through, outermost first. */
  jump?: readonly string[];
}

export type AddressKind = "eip" | "dyn" | "dns";

/** Given a host, return the kind of its address and the address as configured; a `dyn` one is known at connect only. */
export function describeAddress(host: Host): { kind: AddressKind; value: string } | undefined {
  const { address } = host;
  if (address === undefined) return undefined;
  if ("eip" in address) return { kind: "eip", value: address.eip };
  if ("dns" in address) return { kind: "dns", value: address.dns };
  return {
    kind: "dyn",
    value: Object.entries(address.dyn.tags)
      .map((tag) => tag.join("="))
      .join(","),
  };
}
