import { expect, test } from "vitest";
import { exitCodeOfStatus } from "../../src/commands/ssh.ts";

test.each([
  [{ code: 0 }, 0],
  [{ code: 7 }, 7],
  [{ signal: "SIGKILL" }, 137],
  [{ signal: "SIGTERM" }, 143],
  [{ signal: "SIGINT" }, 130],
  // A signal that this machine does not know.
  [{ signal: "SIGNOSUCH" }, 128],
])("exitCodeOfStatus maps %j to %i", (status, code) => {
  expect(exitCodeOfStatus(status)).toBe(code);
});
