import { Resolver } from "node:dns/promises";
import type { SrvRecord } from "node:dns";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { describeError } from "../system/errors.ts";

export interface XmppServer {
  /** Of the accounts; its certificate must be for this name (RFC 6120, 13.7.2.1). */
  domain: string;
  /** `chat.example.com:5222`; absent: what the domain's SRV record says, else the domain itself. */
  address?: string;
  /** Certificates of the authorities (PEM), instead of the known ones. */
  ca?: string;
}

const PORT = 5222;
/** Features of a stream are a few hundred bytes. */
const MOST_BYTES = 64 * 1024;

/**
 * Given a server, return a connection to it that TLS protects and whose certificate is that of its domain; before that nothing is said on it but
 * the wish for it (STARTTLS, RFC 6120, 5.4.2). Throws why there is none, and the signal's reason.
 */
export async function startTls(server: XmppServer, signal: AbortSignal): Promise<TLSSocket> {
  let failure: unknown;
  for (const { host, port } of await findAddresses(server, signal)) {
    const socket = connect({ host, port });
    try {
      await once(socket, "connect", { signal });
    } catch (error) {
      socket.destroy();
      signal.throwIfAborted();
      failure = new Error(`${host}:${port} cannot be reached`, { cause: error });
      continue;
    }
    try {
      await askForTls(socket, server.domain, signal);
      return await secure(socket, server, signal);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }
  throw failure;
}

async function findAddresses(
  server: XmppServer,
  signal: AbortSignal,
): Promise<{ host: string; port: number }[]> {
  const { domain, address } = server;
  if (address !== undefined) {
    const [, host = "", port] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(address) ?? [];
    return [{ host, port: port === undefined ? PORT : Number(port) }];
  }
  const records = await readRecords(`_xmpp-client._tcp.${domain}`, signal);
  const usual = { host: domain, port: PORT };
  if (records.length === 0) return [usual];
  return records
    .toSorted((a, b) => a.priority - b.priority || b.weight - a.weight)
    .map(({ name, port }) => ({ host: name, port }));
}

/** None where there are none, or nobody can say; a name server that is silent is not waited for when the signal says so. */
async function readRecords(name: string, signal: AbortSignal): Promise<SrvRecord[]> {
  const resolver = new Resolver();
  const cancel = (): void => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await resolver.resolveSrv(name);
  } catch {
    signal.throwIfAborted();
    return [];
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** Of what the server says nothing is trusted but that it goes on with TLS. */
async function askForTls(socket: Socket, domain: string, signal: AbortSignal): Promise<void> {
  const readUntil = async (pattern: RegExp): Promise<string> => {
    let text = "";
    for (;;) {
      if (pattern.test(text)) return text;
      if (text.length > MOST_BYTES) throw new Error("it is no XMPP server");
      const ended = once(socket, "end", { signal }).then(() => {
        throw new Error("the server has hung up before TLS");
      });
      ended.catch(() => undefined);
      const [chunk] = (await Promise.race([once(socket, "data", { signal }), ended])) as [Buffer];
      text += chunk.toString("latin1");
    }
  };
  socket.write(
    `<?xml version='1.0'?><stream:stream to='${domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
  );
  const features = await readUntil(/<\/stream:features>|<stream:features\s*\/>|<stream:error\b/);
  if (features.includes("<stream:error")) throw new Error(`the server does not know ${domain}`);
  if (!/<starttls\b/.test(features)) throw new Error("the server offers no TLS");
  socket.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  const answer = await readUntil(/<proceed\b[^>]*\/>|<failure\b|<\/stream:stream>|<stream:error\b/);
  if (!answer.includes("<proceed")) throw new Error("the server offers no TLS");
  // It would be read as if it had come through TLS, whoever has put it there (CVE-2011-0411).
  if (!/^<proceed\b[^>]*\/>\s*$/.test(answer)) {
    throw new Error("the server says more than that TLS may begin");
  }
}

async function secure(
  socket: Socket,
  { domain, ca }: XmppServer,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const options = { socket, servername: domain, ...(ca !== undefined && { ca }) };
  const tls = connectTls(options);
  try {
    await once(tls, "secureConnect", { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`no TLS with ${domain}: ${describeError(error)}`, { cause: error });
  }
  return tls;
}
