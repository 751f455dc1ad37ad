import type { ServiceConfig } from "../config/schema.ts";
import type { ServicePlace } from "../reach/service-place.ts";

/** A place that a set is restored into: a service, a bucket, or a folder of this machine. */
export type RestoreTarget = ServiceTarget | BucketTarget | FolderTarget;

export interface ServiceTarget {
  kind: "service";
  place: ServicePlace;
}

/** A bucket has neither port nor host nor password. */
export interface BucketTarget {
  kind: "bucket";
  place: Pick<ServicePlace, "name" | "within" | "aws"> & {
    config: Extract<ServiceConfig, { kind: "s3" }>;
  };
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
