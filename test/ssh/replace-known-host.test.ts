import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { replaceKnownHost, replaceLines } from "../../src/ssh/replace-known-host.ts";

const folder = mkdtempSync(join(tmpdir(), "lcops-replace-"));
const keys: Record<string, string> = {};
beforeAll(() => {
  for (const name of ["old", "new", "else"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
    const [type, base64] = readFileSync(join(folder, `${name}.pub`), "utf8").split(" ");
    keys[name] = `${type} ${base64}`;
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const put = (text: string): string =>
  text.replace(/<(old|new|else)>/g, (_whole, name: string) => keys[name] ?? "");
const NEW = "graphs <new>";

test.each([
  ["nothing", "", `${NEW}\n`],
  ["an unfinished line", "# x", `# x\n${NEW}\n`],
  ["its line", "# x\ngraphs <old>\nlogs <else>\n", `# x\n${NEW}\nlogs <else>\n`],
  ["its line, with a comment and blanks", "  graphs\t<old> me\n", `${NEW}\n`],
  ["several keys", "graphs <old>\n#\ngraphs <else>\n", `${NEW}\n#\n`],
  ["CRLF", "# x\r\ngraphs <old>\r\nlogs <old>\r\n", `# x\r\n${NEW}\r\nlogs <old>\r\n`],
  ["no end of line", "logs <else>\ngraphs <old>", `logs <else>\n${NEW}\n`],
  ["a list", "logs,Graphs,10.0.0.7 <old> us\n", `logs,10.0.0.7 <old> us\n${NEW}\n`],
  ["a list without an end of line", "logs,graphs <old>", `logs <old>\n${NEW}\n`],
  ["a pattern", "g* <old>\n", `g*,!graphs <old>\n${NEW}\n`],
  ["a pattern and its name", "g*,graphs <old>\n", `g*,!graphs <old>\n${NEW}\n`],
  ["a negation alone beside it", "graphs,!logs <old>\n", `${NEW}\n`],
  ["excluded already", "g*,!graphs <old>\n", `g*,!graphs <old>\n${NEW}\n`],
  [
    "markers and broken lines",
    "@revoked graphs <old>\n@cert-authority * <old>\ngraphs x y\n#graphs <old>\n",
    `@revoked graphs <old>\n@cert-authority * <old>\ngraphs x y\n#graphs <old>\n${NEW}\n`,
  ],
  ["bytes that are no text", "# \u00ff\u00fe\ngraphs <old>\n", `# \u00ff\u00fe\n${NEW}\n`],
])("%s", (_name, before, after) => {
  expect(replaceLines(put(before), "graphs", put(NEW))).toBe(put(after));
  // Once more changes nothing.
  expect(replaceLines(put(after), "graphs", put(NEW))).toBe(put(after));
});

test("what ssh-keygen -R leaves is left, in a hashed file too; ssh-keygen finds the new key", async () => {
  const file = join(folder, "hashed");
  writeFileSync(file, put("# mine\nlogs <else>\n[graphs]:2222 <old>\ngraphs <else>\nlast <old>\n"));
  // The comment would go with the hashing.
  execFileSync("ssh-keygen", ["-H", "-f", file], { stdio: "ignore" });
  const oracle = join(folder, "oracle");
  writeFileSync(oracle, readFileSync(file));
  execFileSync("ssh-keygen", ["-R", "[graphs]:2222", "-f", oracle], { stdio: "ignore" });
  const [type, base64] = (keys["new"] ?? "").split(" ");
  await replaceKnownHost(file, "[graphs]:2222", Buffer.from(base64 ?? "", "base64"), "why");
  const line = `[graphs]:2222 ${type} ${base64} why\n`;
  const text = readFileSync(file, "utf8");
  expect(text).toContain(line);
  expect(text.replace(line, "")).toBe(readFileSync(oracle, "utf8"));
  const found = execFileSync("ssh-keygen", ["-F", "[graphs]:2222", "-f", file], {
    encoding: "utf8",
  });
  expect(found).toContain(base64);
});

test("mode and link stay, and nothing else is left in the folder", async () => {
  const own = mkdtempSync(join(folder, "own-"));
  const file = join(own, "real");
  writeFileSync(
    file,
    Buffer.concat([Buffer.from([0x23, 0xff, 0x0a]), Buffer.from(put("a <old>\n"))]),
  );
  chmodSync(file, 0o664);
  symlinkSync(file, join(own, "known_hosts"));
  const key = Buffer.from(keys["new"]?.split(" ")[1] ?? "", "base64");
  await replaceKnownHost(join(own, "known_hosts"), "a", key);
  expect(lstatSync(join(own, "known_hosts")).isSymbolicLink()).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o664);
  expect(readFileSync(file)).toEqual(
    Buffer.concat([Buffer.from([0x23, 0xff, 0x0a]), Buffer.from(put("a <new>\n"))]),
  );
  expect(readdirSync(own).sort()).toEqual(["known_hosts", "real"]);
  await replaceKnownHost(join(own, "new", "known_hosts"), "a", key);
  expect(statSync(join(own, "new", "known_hosts")).mode & 0o777).toBe(0o600);
});
