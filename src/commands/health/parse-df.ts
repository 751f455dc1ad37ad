import type { Reading } from "../../system/reading.ts";
import { describeBytes } from "../../system/quantities.ts";

export interface Disk {
  device: string;
  mount: string;
  usedBytes: number;
  /** Of those that users may fill, as df counts: what is reserved for root is neither used nor left. */
  totalBytes: number;
}

/** What holds no data: memory, devices, images that are full from the start. */
const NO_DISKS =
  /^(tmpfs|devtmpfs|udev|none|shm|ramfs|proc|sysfs|efivarfs|cgroup.*|\/dev\/loop.*)$/;
const NO_MOUNTS = /^\/(dev|proc|sys|run|snap)(\/|$)/;
/** What is smaller is a part of some other program's, not a disk. */
const SMALLEST_KB = 1024;
/** In percent. */
const FULL = { warn: 85, fail: 95 };

/** Given what `df -P -k` prints (POSIX, df), return the disks; a device that is mounted twice once, by its shortest mount. Pure. */
export function parseDf(text: string): Disk[] {
  const found = new Map<string, Disk>();
  for (const line of text.split("\n").slice(1)) {
    const match = /^(.*\S)\s+(\d+)\s+(\d+)\s+(-?\d+)\s+(?:\d+%|-)\s+(\/.*)$/.exec(line);
    if (!match) continue;
    const [, device = "", size, used, free, mount = ""] = match;
    if (Number(size) < SMALLEST_KB || NO_DISKS.test(device) || NO_MOUNTS.test(mount)) continue;
    const usedBytes = Number(used) * 1024;
    const disk = {
      device,
      mount,
      usedBytes,
      totalBytes: usedBytes + Math.max(0, Number(free)) * 1024,
    };
    const key = `${device} ${size}`;
    const known = found.get(key);
    if (!known || mount.length < known.mount.length) found.set(key, disk);
  }
  return [...found.values()];
}

/**
 * Given what df complains of (`df: /data: Input/output error`), return the mounts that it could not look at; those that it may not are none of ours. Pure.
 */
export function parseDfComplaints(text: string): { mount: string; why: string }[] {
  return [...text.matchAll(/^df: '?(\/[^':]*)'?: (.+)$/gm)].flatMap(([, mount = "", why = ""]) =>
    /permission denied|not permitted/i.test(why) || NO_MOUNTS.test(mount)
      ? []
      : [{ mount, why: `df: ${why}` }],
  );
}

/** Given a disk, return how it is: `uses 1.0 GB of 40.0 GB`. Pure. */
export function judgeDisk(name: string, { usedBytes, totalBytes }: Disk): Reading {
  const percent = totalBytes === 0 ? 0 : (usedBytes / totalBytes) * 100;
  return {
    area: "disk",
    name,
    state: percent >= FULL.fail ? "fail" : percent >= FULL.warn ? "warn" : "ok",
    detail: `uses ${describeBytes(usedBytes)} of ${describeBytes(totalBytes)}`,
    disk: { usedBytes, totalBytes },
  };
}
