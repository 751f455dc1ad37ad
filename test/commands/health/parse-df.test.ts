import fc from "fast-check";
import { expect, test } from "vitest";
import { judgeDisk, parseDf, parseDfComplaints } from "../../../src/commands/health/parse-df.ts";

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

test("parseDfComplaints returns the complaints that hide a disk", () => {
  const text = [
    "df: /mnt/gone: Stale file handle",
    "df: '/data': Input/output error",
    "df: /root/secret: Permission denied",
    "df: /run/user/1000/doc: Operation not permitted",
  ].join("\n");
  expect(parseDfComplaints(text)).toEqual([
    { mount: "/mnt/gone", why: "df: Stale file handle" },
    { mount: "/data", why: "df: Input/output error" },
  ]);
});

test("parseDf returns the disks, each device once", () => {
  const text = [
    "Filesystem         1024-blocks      Used Available Capacity Mounted on",
    "udev                   4000000         0   4000000       0% /dev",
    "tmpfs                   800000       900    799100       1% /run",
    "/dev/nvme0n1p1        40000000   1000000  36967232       3% /",
    "/dev/nvme0n1p1        40000000   1000000  36967232       3% /var/lib/docker/bind",
    "/dev/mapper/a b       20000000  19000000         0     100% /srv/with space",
    "/dev/loop3               56000     56000         0     100% /snap/core/1",
    "overlay               10000000   5000000   5000000      50% /",
    "host:/export/home    100000000  50000000  50000000      50% /home",
    "df: /mnt/gone: Stale file handle",
  ].join("\n");
  expect(parseDf(text)).toEqual([
    { device: "/dev/nvme0n1p1", mount: "/", usedBytes: 1_024_000_000, totalBytes: 38_878_445_568 },
    {
      device: "/dev/mapper/a b",
      mount: "/srv/with space",
      usedBytes: 19_456_000_000,
      totalBytes: 19_456_000_000,
    },
    { device: "overlay", mount: "/", usedBytes: 5_120_000_000, totalBytes: 10_240_000_000 },
    {
      device: "host:/export/home",
      mount: "/home",
      usedBytes: 51_200_000_000,
      totalBytes: 102_400_000_000,
    },
  ]);
});
