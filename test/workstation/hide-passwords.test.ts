import fc from "fast-check";
import { expect, test } from "vitest";
import { hidePasswords } from "../../src/workstation/hide-passwords.ts";

test("hides the password of an address, and keeps its user", () => {
  expect(hidePasswords("from https://me:hunter2@example.com/a and ssh://git@b:22/c")).toBe(
    "from https://me@example.com/a and ssh://git@b:22/c",
  );
});

test("hides a token that stands for the user of a web address", () => {
  expect(hidePasswords("https://ghp_0123@example.com/a, https://ghp_0123456789abcdef:x@b/c")).toBe(
    "https://…@example.com/a, https://…@b/c",
  );
});

const word = fc.stringMatching(/^[abcXYZ019_%.-]{1,30}$/);

test("never shows a password, wherever its address stands", () => {
  const scheme = fc.constantFrom("http", "https", "ssh", "git", "svn+ssh", "HTTPS");
  fc.assert(
    fc.property(
      scheme,
      word,
      word,
      fc.constantFrom("", "fatal: ", "'"),
      (kind, user, tail, before) => {
        const secret = `SECRET${tail}`;
        const text = `${before}${kind}://${user}:${secret}@example.com/a'`;
        const shown = hidePasswords(text);
        expect(shown).not.toContain("SECRET");
        expect(shown).toMatch(/@example\.com\/a'$/);
        expect(hidePasswords(shown)).not.toContain("SECRET");
      },
    ),
  );
});

test("leaves text without a secret as it is", () => {
  const text = "fatal: git@example.com:team/app.git, /srv/app.git, http://127.0.0.1:80/a b:c@d";
  expect(hidePasswords(text)).toBe(text);
});
