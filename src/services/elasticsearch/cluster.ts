import { Agent } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { describeError, OperatorError } from "../../system/errors.ts";
import type { DriverOptions } from "../backup-driver.ts";
import type { HealthPlace } from "../service.ts";
import { type Dialect, readDialect } from "./dialect.ts";
import { type Room, type SentRequest, sendRequest } from "./send-request.ts";

/** What a server answered instead of what was asked for. */
export class RefusedRequest extends OperatorError {
  readonly status: number;
  /** `index_not_found_exception` */
  readonly type: string;

  constructor(where: string, { method, path }: SentRequest, status: number, body: Buffer) {
    const { type, reason } = readError(body);
    const what = `${where}: ${method} ${path.split("?")[0]}: HTTP ${status}${reason}`;
    // A block of an index answers 403 too, and is no matter of permissions.
    if (status === 401 || (status === 403 && type !== "cluster_block_exception"))
      super("access", what, { next: "name a user who may do that, and its password" });
    else super("failed", what);
    this.status = status;
    this.type = type;
  }
}

interface AskOptions {
  /** How long it is asked again where the cluster is busy, restarts, or the connection is lost; 0: never. A minute when absent. */
  patienceMs?: number;
  /** How long it may think before it says anything; three minutes when absent. */
  silenceMs?: number;
  /** Where the answer's bytes are put. */
  room?: Room;
}

/** A cluster that is being spoken to. */
export interface Cluster extends Dialect {
  /** Of the service. */
  name: string;
  uuid: string;
  /** Given a method, a path and what to send, return the answer's JSON. Throws `RefusedRequest`, `unreachable`. */
  ask<T = unknown>(
    method: SentRequest["method"],
    path: string,
    body?: object,
    options?: AskOptions,
  ): Promise<T>;
  /** The same for a request that is written already. */
  send<T>(sent: SentRequest, options?: AskOptions): Promise<T>;
  /** The same for an answer's bytes. */
  read(sent: SentRequest, options?: AskOptions): Promise<Buffer>;
  /** Gives back what the cluster holds for this run, also where the run was stopped; returns whether that was done. Never throws. */
  release(method: SentRequest["method"], path: string, body?: object): Promise<boolean>;
}

const USUAL_PATIENCE_MS = 60_000;
/** A page of a search is at most a few megabytes. */
const USUAL_SILENCE_MS = 180_000;
/** What a repository does with a whole snapshot may take its time, and says nothing until it is done. */
export const REPOSITORY_SILENCE_MS = 3_600_000;
const RELEASE_LIMIT_MS = 10_000;
/** Who has stopped is not kept waiting for what goes by itself. */
const STOPPED_RELEASE_LIMIT_MS = 2_000;
const PAUSE_MS = { first: 250, longest: 5_000 };
/** Busy, or about to be there again; what stands in between may say so of a request that has been heard. */
export const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Given a service, call `use` with what speaks to its cluster. Throws `configuration` where it is neither Elasticsearch nor OpenSearch of a known version. */
export async function withCluster<T>(
  place: HealthPlace,
  { signal, trace }: Pick<DriverOptions, "signal" | "trace">,
  use: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const endpoint = await place.endpoint();
  const agent = new Agent({ keepAlive: true });
  const authorization = await readAuthorization(place);
  const way = { endpoint, agent, signal, ...(authorization !== undefined && { authorization }) };
  const read: Cluster["read"] = async (sent, options = {}) => {
    const { patienceMs = USUAL_PATIENCE_MS, silenceMs = USUAL_SILENCE_MS, room } = options;
    const end = performance.now() + patienceMs;
    for (let pause = PAUSE_MS.first; ; pause = Math.min(pause * 2, PAUSE_MS.longest)) {
      const failure = await sendRequest(way, sent, silenceMs, room).then(
        ({ status, body }) => {
          if (status >= 200 && status < 300) return { body };
          return { error: new RefusedRequest(place.name, sent, status, body) };
        },
        (error: unknown) => ({ error: asUnreachable(place, error) }),
      );
      signal.throwIfAborted();
      if ("body" in failure) return failure.body;
      const { error } = failure;
      const passes = !(error instanceof RefusedRequest) || PASSING.has(error.status);
      if (!passes || performance.now() + pause > end) throw error;
      trace(`${error.message}; asked again in ${pause} ms`);
      await wait(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  };
  const send: Cluster["send"] = async <A>(sent: SentRequest, options?: AskOptions) =>
    parseAnswer<A>(place.name, sent, await read(sent, options));
  const ask: Cluster["ask"] = async <A>(
    method: SentRequest["method"],
    path: string,
    body?: object,
    options?: AskOptions,
  ) => {
    return send<A>({ method, path, ...(body && { body: JSON.stringify(body) }) }, options);
  };
  try {
    const found = await ask<Parameters<typeof readDialect>[0] & { cluster_uuid?: string }>(
      "GET",
      "/",
      undefined,
      { patienceMs: 0 },
    );
    const dialect = readDialect(found);
    if (!dialect)
      throw new OperatorError(
        "configuration",
        `${place.name} is neither Elasticsearch 7.7 to 9 nor OpenSearch 1 to 3`,
      );
    const release: Cluster["release"] = async (method, path, body) => {
      const limitMs = signal.aborted ? STOPPED_RELEASE_LIMIT_MS : RELEASE_LIMIT_MS;
      const own = { ...way, signal: AbortSignal.timeout(limitMs) };
      const sent = { method, path, ...(body && { body: JSON.stringify(body) }) };
      return sendRequest(own, sent, limitMs).then(
        ({ status }) => status >= 200 && status < 300,
        (error: unknown) => {
          trace(`${method} ${path}: ${describeError(error)}`);
          return false;
        },
      );
    };
    const { name } = place;
    const uuid = found.cluster_uuid ?? "";
    return await use({ ...dialect, name, uuid, ask, send, read, release });
  } finally {
    agent.destroy();
  }
}

async function readAuthorization(place: HealthPlace): Promise<string | undefined> {
  const { user } = place.config;
  const password = await place.password();
  if (user === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

const asUnreachable = (place: HealthPlace, error: unknown): OperatorError =>
  new OperatorError("unreachable", `${place.name}: ${describeError(error)}`, {
    next: "see lcops doctor",
    cause: error,
  });

function parseAnswer<T>(where: string, { method, path }: SentRequest, body: Buffer): T {
  try {
    return JSON.parse(body.toString("utf8")) as T;
  } catch {
    throw new OperatorError("failed", `${where}: the answer to ${method} ${path} is no JSON`);
  }
}

function readError(body: Buffer): { type: string; reason: string } {
  const text = body.toString("utf8", 0, 4_000);
  const type = /"type"\s*:\s*"([^"]+)"/.exec(text)?.[1] ?? "";
  const reason = /"reason"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  return { type, reason: reason === undefined ? "" : `, ${reason.slice(0, 300)}` };
}

/** Given anything that was thrown, return whether what was asked for is not there. Pure. */
export const isNotThere = (error: unknown): boolean =>
  error instanceof RefusedRequest && error.status === 404;

/** Given anything that was thrown, return whether the cluster has refused what was asked of one index, and is well itself: the others may still be read. Pure. */
export const isRefusedForIndex = (error: unknown): boolean =>
  error instanceof RefusedRequest &&
  error.kind === "failed" &&
  error.status < 500 &&
  error.status !== 429;

/** Given the name of an index, return it as one level of a path. Pure. */
export const asPath = (index: string): string => `/${encodeURIComponent(index)}`;
