import { expect, test } from "vitest";
import { describeWithNext } from "../../../src/commands/backup/describe-with-next.ts";
import { OperatorError } from "../../../src/system/errors.ts";

test("an error is told with its next step, where it has one", () => {
  expect(describeWithNext(new OperatorError("failed", "x", { next: "mend y" }))).toBe("x; mend y");
  expect(describeWithNext(new OperatorError("failed", "x"))).toBe("x");
  expect(describeWithNext(new Error("z"))).toBe("z");
  expect(describeWithNext("thrown")).toBe("thrown");
});
