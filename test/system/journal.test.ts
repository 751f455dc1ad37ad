import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { journalChange, readJournal } from "../../src/system/journal.ts";
import { findPortHolder } from "../../src/system/port-holder.ts";
import { findProgram, runProgram } from "../../src/system/program.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lcops-journal-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("the journal", () => {
  const entry = (id: string) => ({
    id,
    at: "2026-01-01T00:00:00Z",
    by: "a@b",
    command: "c",
    change: "d",
  });
  const path = (): string => join(folder, "journal.ndjson");

  test("is empty where nothing was changed yet", async () => {
    expect(await readJournal(join(folder, "nowhere"))).toEqual([]);
    await writeFile(path(), "");
    expect(await readJournal(folder)).toEqual([]);
  });

  test("is read oldest first", async () => {
    await writeFile(path(), `${JSON.stringify(entry("1"))}\n${JSON.stringify(entry("2"))}\n`);
    expect(await readJournal(folder)).toEqual([entry("1"), entry("2")]);
  });

  test.each([
    ["cut in a line that was ended", `${JSON.stringify(entry("1"))}\n{"id":"2","a\n`, 2],
    ["with the end of a change that never began", `{"outcomeOf":"9","state":"done"}\n`, 1],
    ["overwritten in the middle", `${JSON.stringify(entry("1"))}\n\0\0\0\n{}\n`, 2],
    ["damaged behind an empty line", `${JSON.stringify(entry("1"))}\n\nx\n`, 3],
    ["with a line that is no entry", `null\n${JSON.stringify(entry("1"))}\n`, 1],
  ])("%s is refused with the line, and not touched", async (_what, content, line) => {
    await writeFile(path(), content);
    await expect(readJournal(folder)).rejects.toMatchObject({
      kind: "failed",
      message: `the journal is damaged at ${path()}:${line}`,
    });
    expect(await readFile(path(), "utf8")).toBe(content);
  });
});

describe("a change in the journal", () => {
  const change = { command: "lcops x", change: "a to b", undo: { kind: "test", before: "a" } };
  let state: string;
  beforeAll(async () => {
    state = join(await mkdtemp(join(folder, "state-")), "deep");
  });
  const read = () => readFile(join(state, "journal.ndjson"), "utf8");

  test("is on the disk before it is made, for its owner alone, its outcome behind it", async () => {
    const record = await journalChange(state, change);
    const begun = await readJournal(state);
    expect(begun).toMatchObject([{ ...change, id: record.id, by: expect.stringMatching(/.@./) }]);
    expect(begun[0]?.outcome).toBeUndefined();
    expect((await stat(join(state, "journal.ndjson"))).mode & 0o777).toBe(0o600);

    await record.end({ state: "done", detail: "b", result: { kind: "test", after: "b" } });
    const [ended] = await readJournal(state);
    expect(ended).toMatchObject({ ...change, outcome: { state: "done", detail: "b" } });
  });

  test("is not begun where its writer was killed in the middle of its line; later ones are read", async () => {
    const before = await readJournal(state);
    await appendFile(join(state, "journal.ndjson"), '{"id":"torn","at":"20');
    expect(await readJournal(state)).toEqual(before);

    const { id } = await journalChange(state, change);
    expect((await readJournal(state)).map((entry) => entry.id)).toEqual([before[0]?.id, id]);
    // What was torn stays, for who wants to look.
    expect(await read()).toContain('\n{"id":"torn","at":"20\n{"torn":true}\n');
  });

  test("is whole whoever else writes at the same time", async () => {
    const before = (await readJournal(state)).length;
    const large = { ...change, undo: { kind: "test", before: "x".repeat(100_000) } };
    const records = await Promise.all(
      Array.from({ length: 40 }, () => journalChange(state, large)),
    );
    await Promise.all(records.map((record) => record.end({ state: "failed" })));
    const entries = await readJournal(state);
    expect(entries.length).toBe(before + 40);
    expect(entries.filter(({ outcome }) => outcome?.state === "failed").length).toBe(40);
  });

  test("is not made where the journal cannot be written", async () => {
    const blocked = join(folder, "blocked");
    await writeFile(blocked, "a file where the folder should be");
    await expect(journalChange(blocked, change)).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringContaining("cannot be written") as string,
    });
  });
});

describe("the holder of a port", () => {
  test.each(["127.0.0.1", "0.0.0.0"])(
    "on %s is found, and gone when it has closed",
    async (host) => {
      const server = createServer().listen(0, host);
      await once(server, "listening");
      const { port } = server.address() as { port: number };
      expect(await findPortHolder(port)).toMatchObject({ pid: process.pid });
      await new Promise((done) => server.close(done));
      expect(await findPortHolder(port)).toBeUndefined();
    },
  );

  test("is another program, by its pid and name", async () => {
    const listen =
      'require("net").createServer().listen(0,"127.0.0.1",function(){console.log(this.address().port)})';
    const child = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const port = Number(await once(child.stdout, "data"));
      expect(await findPortHolder(port)).toEqual({ pid: child.pid, program: "node" });
    } finally {
      child.kill();
    }
  });
});

describe("a program", () => {
  test("gets its arguments as they are, no input, and no shell", async () => {
    const words = ["$(id)", "a b", "", "'", "*", "-n"];
    const { code, stdout } = await runProgram("printf", ["[%s]", ...words]);
    expect([code, stdout]).toEqual([0, words.map((word) => `[${word}]`).join("")]);
    expect((await runProgram("cat", [])).stdout).toBe("");
  });

  test("that fails is a result; one that is missing or too slow is an error", async () => {
    expect(await runProgram("sh", ["-c", "echo why >&2; exit 7"])).toEqual({
      code: 7,
      stdout: "",
      stderr: "why\n",
    });
    await expect(runProgram("lcops-no-such-program", [])).rejects.toMatchObject({
      kind: "missing",
    });
    await expect(runProgram("sleep", ["20"], { timeoutMs: 100 })).rejects.toMatchObject({
      kind: "failed",
    });
  });

  test("is found on the path given, the first name first", async () => {
    await writeFile(join(folder, "second"), "", { mode: 0o755 });
    await writeFile(join(folder, "plain"), "", { mode: 0o644 });
    expect(await findProgram(["first", "second"], `/nowhere::${folder}`)).toBe(
      join(folder, "second"),
    );
    expect(await findProgram(["plain"], folder)).toBeUndefined();
    expect(await findProgram(["second"], "")).toBeUndefined();
  });
});
