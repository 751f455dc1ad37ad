import { expect, test } from "vitest";
import { makeTurns } from "../../src/workstation/make-turns.ts";

function open() {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  return { held, release };
}

test("does work of one key in turn, and of another key at once", async () => {
  const turns = makeTurns();
  const done: string[] = [];
  const gate = open();
  const first = turns("a", async () => {
    await gate.held;
    done.push("first");
  });
  const second = turns("a", async () => void done.push("second"));
  await turns("b", async () => void done.push("other"));
  expect(done).toEqual(["other"]);
  gate.release();
  await Promise.all([first, second]);
  expect(done).toEqual(["other", "first", "second"]);
});

test("goes on after work that has failed, and returns what work returns", async () => {
  const turns = makeTurns();
  const failing = turns("a", () => Promise.reject(new Error("no")));
  const next = turns("a", () => Promise.resolve(7));
  await expect(failing).rejects.toThrow("no");
  expect(await next).toBe(7);
});
