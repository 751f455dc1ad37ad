import type { ServiceConfig } from "../config/schema.ts";
import { serviceTypeOf } from "../services/registry.ts";

/** Returns the address of a tunnel to give to a browser or a client. Pure. */
export function describeUrl({ kind }: Pick<ServiceConfig, "kind">, localPort: number): string {
  return `${serviceTypeOf(kind).scheme}://localhost:${localPort}/`;
}

/** Given the name of a service, return the port of its tunnel where none is configured, from 20000 to 29999 that is the same every day (FNV-1a). */
export function derivePort(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return 20_000 + (hash % 10_000);
}
