import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  findReason,
  type GitOptions,
  hidePasswords,
  runGit,
  tryGit,
} from "../../src/workstation/run-git.ts";
import { findPrograms } from "../support/find-programs.ts";
import { hasGit } from "../support/git-ground.ts";

describe("the reason that git gives", () => {
  test.each<[string, string, string | undefined]>([
    ["is its first error", "warning: a\nfatal: b\nerror: c\n", "b"],
    ["is its last line without an error", "one\ntwo\n", "two"],
    [
      "may follow progress on the same line",
      "remote: 50%\rerror: the disk is full\r",
      "the disk is full",
    ],
    ["has no password in it", "fatal: https://me:pw@h/a failed", "https://me@h/a failed"],
    ["is missing where git says nothing", " \n", undefined],
  ])("%s", (_what, stderr, reason) => {
    expect(findReason(stderr)).toBe(reason);
  });

  test("is cut", () => {
    expect(findReason(`fatal: ${"x".repeat(300)}`)).toHaveLength(200);
  });
});

let folder: string;
let serial = 0;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "lcops-run-git-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => void vi.useRealTimers());

const optionsOf = (more: Partial<GitOptions> = {}): GitOptions => ({
  environment: { PATH: process.env["PATH"] ?? "", HOME: folder },
  signal: new AbortController().signal,
  ...more,
});

/** Returns a remote whose ssh program says nothing. */
function silentRemote() {
  const seconds = `1000.${process.pid}${++serial}`;
  return {
    words: ["-c", `core.sshCommand=sleep ${seconds} #`, "ls-remote", "ssh://127.0.0.1/app"],
    find: () => findPrograms(`sleep ${seconds}`),
  };
}

async function begun(find: () => Promise<string[]>): Promise<void> {
  while ((await find()).length === 0) await new Promise((resolve) => setImmediate(resolve));
}

describe.skipIf(!hasGit)("git", () => {
  test("gets nothing that asks, and no place of another repository", async () => {
    const options = optionsOf({
      environment: {
        PATH: process.env["PATH"] ?? "",
        HOME: folder,
        GIT_DIR: "/elsewhere/.git",
        GIT_WORK_TREE: "/elsewhere",
        GIT_INDEX_FILE: "/elsewhere/.git/index",
        GIT_ASKPASS: "ask",
        SSH_ASKPASS: "ask",
        LANG: "de_DE.UTF-8",
        OWN: "kept",
      },
    });
    const said = await runGit(folder, ["-c", "alias.show-all=!env", "show-all"], options);
    const seen = new Map(
      said.split("\n").map((line): [string, string] => {
        const [name = "", ...rest] = line.split("=");
        return [name, rest.join("=")];
      }),
    );
    expect(said).not.toContain("/elsewhere");
    expect(Object.fromEntries(seen)).toMatchObject({
      OWN: "kept",
      LC_ALL: "C",
      GIT_TERMINAL_PROMPT: "0",
      GIT_ASKPASS: "",
      SSH_ASKPASS: "",
      SSH_ASKPASS_REQUIRE: "never",
      GIT_EDITOR: "false",
      GIT_OPTIONAL_LOCKS: "0",
      GCM_INTERACTIVE: "never",
    });
  });

  test("fails with its own words, or returns its exit code to who wants it", async () => {
    await expect(runGit(folder, ["rev-parse", "HEAD"], optionsOf())).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/^not a git repository/) as string,
    });
    expect(await tryGit(folder, ["rev-parse", "HEAD"], optionsOf())).toMatchObject({ code: 128 });
  });

  test("is ended with its children when its remote is silent", async () => {
    const { words, find } = silentRemote();
    await expect(runGit(folder, words, optionsOf({ silenceMs: 300 }))).rejects.toMatchObject({
      kind: "failed",
      message: "git has heard nothing for 0.3 s",
    });
    await expect.poll(find).toEqual([]);
  });

  test("waits 20 s for a silent remote unless told otherwise", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { words, find } = silentRemote();
    let hasEnded = false;
    const running = runGit(folder, words, optionsOf()).finally(() => (hasEnded = true));
    running.catch(() => undefined);
    await begun(find);
    vi.advanceTimersByTime(19_999);
    expect(await find()).not.toEqual([]);
    expect(hasEnded).toBe(false);
    vi.advanceTimersByTime(1);
    await expect(running).rejects.toThrow("git has heard nothing for 20 s");
    await expect.poll(find).toEqual([]);
  });

  test("is ended at once with its children when its signal is aborted", async () => {
    const { words, find } = silentRemote();
    const stopping = new AbortController();
    const running = runGit(folder, words, optionsOf({ signal: stopping.signal }));
    running.catch(() => undefined);
    await begun(find);
    stopping.abort(new Error("stopped"));
    await expect(running).rejects.toThrow("stopped");
    await expect.poll(find).toEqual([]);
  });
});

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
