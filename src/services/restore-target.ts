import type { ServiceConfig } from "../config/schema.ts";
import type { ServicePlace } from "../reach/service-place.ts";

/** A place that a set is restored into: a service, a bucket, or a folder of this machine. */
export type RestoreTarget<C extends ServiceConfig = ServiceConfig> =
  | ServiceTarget<C>
  | BucketTarget<C>
  | FolderTarget;

export interface ServiceTarget<C extends ServiceConfig = ServiceConfig> {
  kind: "service";
  place: ServicePlace<C>;
}

/** A bucket has neither port nor host nor password. */
export interface BucketTarget<C extends ServiceConfig = ServiceConfig> {
  kind: "bucket";
  place: Pick<ServicePlace<C>, "name" | "config" | "within" | "aws">;
}

interface FolderTarget {
  kind: "folder";
  /** Its path from the root. */
  folder: string;
}

/** Returns the service that a target is, for kinds that are restored into nothing else. Pure. */
export function serviceOf(target: RestoreTarget): ServicePlace {
  if (target.kind === "service") return target.place;
  throw new Error(`a set of this kind is restored into a service, not a ${target.kind}`);
}
