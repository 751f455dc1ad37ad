import { expect, test } from "vitest";
import { formatBytes } from "../../../src/commands/dyn/format-bytes.ts";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 KB"],
  [1024, "1.0 KB"],
  [409_600, "400 KB"],
  [1_048_576, "1.0 MB"],
  [1_073_741_824 * 150, "150 GB"],
  [1024 ** 5 * 9, "9216 TB"],
])("%i bytes are %s, as DynamoDB counts", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
