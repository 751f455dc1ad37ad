import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConsoleKeys } from "../../src/inventory/read-console-keys.ts";
import { writeConsole } from "../lab/aws/console-text.ts";

// Console output with right, missing and wrong fingerprints.
const folder = mkdtempSync(join(tmpdir(), "lcops-console-"));
const KINDS = ["ed25519", "ecdsa", "rsa"] as const;
const files = KINDS.map((kind) => join(folder, kind));
/** As ssh-keygen prints it. */
const printed = (kind: string, hash: string): string =>
  execFileSync("ssh-keygen", ["-l", "-E", hash, "-f", join(folder, `${kind}.pub`)], {
    encoding: "utf8",
  }).split(" ")[1] ?? "";

beforeAll(() => {
  for (const kind of KINDS)
    execFileSync("ssh-keygen", ["-q", "-t", kind, "-N", "", "-f", join(folder, kind)]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (text: string): string[] =>
  readConsoleKeys(text, "it").map(({ keyType, fingerprint }) => `${keyType} ${fingerprint}`);
const all = (hash: string): string[] => [
  `ssh-ed25519 ${printed("ed25519", hash)}`,
  `ecdsa-sha2-nistp256 ${printed("ecdsa", hash)}`,
  `ssh-rsa ${printed("rsa", hash)}`,
];

test("fingerprints and keys say the same", () => {
  expect(read(writeConsole(files, { blocks: ["fingerprints"] }))).toEqual(all("sha256"));
  expect(read(writeConsole(files, { blocks: ["keys"] }))).toEqual(all("sha256"));
  expect(read(writeConsole(files))).toEqual(all("sha256"));
});

test("the fingerprints of old images are MD5", () => {
  const text = writeConsole(files, { hash: "md5", blocks: ["fingerprints"] });
  expect(read(text)).toEqual(all("md5"));
  expect(read(text.replaceAll("MD5:", ""))).toEqual(all("md5"));
});

test.each([
  "",
  "ec2: ",
  "cloud-init[412]: ",
  "<14>Nov 22 09:08:07 ec2: ",
  "<14>Nov  2 09:08:07 cloud-init: ",
  "[   15.123456] cloud-init[1138]: ",
  "[   15.123456] ip-10-0-0-7 ec2: ",
  "Nov 22 09:08:07 ip-10-0-0-7 ec2: ",
])("with %j before each line", (prefix) => {
  expect(read(writeConsole(files, { prefix, blocks: ["fingerprints"] }))).toEqual(all("sha256"));
});

test("nothing in it, nothing told", () => {
  expect(read("")).toEqual([]);
  expect(read(writeConsole(files, { blocks: [] }))).toEqual([]);
});

test("a block that the buffer has cut counts for nothing", () => {
  const text = writeConsole(files, { blocks: ["fingerprints"] });
  const begin = text.indexOf("-----BEGIN") + 5;
  const end = text.indexOf("-----END") + 12;
  expect(read(text.slice(begin))).toEqual([]);
  expect(read(text.slice(0, end))).toEqual([]);
  expect(read(writeConsole(files).slice(begin))).toEqual(all("sha256"));
});

test("what a stranger has written into a log line counts for nothing", () => {
  const line = `256 ${printed("ed25519", "sha256")} root@x (ED25519)`;
  const begin = "-----BEGIN SSH HOST KEY FINGERPRINTS-----";
  const end = "-----END SSH HOST KEY FINGERPRINTS-----";
  // sshd[1]: Invalid user ... from ...: text of whoever knocks, on a line of its own daemon.
  const said = (text: string): string => `sshd[99]: Invalid user ${text} from 203.0.113.9`;
  expect(read([said(begin), said(line), said(end)].join("\n"))).toEqual([]);
  expect(read([begin, said(line), end].join("\n"))).toEqual([]);
  expect(read([begin, `user x ${line}`, end].join("\n"))).toEqual([]);
  expect(read([`x ${begin}`, line, end].join("\n"))).toEqual([]);
  expect(read([begin, line, "-----END SSH HOST KEY KEYS-----"].join("\n"))).toEqual([]);
  expect(read([line, begin, end, line].join("\n"))).toEqual([]);
  expect(read([begin, line, end].join("\n"))).toHaveLength(1);
});

test("a line that is not whole is passed over", () => {
  const key = readFileSync(join(folder, "ed25519.pub"), "utf8").trim();
  const block = (line: string): string =>
    `-----BEGIN SSH HOST KEY KEYS-----\n${line}\n-----END SSH HOST KEY KEYS-----\n`;
  expect(read(block(key))).toHaveLength(1);
  expect(read(block(key.replace("ssh-ed25519", "ssh-rsa")))).toEqual([]);
  expect(read(block(key.split(" ")[0] ?? ""))).toEqual([]);
  expect(read(block("ssh-ed25519 AAAA"))).toEqual([]);
  expect(read(block("ssh-ed25519 /////w=="))).toEqual([]);
});
