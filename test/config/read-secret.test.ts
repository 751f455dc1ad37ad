import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSecret } from "../../src/config/read-secret.ts";

const { signal } = new AbortController();
const ask = (reference: string, environment: NodeJS.ProcessEnv = {}) =>
  readSecret(reference, { environment, signal });

let ground: string;
beforeAll(async () => {
  ground = await mkdtemp(join(tmpdir(), "lcops-secret-"));
});
afterAll(() => rm(ground, { recursive: true }));

const put = async (name: string, content: string, mode = 0o600): Promise<string> => {
  const path = join(ground, name);
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
};

describe("a secret from a variable", () => {
  test("is its value, without one newline at the end", async () => {
    expect(await ask("${env:PW}", { PW: " s3cret\r\n" })).toBe(" s3cret");
    expect(await ask("${env:PW}", { PW: "two\n\n" })).toBe("two\n");
  });

  test.each([
    ["not set", {}],
    ["empty", { PW: "" }],
    ["empty", { PW: "\n" }],
  ])("that is %s is said so", async (what, environment) => {
    await expect(ask("${env:PW}", environment)).rejects.toMatchObject({
      kind: "access",
      message: `the secret \${env:PW} is ${what}`,
    });
  });
});

describe("a secret from a file", () => {
  test("is its content", async () => {
    expect(await ask(`\${file:${await put("good", "p\u00e4ss w\u00f6rd\n")}}`)).toBe(
      "p\u00e4ss w\u00f6rd",
    );
  });

  test.each([0o640, 0o604, 0o620, 0o666])(
    "with mode %i is refused, since others can read it",
    async (mode) => {
      const path = await put(`open-${mode}`, "hunter2", mode);
      const asked = ask(`\${file:${path}}`);
      await expect(asked).rejects.toMatchObject({ kind: "access" });
      await expect(asked).rejects.toThrow(`others can read ${path}`);
      await expect(asked).rejects.not.toThrow("hunter2");
    },
  );

  test("that is missing, a folder or empty is an error that names the reference", async () => {
    for (const path of [join(ground, "missing"), await put("empty", "")]) {
      await expect(ask(`\${file:${path}}`)).rejects.toMatchObject({
        kind: "access",
        message: expect.stringContaining(`\${file:${path}}`) as string,
      });
    }
    await chmod(ground, 0o700);
    await expect(ask(`\${file:${ground}}`)).rejects.toMatchObject({ kind: "access" });
  });
});

describe("a secret from a program", () => {
  test("is what it prints, its arguments split at white space", async () => {
    expect(await ask("${command:printf %s-%s\\n a  b}")).toBe("a-b");
  });

  test("never meets a shell", async () => {
    const trace = join(ground, "was-run");
    expect(await ask(`\${command:echo $(touch ${trace}) ;touch ${trace} $HOME}`)).toBe(
      `$(touch ${trace}) ;touch ${trace} $HOME`,
    );
    expect(await readdir(ground)).not.toContain("was-run");
  });

  test.each([
    ["fails", "${command:ls /nonexistent-for-lcops}", /ls ended with 2: .*nonexistent-for-lcops/],
    [
      "does not exist",
      "${command:lcops-no-such-program}",
      /lcops-no-such-program is not installed/,
    ],
    ["prints nothing", "${command:true}", /is empty/],
  ])("that %s is an error", async (_what, reference, message) => {
    const asked = ask(reference);
    await expect(asked).rejects.toMatchObject({ kind: "access" });
    await expect(asked).rejects.toThrow(message);
  });

  test("that is stopped throws the reason of the signal", async () => {
    const stop = new AbortController();
    const asked = readSecret("${command:sleep 30}", { environment: {}, signal: stop.signal });
    stop.abort(new Error("stopped by the test"));
    await expect(asked).rejects.toThrow("stopped by the test");
  });
});
