/** The fields that several parts of the configuration's schema have. */
import * as z from "zod/mini";
import { NAME } from "./name.ts";

export const matching = (pattern: RegExp, message: string) =>
  z.string().check(z.regex(pattern, message));
export const orAbsent = <T extends z.ZodMiniType>(schema: T, description: string) =>
  z.optional(schema).check(z.describe(description));

export const name = matching(
  NAME,
  "a name is letters, digits, dot, dash and underscore, and starts with a letter or digit",
);

/** A host name or an IP address, as the resolver and `ssh` take it; never an option, never shell text. */
export const hostName = matching(
  /^[A-Za-z0-9:[][A-Za-z0-9.:%[\]_-]{0,254}$/,
  "a host name or an IP address is expected",
);

export const text = matching(
  /^[^\p{Cc}]{1,200}$/u,
  "1 to 200 characters are expected, none of them a control character",
);
export const path = matching(/^[^\p{Cc}]{1,4096}$/u, "the path of a file is expected");
export const region = matching(/^[a-z]{2}(-[a-z]+)+-\d$/, "a region is expected, e.g. eu-west-1");

/** Where a bucket is. */
export const bucketFields = {
  bucket: matching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "the name of a bucket is expected"),
  prefix: orAbsent(
    matching(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/, "a prefix is names with / between them"),
    "What the names of its objects begin with",
  ),
  region: orAbsent(region, "Where the bucket is; the environment's first region when absent"),
};

export const secret = matching(
  /^\$\{(env|file|command):[^}]+\}$/,
  "a secret is a reference, ${env:NAME}, ${file:PATH} or ${command:PROGRAM ARGUMENTS}, never the value itself",
).check(
  z.describe("Where the secret is kept: ${env:NAME}, ${file:PATH} or ${command:PROGRAM ARGUMENTS}"),
);

export type SecretReference = z.output<typeof secret>;
