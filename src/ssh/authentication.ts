import {
  type AuthHandlerMiddleware,
  BaseAgent,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from "ssh2";
import { describeError, OperatorError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import { type AskPassphrase, collectIdentities, type Identity } from "./collect-identities.ts";
import { fingerprint } from "./key-blob.ts";
import type { LastIdentity } from "./last-identity.ts";
import { NeedsProgramError } from "./needs-program.ts";
import type { Hop } from "./route.ts";

/** sshd's MaxAuthTries is 6 by default, and a server that is asked too often locks the whole office out (PerSourcePenalties). */
const maxOffers = 5;

/** What the authentication of one connection needs. */
export interface AuthenticationOptions {
  hop: Hop;
  label: string;
  askPassphrase: AskPassphrase;
  /** Runs a wait for a person with the handshake's time limit standing still. */
  paused<T>(wait: () => Promise<T>): Promise<T>;
  /** How the host let in the last time. */
  last: LastIdentity;
  /** Told, once, why the server lets nobody in. */
  fail(error: OperatorError): void;
  log(line: string): void;
}

/** What a connection tries to log in with, one thing after the other. */
export interface Authentication {
  handler: AuthHandlerMiddleware;
  /** The fingerprint of the key that was offered last. */
  offered(): string | undefined;
  /** What only the `ssh` program could offer, as far as is known by now: why it is needed. */
  needsProgram(): string | undefined;
}

/**
 * Given a hop, return the handler that ssh2 asks what to try next: `none`, which tells what the server accepts, then at
 * most five keys, one at a time. Passwords are never tried, and the agent is never forwarded. Where the `ssh` program could offer
 * more, the refusal is a `NeedsProgramError`.
 */
export function authenticate(options: AuthenticationOptions): Authentication {
  const { hop, label, fail, log } = options;
  const tried: string[] = [];
  let offers = 0;
  let waiting: Identity[] | undefined;
  let passedOver: string[] = [];
  let methods: readonly string[] | undefined;
  let offered: string | undefined;
  let forProgram: string[] = [];
  const needsProgram = (): string | undefined => {
    if (hop.forProgram?.gssapi && methods?.includes("gssapi-with-mic"))
      return "the server accepts GSSAPI, which lcops cannot use itself";
    return methods?.includes("publickey") ? forProgram[0] : undefined;
  };

  const refuse = (): void => {
    const accepts = methods?.length ? methods.map(printable).join(", ") : "nothing";
    const left = waiting?.length ?? 0;
    const count = tried.length === 0 ? "no key could be offered" : `${tried.length} refused`;
    const because = needsProgram();
    const error = new OperatorError(
      "access",
      `${label}: the server does not let ${printable(hop.user)} in: ${count}; it accepts ${accepts}`,
      {
        details: [
          ...tried.map((line) => `refused: ${line}`),
          ...passedOver.map((line) => `not usable: ${line}`),
          ...(left > 0 ? [`not offered: ${left} more, as servers hang up after that many`] : []),
        ],
        next:
          left > 0
            ? "name the right key with IdentityFile and set IdentitiesOnly yes"
            : "check the user, and that the public half of one of your keys is in its authorized_keys",
      },
    );
    fail(because === undefined ? error : new NeedsProgramError(because, error));
  };

  const offerNext = async (next: Parameters<AuthHandlerMiddleware>[2]): Promise<void> => {
    if (!waiting) {
      const ask: AskPassphrase = (file) => options.paused(() => options.askPassphrase(file));
      const found = await collectIdentities(hop, ask, options.last.fingerprint);
      forProgram = found.forProgram;
      // Where it was needed the last time, no key is tried in vain before it.
      const isNeeded = options.last.throughProgram && needsProgram() !== undefined;
      waiting = isNeeded ? [] : found.identities;
      passedOver = found.passedOver;
    }
    while (offers < maxOffers) {
      const identity = waiting.shift();
      if (!identity) break;
      let key: ParsedKey;
      try {
        key = await identity.publicKey();
      } catch (error) {
        passedOver.push(`${identity.label}: ${describeError(error)}`);
        continue;
      }
      log(`${label}: offering ${identity.label}`);
      offers += 1;
      tried.push(identity.label);
      offered = fingerprint(key.getPublicSSH());
      const agent = new OneKeyAgent(key, async (data, request) => {
        try {
          // Agents ask people too (`ssh-add -c`).
          return await options.paused(() => identity.sign(data, request));
        } catch (error) {
          // The server wanted this one.
          tried.pop();
          passedOver.push(`${identity.label}: ${describeError(error)}`);
          throw error;
        }
      });
      next({ type: "agent", username: hop.user, agent });
      return;
    }
    refuse();
  };

  const handler: AuthHandlerMiddleware = (authsLeft: readonly string[] | null, _partial, next) => {
    if (authsLeft === null && tried.length === 0 && !methods) {
      methods = [];
      next({ type: "none", username: hop.user });
      return;
    }
    methods = authsLeft ?? methods ?? [];
    if (!methods.includes("publickey")) return refuse();
    offerNext(next).catch((error: unknown) => {
      fail(new OperatorError("failed", `${label}: ${describeError(error)}`, { cause: error }));
    });
  };
  return { handler, offered: () => offered, needsProgram };
}

/** An agent of one key: the only way in which ssh2 lets somebody else sign (it wants a subclass). */
class OneKeyAgent extends BaseAgent<ParsedKey> {
  readonly #key: ParsedKey;
  readonly #sign: (data: Buffer, options: SigningRequestOptions) => Promise<Buffer>;

  constructor(
    key: ParsedKey,
    sign: (data: Buffer, options: SigningRequestOptions) => Promise<Buffer>,
  ) {
    super();
    this.#key = key;
    this.#sign = sign;
  }

  override getIdentities(callback: (error: undefined, keys: ParsedKey[]) => void): void {
    callback(undefined, [this.#key]);
  }

  override sign(
    _key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const request = typeof options === "function" ? {} : options;
    const done = typeof options === "function" ? options : callback;
    this.#sign(data, request).then(
      (signature) => done?.(null, signature),
      (error: unknown) => done?.(error instanceof Error ? error : new Error(describeError(error))),
    );
  }
}
