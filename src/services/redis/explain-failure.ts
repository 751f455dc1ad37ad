import { OperatorError } from "../../system/errors.ts";
import type { RedisFailure } from "./reply-reader.ts";

interface Explained {
  kind: OperatorError["kind"];
  what: string;
  next?: string;
}

/** Given the service's name, an error that it answered and the command, return it in our words, with what to do. Pure. */
export function explainFailure(
  name: string,
  { message }: RedisFailure,
  command: string,
): OperatorError {
  const { kind, what, next } = explain(name, message, command.toUpperCase());
  return new OperatorError(kind, `${name} ${what}`, next === undefined ? {} : { next });
}

function explain(name: string, message: string, command: string): Explained {
  const code = /^[A-Z]+/.exec(message)?.[0] ?? "";
  const quoted = `says: ${message.slice(0, 200)}`;
  const known = BY_CODE[code];
  if (known) return known(command, quoted);
  if (/unknown command|unknown subcommand/i.test(message)) {
    return {
      kind: "access",
      what: `has no ${command}: it is renamed or disabled there, or the server is too old for it`,
      next: "ask whoever runs it; nothing that blocks the server is done in its place",
    };
  }
  if (/invalid password|invalid username-password/i.test(message)) return WRONG_LOGIN;
  if (/without any password configured|no password is set/i.test(message)) {
    return {
      kind: "access",
      what: "wants no password, and one is configured: it may be another server than was meant",
      next: "take the password away, or correct the address",
    };
  }
  if (/DB index is out of range|invalid DB index/i.test(message)) {
    return {
      kind: "usage",
      what: "has no database of that number",
      next: `see lcops redis info ${name}`,
    };
  }
  if (/max number of clients/i.test(message))
    return { kind: "unreachable", what: "has as many clients as it may have", next: TRY_LATER };
  return { kind: "failed", what: quoted };
}

const TRY_LATER = "wait, and run it again";
const WRONG_LOGIN: Explained = {
  kind: "access",
  what: "does not accept the user and its password",
  next: "look at what the password's reference leads to, and at the user",
};

/** By the first word of the answer, where it is no plain ERR. */
const BY_CODE: Readonly<Record<string, (command: string, quoted: string) => Explained>> = {
  NOAUTH: () => ({
    kind: "access",
    what: "wants a password, and none is configured",
    next: "give the service a user and the reference of its password",
  }),
  WRONGPASS: () => WRONG_LOGIN,
  NOPERM: (command, quoted) => ({
    kind: "access",
    what: `does not let its user do ${command}; it ${quoted}`,
    next: "have it allowed by ACL SETUSER, or use another user",
  }),
  READONLY: () => ({
    kind: "refused",
    what: "is a replica, and takes no writes",
    next: "see lcops redis info for its master",
  }),
  LOADING: () => ({
    kind: "unreachable",
    what: "still loads its data from the disk",
    next: TRY_LATER,
  }),
  BUSY: () => ({
    kind: "unreachable",
    what: "runs a script and answers nothing else",
    next: TRY_LATER,
  }),
  MISCONF: () => ({
    kind: "failed",
    what: "takes no writes, since it cannot save to its disk (MISCONF)",
    next: "see its log, and mend that first",
  }),
  MASTERDOWN: () => ({
    kind: "unreachable",
    what: "is a replica that has lost its master",
    next: TRY_LATER,
  }),
  CLUSTERDOWN: (_command, quoted) => ({
    kind: "unreachable",
    what: `is a cluster that is down; it ${quoted}`,
  }),
};
