import { expect, test } from "vitest";
import { describeLeft } from "../../../src/commands/machine/describe-left.ts";

test("names the processes that run on, and the command that ends them", () => {
  expect(describeLeft("app", [7])).toBe(
    "lcops: app: process 7 still runs on: it is another user's, or does not end; sudo kill 7 ends it",
  );
  expect(describeLeft("app", [7, 9])).toBe(
    "lcops: app: processes 7, 9 still run on: they are another user's, or do not end; sudo kill 7 9 ends them",
  );
});
