import { readFile, realpath, stat } from "node:fs/promises";
import { errorCode } from "../system/errors.ts";
import { writeFileAtomically } from "../system/atomic-file.ts";
import { formatKnownHost } from "./append-known-host.ts";
import { matchesHost, parseKnownHosts } from "./known-hosts.ts";

/**
 * Given a known_hosts file, a name, its new key in wire format and what to remark behind it, put that key in the place of all
 * that the file has for the name; every other line, and the file's mode, stay as they are. A link is followed. The file is
 * whole at any moment. Throws system errors.
 */
export async function replaceKnownHost(
  file: string,
  name: string,
  key: Buffer,
  comment?: string,
): Promise<void> {
  const line = formatKnownHost(name, key, comment);
  // Bytes, not characters: what is not ours may be in any encoding.
  let text = "";
  let mode = 0o600;
  let target = file;
  try {
    target = await realpath(file);
    text = await readFile(target, "latin1");
    mode = (await stat(target)).mode & 0o777;
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  const changed = replaceLines(text, name, Buffer.from(line).toString("latin1"));
  await writeFileAtomically(target, Buffer.from(changed, "latin1"), mode);
}

/**
 * Given the text of a known_hosts file, a name as `knownHostsName` makes it and the name's new line, return the text in which that
 * line stands instead of the name's others. A line that names further hosts is kept for these; one whose pattern fits
 * the name has it excluded. Revocations and authorities stay. Pure.
 */
export function replaceLines(text: string, name: string, line: string): string {
  let placed = false;
  const pieces = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const kept = pieces.flatMap((piece) => {
    const [entry] = parseKnownHosts(piece.replace(/\n$/, ""), "");
    if (!entry || entry.marker !== undefined || !matchesHost(entry.hosts, name)) return [piece];
    const rest = excludeName(entry.hosts, name);
    const others = rest === undefined ? [] : [piece.replace(entry.hosts, () => rest)];
    if (placed) return others;
    placed = true;
    const end = /\r?\n$/.exec(piece)?.[0] ?? "";
    return [...others, ...(others.length > 0 && end === "" ? ["\n"] : []), `${line}${end || "\n"}`];
  });
  if (placed) return kept.join("");
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`;
}

/** What is left of a line's hosts without a name; undefined: nothing. */
function excludeName(hosts: string, name: string): string | undefined {
  if (hosts.startsWith("|")) return undefined;
  const rest = hosts.split(",").filter((pattern) => pattern.toLowerCase() !== name);
  if (rest.every((pattern) => pattern.startsWith("!"))) return undefined;
  const left = rest.join(",");
  return matchesHost(left, name) ? `${left},!${name}` : left;
}
