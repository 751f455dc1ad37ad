import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  explainRefusal,
  runAsRoot,
  systemEnvironment,
  wordsForRoot,
} from "../../src/workstation/run-as-root.ts";
import { makePrograms, type ScriptedPrograms } from "../support/scripted-programs.ts";

describe("what sudo says", () => {
  test.each<[string, number, string, string | undefined]>([
    ["without a password", 1, "sudo: a password is required\n", "a password is required"],
    [
      "after a warning",
      1,
      "sudo: unable to resolve host a\nsudo: a terminal is required to read the password\n",
      "a terminal is required to read the password",
    ],
    ["to a stranger", 1, "me is not in the sudoers file.\n", "me is not in the sudoers file."],
    [
      "of what is forbidden",
      1,
      "Sorry, user me is not allowed to execute '/bin/x' as root on a.\n",
      "Sorry, user me is not allowed to execute '/bin/x' as root on a.",
    ],
    ["as a warning alone", 1, "sudo: unable to resolve host a\nno such unit\n", undefined],
    ["of a program that failed itself", 1, "Job for x failed.\n", undefined],
    ["of a program that ended otherwise", 2, "sudo: a password is required\n", undefined],
  ])("%s", (_what, code, stderr, why) => {
    const refusal = explainRefusal(["a2enmod", "x"], { code, stdout: "", stderr });
    expect(refusal?.message).toBe(why && `sudo refuses a2enmod x: ${why}`);
    if (why !== undefined) expect(refusal).toMatchObject({ kind: "access" });
  });
});

test("adds the folders of the system, and keeps programs to English", () => {
  expect(systemEnvironment({ PATH: "/own", LC_ALL: "de_DE", HOME: "/me" })).toEqual({
    PATH: "/own:/usr/local/sbin:/usr/sbin:/sbin",
    LC_ALL: "C",
    HOME: "/me",
  });
});

test("asks sudo for what root does, unless this user is root", () => {
  const words = ["true", "x"];
  const asUser = ["sudo", "-n", "--", "true", "x"];
  expect(wordsForRoot(words)).toEqual(process.getuid?.() === 0 ? words : asUser);
});

let programs: ScriptedPrograms;
beforeAll(() => {
  programs = makePrograms();
});
afterAll(() => programs.remove());

test("returns the exit code and the output of what root has done", async () => {
  programs.write("fails", "echo out; echo bad >&2; exit 3");
  expect(await runAsRoot(["fails"], programs.environment)).toEqual({
    code: 3,
    stdout: "out\n",
    stderr: "bad\n",
  });
  await expect(runAsRoot(["no-such-program"], programs.environment)).rejects.toMatchObject({
    kind: "missing",
  });
});
