import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { appendKnownHost } from "../../src/ssh/append-known-host.ts";
import { fingerprint } from "../../src/ssh/key-blob.ts";
import {
  knownHostsName,
  lookUpHostKey,
  matchesHost,
  parseKnownHosts,
  readKnownHosts,
  storedKeyTypes,
} from "../../src/ssh/known-hosts.ts";
import { proposeAlgorithms } from "../../src/ssh/algorithms.ts";
import { operatorError } from "./start-sshd.ts";

const folder = mkdtempSync(join(tmpdir(), "lcops-known-"));
const keys: Record<string, string> = {};
const host = { address: "graphs.example.com", port: 22 };
const hostAtPort = { ...host, port: 2222 };

beforeAll(() => {
  for (const [name, kind] of [
    ["right", "ed25519"],
    ["wrong", "ed25519"],
    ["other", "ecdsa"],
  ] as const) {
    execFileSync("ssh-keygen", ["-q", "-t", kind, "-N", "", "-f", join(folder, name)]);
    keys[name] = readFileSync(join(folder, `${name}.pub`), "utf8")
      .split(" ")
      .slice(0, 2)
      .join(" ");
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const line = (text: string): string =>
  text.replace(/\b(right|wrong|other)\b/g, (name) => keys[name] ?? "");
const blob = (name: string): Buffer => Buffer.from(keys[name]?.split(" ")[1] ?? "", "base64");
const judge = (text: string, where = host): string =>
  lookUpHostKey(parseKnownHosts(line(text), "file"), where, blob("right")).verdict;

test.each([
  ["plain", "graphs.example.com right", "known"],
  ["upper case", "Graphs.Example.COM right", "known"],
  ["with a comment", "graphs.example.com right root@graphs", "known"],
  ["another host", "other.example.com right", "unknown"],
  ["a list", "a,graphs.example.com,10.0.0.7 right", "known"],
  ["star", "*.example.com right", "known"],
  ["question mark", "graph?.example.com right", "known"],
  ["a name that is only a beginning", "graphs.example right", "unknown"],
  ["negated", "*.example.com,!graphs.example.com right", "unknown"],
  ["another one negated", "*.example.com,!logs.example.com right", "known"],
  ["changed", "graphs.example.com wrong", "changed"],
  ["only another type stored", "graphs.example.com other", "changed"],
  ["several keys", "graphs.example.com wrong\ngraphs.example.com right", "known"],
  ["revoked", "graphs.example.com right\n@revoked * right", "revoked"],
  ["another key revoked", "graphs.example.com right\n@revoked * wrong", "known"],
  ["only a CA", "@cert-authority *.example.com right", "unknown"],
  ["an unknown marker", "@trusted graphs.example.com right", "unknown"],
  ["CRLF", "# comment\r\ngraphs.example.com right\r\n", "known"],
  ["tabs and indentation", "  graphs.example.com\tright", "known"],
  ["commented out", "#graphs.example.com right", "unknown"],
  ["type and key that differ", "graphs.example.com ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA", "unknown"],
  ["cut line", "graphs.example.com ssh-ed25519", "unknown"],
  ["broken hash", "|1|x right", "unknown"],
  ["empty", "", "unknown"],
])("%s", (_name, text, verdict) => {
  expect(judge(text)).toBe(verdict);
});

test.each([
  ["name and port", "[graphs.example.com]:2222 right", "known"],
  ["another port", "[graphs.example.com]:2223 right", "unknown"],
  ["bare name, same key", "graphs.example.com right", "known"],
  ["bare name, another key", "graphs.example.com wrong", "unknown"],
  ["bare name, revoked", "@revoked graphs.example.com right", "revoked"],
  [
    "port changed, bare name right",
    "[graphs.example.com]:2222 wrong\ngraphs.example.com right",
    "changed",
  ],
  ["pattern with a port", "[*.example.com]:2222 right", "known"],
])("port 2222: %s", (_name, text, verdict) => {
  expect(judge(text, hostAtPort)).toBe(verdict);
});

test("an alias stands for address and port", () => {
  expect(knownHostsName("10.0.0.7", 2222, "i-0abc")).toBe("i-0abc");
  const entries = parseKnownHosts(line("i-0abc right"), "file");
  expect(lookUpHostKey(entries, { ...hostAtPort, alias: "i-0abc" }, blob("right")).verdict).toBe(
    "known",
  );
});

test("a file hashed by ssh-keygen", async () => {
  const file = join(folder, "hashed");
  writeFileSync(file, line("graphs.example.com right\n[graphs.example.com]:2222 wrong\n"));
  execFileSync("ssh-keygen", ["-H", "-f", file], { stdio: "ignore" });
  expect(readFileSync(file, "utf8")).not.toContain("graphs");
  const entries = await readKnownHosts([file]);
  expect(lookUpHostKey(entries, host, blob("right")).verdict).toBe("known");
  expect(lookUpHostKey(entries, hostAtPort, blob("right")).verdict).toBe("changed");
  expect(lookUpHostKey(entries, { ...host, address: "logs" }, blob("right")).verdict).toBe(
    "unknown",
  );
});

test.each([
  ["plain", "graphs.example.com right\nlogs.example.com wrong"],
  ["upper case", "Graphs.EXAMPLE.com right"],
  ["lists", "a,graphs.example.com,10.0.0.7 right\nb,c right"],
  ["wildcards", "*.example.com right\ngraph?.example.com wrong\n* other\n10.* right"],
  ["negation", "*.example.com,!graphs.example.com right\n!graphs.example.com,*.com wrong"],
  ["ports", "[graphs.example.com]:2222 right\n[*.example.com]:2222 wrong\n[10.0.0.7]:* other"],
  ["markers", "@revoked * right\n@cert-authority *.example.com wrong\n@trusted * right"],
  [
    "CRLF and comments",
    "# x\r\ngraphs.example.com right\r\n\r\n  \tgraphs.example.com\twrong x y\r\n",
  ],
  ["broken lines", "graphs.example.com\ngraphs.example.com ssh-ed25519\ngraphs.example.com right"],
])("ssh-keygen -F finds the same lines: %s", (_name, text) => {
  const file = join(folder, "oracle");
  const hashed = join(folder, "oracle-hashed");
  writeFileSync(file, line(text));
  writeFileSync(hashed, line(text));
  // It hashes names without patterns, and no file with a line that it cannot read.
  const { status } = spawnSync("ssh-keygen", ["-H", "-f", hashed]);
  for (const each of status === 0 ? [file, hashed] : [file]) {
    const entries = parseKnownHosts(readFileSync(each, "utf8"), each);
    for (const name of [
      "graphs.example.com",
      "[graphs.example.com]:2222",
      "10.0.0.7",
      "[10.0.0.7]:2200",
      "logs.example.com",
      "b",
      "nowhere",
    ]) {
      const printed = spawnSync("ssh-keygen", ["-F", name, "-f", each], {
        encoding: "utf8",
      }).stdout;
      const expected = [...printed.matchAll(/^# Host .* found: line (\d+)/gm)].map(
        ([, number]) => `${each}:${number}`,
      );
      const found = entries.filter((entry) => matchesHost(entry.hosts, name));
      expect({ name, lines: found.map(({ place }) => place) }).toEqual({ name, lines: expected });
    }
  }
});

test("a CA line vouches for no plain key, and is named", () => {
  const text = "@cert-authority *.example.com right";
  for (const where of [host, hostAtPort, { ...host, alias: "x.example.com" }]) {
    const verdict = lookUpHostKey(parseKnownHosts(line(text), "/ca"), where, blob("right"));
    expect(verdict).toMatchObject(
      where === hostAtPort ? { verdict: "unknown" } : { authority: { place: "/ca:1" } },
    );
  }
  expect(judge(`${text}\ngraphs.example.com right`)).toBe("known");
  expect(judge(`${text}\ngraphs.example.com wrong`)).toBe("changed");
});

test("a verdict names the line that decided", () => {
  const verdict = lookUpHostKey(
    parseKnownHosts(line("# first\ngraphs.example.com wrong"), "/x"),
    host,
    blob("right"),
  );
  expect(verdict).toMatchObject({ verdict: "changed", stored: { place: "/x:2" } });
});

test("fingerprints are those of ssh-keygen", () => {
  const printed = execFileSync("ssh-keygen", ["-l", "-f", join(folder, "right.pub")], {
    encoding: "utf8",
  });
  expect(printed.split(" ")[1]).toBe(fingerprint(blob("right")));
});

test("stored types are proposed first", () => {
  const types = storedKeyTypes(
    parseKnownHosts(line("graphs.example.com other\n@revoked * right"), "file"),
    host,
  );
  expect(types).toEqual(["ecdsa-sha2-nistp256"]);
  expect(proposeAlgorithms(types).serverHostKey).toMatchObject({
    0: "ecdsa-sha2-nistp256",
    1: "ssh-ed25519",
  });
  expect(proposeAlgorithms(["ssh-rsa"]).serverHostKey).toMatchObject({
    0: "rsa-sha2-512",
    1: "rsa-sha2-256",
    2: "ssh-rsa",
  });
});

test("missing files are passed over, all others must be readable", async () => {
  const present = join(folder, "present");
  writeFileSync(present, line("graphs.example.com right"));
  expect(await readKnownHosts([join(folder, "missing"), present])).toHaveLength(1);
  const error = await operatorError(readKnownHosts([present, folder]));
  expect(error.kind).toBe("access");
  expect(error.message).toContain("EISDIR");
});

test.skipIf(process.getuid?.() === 0)("a file that may not be read refuses", async () => {
  const file = join(folder, "locked");
  writeFileSync(file, "", { mode: 0o000 });
  expect((await operatorError(readKnownHosts([file]))).message).toContain("EACCES");
});

test("a key is appended behind an unfinished line, and files and folders are private", async () => {
  const file = join(folder, "new", "known_hosts");
  await appendKnownHost(file, "graphs.example.com", blob("right"));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "new")).mode & 0o777).toBe(0o700);
  const unfinished = join(folder, "unfinished");
  writeFileSync(unfinished, "# kept");
  await appendKnownHost(unfinished, "[graphs.example.com]:2222", blob("right"));
  await appendKnownHost(unfinished, "second", blob("other"));
  expect(readFileSync(unfinished, "utf8")).toBe(
    line("# kept\n[graphs.example.com]:2222 right\nsecond other\n"),
  );
  mkdirSync(join(folder, "x"), { recursive: true });
});

test("a pattern made to be slow is not", () => {
  const started = performance.now();
  expect(judge(`${"*a".repeat(200)}b right`, { address: "a".repeat(2000), port: 22 })).toBe(
    "unknown",
  );
  expect(performance.now() - started).toBeLessThan(1000);
});
