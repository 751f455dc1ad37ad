import { expect, test } from "vitest";
import { once } from "../../src/system/once.ts";

test("it is made when it is first asked for, and never again, though it failed", async () => {
  let made = 0;
  const counted = once(() => Promise.resolve(++made));
  expect(made).toBe(0);
  expect(await Promise.all([counted(), counted()])).toEqual([1, 1]);

  const failing = once(() => Promise.reject(new Error(`try ${++made}`)));
  for (let times = 0; times < 2; times++) await expect(failing()).rejects.toThrow("try 2");
});
