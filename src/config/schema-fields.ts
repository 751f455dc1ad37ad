/**
 * The fields that several parts of the configuration's schema have.
 * In zod's mini form, since every command loads it: a third of the code of the other.
 */
import { en } from "zod/locales";
import * as z from "zod/mini";
import { NAME } from "./name.ts";

// A configuration is read once a run: compiling its checks would cost more than it saves.
z.config({ ...en(), jitless: true });

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

export const count = (message: string) =>
  z.int(message).check(z.gte(1, message), z.lte(100_000, message));

const PORT_RANGE = "a port is a whole number from 1 to 65535";
export const port = z.int(PORT_RANGE).check(z.gte(1, PORT_RANGE), z.lte(65535, PORT_RANGE));
export const userName = matching(/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$/, "a user name is expected");

/** Where a bucket is. */
export const bucketFields = {
  bucket: matching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "the name of a bucket is expected"),
  prefix: orAbsent(
    matching(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/, "a prefix is names with / between them"),
    "What the names of its objects begin with",
  ),
  region: orAbsent(region, "Where the bucket is; the environment's first region when absent"),
};

/** Where sets and copies are stored. */
export const storagePlaces = [
  z.strictObject({ folder: path.check(z.describe("A folder of this machine")) }),
  z.strictObject({
    ...bucketFields,
    environment: orAbsent(name, "Environment whose profile opens it"),
  }),
] as const;

export const secret = matching(
  /^\$\{(env|file|command):[^}]+\}$/,
  "a secret is a reference, ${env:NAME}, ${file:PATH} or ${command:PROGRAM ARGUMENTS}, never the value itself",
).check(
  z.describe("Where the secret is kept: ${env:NAME}, ${file:PATH} or ${command:PROGRAM ARGUMENTS}"),
);

export type SecretReference = z.output<typeof secret>;

/** The fields of a service that has a port. */
export const reachable = {
  environment: orAbsent(name, "Environment of a service without a host"),
  host: orAbsent(name, "Host through which it is reached; absent: directly"),
  address: orAbsent(hostName, "Its address as seen from there; 127.0.0.1 on a host"),
  port,
  localPort: orAbsent(port, "Port of its tunnel on this machine"),
  title: orAbsent(text, "Its name in the menu"),
};

/** The fields of a service that wants a password. */
export const login = {
  user: orAbsent(userName, "User to log in as"),
  password: orAbsent(secret, "Password of that user"),
};

/** The field of a service that may be spoken to over TLS. */
export const tls = orAbsent(
  z.union([
    z.literal(true),
    z.strictObject({
      ca: orAbsent(path, "Certificates of the authorities, instead of the known ones"),
      serverName: orAbsent(hostName, "The name in its certificate, the address when absent"),
      certificate: orAbsent(path, "Certificate with which to log in"),
      key: orAbsent(path, "Private key of that certificate"),
    }),
  ]),
  "Whether it is spoken to over TLS, and how it is known",
);
