import { randomBytes } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { client, type Client, type Element, xml } from "@xmpp/client";
import ConnectionTCP from "@xmpp/connection-tcp";
import { untilAborted } from "../system/until-aborted.ts";
import { startTls } from "./start-tls.ts";

/** A team's channel: a room of an XMPP server (XEP-0045), and who lcops is there. */
export interface Room {
  /** `ops@rooms.example.com`. */
  room: string;
  /** `lcops@example.com`. */
  user: string;
  password: string;
  nick: string;
  roomPassword?: string | undefined;
  server?: string | undefined;
  /** Certificates of the authorities (PEM), instead of the known ones. */
  ca?: string | undefined;
}

const NO_LIMIT_MS = 2 ** 31 - 1;
const MUC = "http://jabber.org/protocol/muc";
const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";
/** So many names are tried where another one has it. */
const NICKS = 3;
/** A name more than that calls nobody. */
const MOST_CALLED = 50;
/** Servers refuse what is much larger. */
const MOST_CHARACTERS = 4_000;

/**
 * Given a room, say a text in it, and return once the room has shown it to everyone. With `mentionAll` it begins with `@all` and the names of
 * those who are there, which is what their clients ring for. Throws why it was not said, and the signal's reason.
 */
export function tellRoom(
  room: Room,
  text: string,
  { mentionAll, signal }: { mentionAll: boolean; signal: AbortSignal },
): Promise<void> {
  return visitRoom(room, signal, ({ entity, address, own, others, ended }) => {
    const called = mentionAll ? `@all ${others.slice(0, MOST_CALLED).join(", ")}`.trim() : "";
    const whole = `${called}${called === "" ? "" : ": "}${text}`;
    const body =
      whole.length <= MOST_CHARACTERS ? whole : `${whole.slice(0, MOST_CHARACTERS - 1)}…`;
    return say(entity, { room: address, own, body }, ended);
  });
}

/** Given a room, enter it and leave it again, and say nothing. Throws why it cannot be entered, and the signal's reason. */
export function tryRoom(room: Room, signal: AbortSignal): Promise<void> {
  return visitRoom(room, signal, () => Promise.resolve());
}

interface Visit {
  entity: Client;
  /** Of the room, as the server writes it. */
  address: string;
  /** The own address in the room. */
  own: string;
  /** The names of who else is there. */
  others: string[];
  /** Aborted once nothing more will come. */
  ended: AbortSignal;
}

async function visitRoom(
  given: Room,
  signal: AbortSignal,
  act: (visit: Visit) => Promise<void>,
): Promise<void> {
  // Servers answer in small letters, whatever they were asked in (RFC 7622, 3.2 and 3.3).
  const room = { ...given, room: given.room.toLowerCase() };
  const [username = "", domain = ""] = room.user.split("@");
  const { server, ca } = room;
  const tls = await startTls(
    {
      domain,
      ...(server !== undefined && { address: server }),
      ...(ca !== undefined && { ca }),
    },
    signal,
  );
  const { password } = room;
  const entity = client({ service: `xmpp://${domain}`, domain, username, password });
  entity.reconnect.stop();
  // How long it may take is the signal's to say.
  entity.timeout = NO_LIMIT_MS;
  entity.transports.unshift(over(tls));
  const ended = new AbortController();
  const lost = (error: unknown): void => ended.abort(error);
  entity.on("error", lost);
  tls.on("close", () => lost(new Error("the server has hung up")));
  const stop = (): void => lost(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    await signIn(entity, room.user, ended.signal);
    const { own, others } = await enter(entity, room, ended.signal);
    await act({ entity, address: room.room, own, others, ended: ended.signal });
    await entity.send(xml("presence", { to: own, type: "unavailable" })).catch(() => undefined);
  } finally {
    signal.removeEventListener("abort", stop);
    letGo(entity);
    tls.removeAllListeners("close");
    tls.on("error", () => undefined);
    tls.end("</stream:stream>");
    tls.destroySoon();
  }
}

/** End what the library still waits for: its timers would keep the program from ending. */
function letGo(entity: Client): void {
  const left = new Error("it is not waited for any more");
  entity.emit("error", left);
  for (const { reject } of entity.iqCaller.handlers.values()) reject(left);
}

/** Given a connection that is secure already, return the library's way of making one. */
function over(tls: TLSSocket): unknown {
  class Ready extends ConnectionTCP {
    override socketParameters(): object {
      return {};
    }
  }
  Ready.prototype.NS = "jabber:client";
  Ready.prototype.Socket = class {
    constructor() {
      const connect = (): void => process.nextTick(() => tls.emit("connect"));
      return Object.assign(tls, { secure: true, connect });
    }
  };
  return Ready;
}

async function signIn(entity: Client, user: string, signal: AbortSignal): Promise<void> {
  try {
    await Promise.race([entity.start(), untilAborted(signal)]);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "SASLError") throw error;
    const { condition } = error as { condition?: unknown };
    throw new Error(`the server refuses ${user}: ${String(condition)}`, { cause: error });
  }
}

/** Returns the own address in the room, and the names of who else is there. */
async function enter(
  entity: Client,
  { room, nick, roomPassword }: Room,
  signal: AbortSignal,
): Promise<{ own: string; others: string[] }> {
  for (let tried = 1; ; tried++) {
    // Others of the same account may be looking for a name at the same time.
    const own = `${room}/${nick}${tried === 1 ? "" : `-${randomBytes(2).toString("hex")}`}`;
    const others = new Set<string>();
    const entered = waitFor(entity, signal, (stanza) => {
      const { from = "", type } = stanza.attrs;
      if (stanza.name !== "presence" || !from.startsWith(room)) return undefined;
      if (type === "error") return readError(stanza);
      const isOwn = readStatus(stanza).includes("110");
      if (!isOwn && type === undefined) others.add(from.slice(room.length + 1));
      return isOwn ? { stanza } : undefined;
    });
    await entity.send(
      xml(
        "presence",
        { to: own },
        xml(
          "x",
          { xmlns: MUC },
          xml("history", { maxstanzas: "0" }),
          ...(roomPassword === undefined ? [] : [xml("password", {}, roomPassword)]),
        ),
      ),
    );
    const answer = await entered;
    if ("condition" in answer) {
      if (answer.condition === "conflict" && tried < NICKS) continue;
      throw new Error(`the room ${room} does not let ${nick} in: ${answer.condition}`);
    }
    if (readStatus(answer.stanza).includes("201")) {
      // Nobody is in a room that was made for who asked; leaving takes it away again.
      await entity.send(xml("presence", { to: own, type: "unavailable" }));
      throw new Error(`there is no room ${room}`);
    }
    return { own: answer.stanza.attrs["from"] ?? own, others: [...others] };
  }
}

/** A room shows what was said to everyone, whoever said it too: then it has arrived. */
async function say(
  entity: Client,
  { room, own, body }: { room: string; own: string; body: string },
  signal: AbortSignal,
): Promise<void> {
  const id = randomBytes(8).toString("hex");
  const shown = waitFor(entity, signal, (stanza) => {
    const { from, type } = stanza.attrs;
    if (stanza.name !== "message" || stanza.attrs["id"] !== id) return undefined;
    if (type === "error") return readError(stanza);
    return from === own ? { stanza } : undefined;
  });
  await entity.send(xml("message", { to: room, type: "groupchat", id }, xml("body", {}, body)));
  const answer = await shown;
  if ("condition" in answer)
    throw new Error(`the room ${room} does not let lcops speak: ${answer.condition}`);
}

interface Refusal {
  /** `not-authorized`, … (RFC 6120, 8.3.3). */
  condition: string;
}

function readError(stanza: Element): Refusal {
  const error = stanza.getChild("error");
  const [condition] =
    error?.getChildElements().filter((child) => child.is(child.name, STANZAS)) ?? [];
  return { condition: condition?.name ?? "it does not say why" };
}

function readStatus(stanza: Element): string[] {
  const user = stanza.getChild("x", `${MUC}#user`);
  return user?.getChildren("status").map(({ attrs }) => attrs["code"] ?? "") ?? [];
}

/** Resolves to the first answer that `read` finds in what comes. */
function waitFor<T>(
  entity: Client,
  signal: AbortSignal,
  read: (stanza: Element) => T | undefined,
): Promise<T> {
  const found = new Promise<T>((resolve) => {
    const listen = (stanza: Element): void => {
      const answer = read(stanza);
      if (answer === undefined) return;
      entity.off("stanza", listen);
      resolve(answer);
    };
    entity.on("stanza", listen);
  });
  return Promise.race([found, untilAborted(signal)]);
}
