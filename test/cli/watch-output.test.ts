import { expect, test } from "vitest";
import { exitCodeOfOutput, outputGone } from "../../src/cli/watch-output.ts";

test("an error is not of the output while the output is there", () => {
  expect(outputGone.aborted).toBe(false);
  const broken = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
  expect(exitCodeOfOutput(broken)).toBeUndefined();
  expect(exitCodeOfOutput(new Error("x"))).toBeUndefined();
  expect(exitCodeOfOutput(undefined)).toBeUndefined();
});
