import fc from "fast-check";
import { expect, test } from "vitest";
import { judgeDisk, parseDf } from "../../../src/commands/health/parse-df.ts";

const GB = 1e9;
const judge = (usedBytes: number, totalBytes: number) =>
  judgeDisk("web:/", { device: "/dev/sda1", mount: "/", usedBytes, totalBytes });

test.each([
  [0, "ok"],
  [33.9 * GB, "ok"],
  [34 * GB, "warn"],
  [37.9 * GB, "warn"],
  [38 * GB, "fail"],
  [40 * GB, "fail"],
])("a disk of 40 GB with %i bytes in use is %s", (used, state) => {
  expect(judge(used, 40 * GB).state).toBe(state);
});

test("a disk says what it uses, and an empty one is well", () => {
  expect(judge(GB, 40 * GB)).toEqual({
    area: "disk",
    name: "web:/",
    state: "ok",
    detail: "uses 1.0 GB of 40.0 GB",
    disk: { usedBytes: GB, totalBytes: 40 * GB },
  });
  expect(judge(0, 0).state).toBe("ok");
});

test("a disk on which root alone may write is full for everybody else", () => {
  const [disk] = parseDf("head\n/dev/sda1 1000000 950000 -50000 106% /");
  expect(disk).toMatchObject({ usedBytes: 972_800_000, totalBytes: 972_800_000 });
});

test("no text of a host breaks the reading of disks", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const { totalBytes, usedBytes } of parseDf(`head\n${text}`))
        expect(totalBytes).toBeGreaterThanOrEqual(usedBytes);
    }),
  );
});
