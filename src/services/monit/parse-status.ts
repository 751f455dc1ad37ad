/** What a Monit says of itself and of what it watches. */
export interface MonitStatus {
  version: string;
  /** Seconds between two looks. */
  pollSeconds: number;
  services: readonly MonitService[];
}

export interface MonitService {
  name: string;
  /** Its kind in words; `type 12` for one that is not known here. */
  kind: string;
  /** Bit map of the tests that fail; 0: none. */
  status: number;
  /** Monit's words for what fails, where it has any. */
  message?: string;
  /** 0: not monitored, 1: monitored, 2: about to be, 4: waits for another one. */
  monitor: number;
  /** Looked at in each so many cycles; undefined: as a crontab says. */
  every: number | undefined;
  /** Unix seconds. */
  collectedAt: number;
  /** Of a filesystem. */
  disk?: { usedBytes: number; totalBytes: number };
}

const KINDS = [
  "filesystem",
  "directory",
  "file",
  "process",
  "remote host",
  "system",
  "fifo",
  "program",
  "network",
];
const MEBI = 1024 * 1024;

/**
 * Given the bytes of `/_status?format=xml`, return what they say; undefined where they are not Monit's, or not whole. Monit escapes no name and
 * names an encoding that it does not keep to, so that a real XML reader refuses what it writes (arnaudsj/monit#36): what is looked for is found by
 * its surroundings. Pure.
 */
export function parseStatus(bytes: Uint8Array): MonitStatus | undefined {
  const text = decode(bytes);
  if (!/<monit[\s>]/.test(text) || !text.trimEnd().endsWith("</monit>")) return undefined;
  const head = text.slice(0, beginOfServices(text));
  return {
    version:
      /<version>([^<]*)</.exec(head)?.[1] ?? /<monit[^>]*\sversion="([^"]*)"/.exec(head)?.[1] ?? "",
    pollSeconds: Number(/<poll>(\d+)</.exec(head)?.[1] ?? 60),
    services: splitServices(text).map(readService),
  };
}

/** It writes names as its control file has them, whatever the encoding that it announces. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("latin1").decode(bytes);
  }
}

const BEGIN = /<service (?:name="[^"]*"|type="\d+")>/g;

function beginOfServices(text: string): number {
  const found = text.search(BEGIN);
  return found < 0 ? text.length : found;
}

function splitServices(text: string): string[] {
  const starts = [...text.matchAll(BEGIN)].map(({ index }) => index);
  return starts.map((start, index) => text.slice(start, starts[index + 1] ?? text.length));
}

/** The name in an element, type in the attribute; to M/Monit, and in some versions, the other way round. */
function readService(block: string): MonitService {
  // What follows the name, since the name may have anything in it.
  const named =
    /^<service type="(?<type>\d+)"><name>(?<name>[^]*?)<\/name>(?<rest><(?:collected_sec|status)>[^]*)$/.exec(
      block,
    ) ?? /^<service name="(?<name>[^"]*)"><type>(?<type>\d+)<\/type>(?<rest>[^]*)$/.exec(block);
  // One that cannot be read must not be lost: nothing of it is known then, and that shows.
  const { type = "", name = "a service that cannot be read", rest = "" } = named?.groups ?? {};
  const number = (element: string): number | undefined => {
    const found = new RegExp(`<${element}>(-?[\\d.]+)</${element}>`).exec(rest)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const message = /<status_message>(?:<!\[CDATA\[)?([^]*?)(?:\]\]>)?<\/status_message>/.exec(rest);
  const blocks = /<block>[^]*?<usage>([\d.]+)<\/usage><total>([\d.]+)<\/total>/.exec(rest);
  return {
    name: unescape(name),
    kind: KINDS[type === "" ? -1 : Number(type)] ?? `type ${type}`,
    // Without a status nobody can say how it is: that is no 0.
    status: number("status") ?? Number.NaN,
    ...(message?.[1] && { message: unescape(message[1]) }),
    monitor: number("monitor") ?? Number.NaN,
    every: readEvery(rest),
    collectedAt: number("collected_sec") ?? 0,
    ...(blocks && {
      disk: { usedBytes: Number(blocks[1]) * MEBI, totalBytes: Number(blocks[2]) * MEBI },
    }),
  };
}

/** Of its kinds, 1 counts cycles; the others go by the clock. */
function readEvery(rest: string): number | undefined {
  const every = /<every>([^]*?)<\/every>/.exec(rest)?.[1];
  if (every === undefined) return 1;
  const cycles = /<type>1<\/type>[^]*<number>(\d+)<\/number>/.exec(every)?.[1];
  return cycles === undefined ? undefined : Number(cycles);
}

/** Versions that do escape their names. */
function unescape(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}
