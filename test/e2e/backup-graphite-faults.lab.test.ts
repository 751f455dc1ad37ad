/** Graphite at the far end of an ssh connection, where all goes wrong: links that are cut, disks that are full, tars that are others (real sshd, real programs). */
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sshdMissing } from "../ssh/start-sshd.ts";
import { until } from "../support/until.ts";
import { compareFolders, makeWhisper } from "../support/backup-ground.ts";
import { type FarWhisper, makeFarWhisper } from "../support/far-whisper.ts";
import { findPrograms } from "../support/find-programs.ts";
import { startLcops, startProgram } from "../support/run-lcops.ts";
import { LCOPS } from "../support/program.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };

const has = (program: string): string | undefined =>
  spawnSync("sh", ["-c", `command -v ${program}`])
    .stdout.toString()
    .trim() || undefined;

describe.skipIf(sshdMissing)("over a link of its own", () => {
  let ground: FarWhisper;
  beforeEach(async () => {
    ground = await makeFarWhisper("127.0.0.91");
  });
  afterEach(() => ground.close());

  const run = (...words: string[]) => ground.lcops("backup", "run", ...words);
  const into = (folder: string, ...words: string[]): string[] => {
    const name = `graphite/${folder}`;
    return ["backup", "restore", "graphite", "--into", name, "--yes", ...words];
  };
  const restore = (folder: string, ...words: string[]) => ground.lcops(...into(folder, ...words));
  /** More than all the buffers between the two hold, in so many roots of a pack each. */
  const addRoots = (count: number): void => {
    for (let root = 0; root < count; root++) {
      mkdirSync(path.join(ground.whisper, `root${root}`));
      const file = Buffer.concat([makeWhisper(10, root), randomBytes(12 * 200_000)]);
      file.writeUInt32BE(200_010, 24);
      writeFileSync(path.join(ground.whisper, `root${root}/m.wsp`), file);
    }
  };
  const noSet = async (): Promise<void> => {
    expect(await ground.sets()).toEqual([]);
    expect(existsSync(ground.at("operator")) ? ground.files("operator") : []).toEqual([]);
  };
  /** Says when it is in the middle, and waits to be cut off. */
  const HOLD = 'touch "$ground/held"\nwhile ! [ -e "$ground/go" ]; do sleep 0.05; done';
  const untilHeld = () => until("tar is held", () => existsSync(ground.at("held")), 30_000);

  test("a link that is cut during a dump publishes nothing, and the next run works", async () => {
    addRoots(2);
    ground.wrap(
      "tar",
      `[[ "$*" == *--create* ]] || exec "$real" "$@"\n"$real" "$@" | { head -c 300000\n${HOLD}\ncat; }\nexit \${PIPESTATUS[0]}`,
    );
    const running = startLcops(["backup", "run"], { environment: ground.environment });
    await untilHeld();
    ground.cut();
    const { code, stderr } = await running.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/graphite has failed: far .*the connection was lost/);
    writeFileSync(ground.at("go"), "");
    await noSet();
    rmSync(ground.at("bin/tar"));
    expect(await run()).toEqual(QUIET);
    expect(await ground.lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
    await until(
      "nothing of it runs",
      async () => (await findPrograms(ground.at("whisper"))).length === 0,
    );
  }, 60_000);

  test("a link that is cut during a restore leaves whole files alone, and the same command ends it", async () => {
    addRoots(3);
    expect(await run()).toEqual(QUIET);
    const target = ground.at("restored");
    // The second pack comes half.
    ground.wrap(
      "tar",
      `if [[ "$*" != *--extract* ]] || ! [ -e "$ground/first" ]; then touch "$ground/first"; exec "$real" "$@"; fi\n{ head -c 300000\n${HOLD}\ncat; } | "$real" "$@"`,
    );
    const running = startLcops(into(target), { environment: ground.environment });
    // Its own question for the version came first.
    await untilHeld();
    ground.cut();
    const { code, stderr } = await running.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/the connection was lost.*is restored in part/);
    expect(stderr).toMatch(/the same command goes on where it stopped/);
    for (const root of readdirSync(target).filter((name) => !name.startsWith(".lcops-")))
      expect(compareFolders(path.join(ground.whisper, root), path.join(target, root))).toEqual([]);
    writeFileSync(ground.at("go"), "");
    rmSync(ground.at("bin/tar"));
    expect(await restore(target)).toEqual(QUIET);
    expect(compareFolders(ground.whisper, target)).toEqual([]);
    expect(readdirSync(target).filter((name) => name.startsWith(".lcops-"))).toEqual([]);
  }, 60_000);

  test("a disk that is full at the far end: what is there is whole, the room is given back, and more room ends it", async (context) => {
    addRoots(3);
    expect(await run()).toEqual(QUIET);
    const disk = ground.at("disk");
    mkdirSync(disk);
    const mount = (...words: string[]): boolean =>
      spawnSync("mount", [...words, "-t", "tmpfs", "tmpfs", disk]).status === 0;
    if (!mount("-o", "size=6m")) return context.skip("no tmpfs can be mounted here");
    try {
      const full = await restore(disk);
      expect(full.code).toBe(1);
      expect(full.stderr).toMatch(
        /far: tar ended with 2: .*(?:No space left on device|Wrote only \d+ of).*in part/,
      );
      const there = readdirSync(disk);
      // No half of a pack stays in the way of carbon.
      expect(there.filter((name) => name.startsWith(".lcops-"))).toEqual([]);
      for (const root of there)
        expect(compareFolders(path.join(ground.whisper, root), path.join(disk, root))).toEqual([]);
      expect(mount("-o", "remount,size=40m")).toBe(true);
      expect(await restore(disk)).toEqual(QUIET);
      expect(compareFolders(ground.whisper, disk)).toEqual([]);
    } finally {
      spawnSync("umount", [disk]);
    }
    return undefined;
  }, 60_000);

  for (const [what, script, said] of [
    [
      "ends with 2",
      'echo "tar: it went wrong" >&2\nexit 2',
      /far: tar ended with 2: .*it went wrong/,
    ],
    ["is killed", "kill -KILL $$", /far: tar .*SIGKILL|far: tar .*KILL/],
  ] as const) {
    test(`a tar that ${what} behind a whole archive publishes nothing`, async () => {
      ground.wrap("tar", `"$real" "$@"\n[[ "$*" == *--create* ]] || exit 0\n${script}`);
      const { code, stderr } = await run();
      expect(code).toBe(1);
      expect(stderr).toMatch(said);
      await noSet();
    });
  }

  test("a tar that ends with 1 has seen a file change: it is read again", async () => {
    ground.wrap(
      "tar",
      '"$real" "$@"\n[[ "$*" == *--create* ]] && ! [ -e "$ground/once" ] || exit 0\ntouch "$ground/once"\necho "tar: stats/api/hits.wsp: file changed as we read it" >&2\nexit 1',
    );
    rmSync(path.join(ground.whisper, "carbon"), { recursive: true });
    expect(await run()).toEqual(QUIET);
    const { stdout } = await ground.lcops("backup", "list", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      sets: [{ consistency: { level: "per-object", proof: { readAgain: 1, files: 2 } } }],
    });
  });

  test("a file that may not be read is named, and the set is incomplete", async (context) => {
    if (process.getuid?.() !== 0 || has("setpriv") === undefined)
      return context.skip("it takes root, to be somebody else");
    execFileSync("chmod", ["-R", "a+rX", ground.folder]);
    const file = path.join(ground.whisper, "stats/api/errors.wsp");
    execFileSync("chmod", ["600", file]);
    ground.wrap("tar", 'exec setpriv --reuid=65534 --clear-groups "$real" "$@"');
    const { code, stderr } = await run();
    expect(code).toBe(3);
    expect(stderr).toContain("stats/api/errors.wsp: it cannot be read");
    rmSync(ground.at("bin/tar"));
    expect(await ground.lcops("backup", "verify", "--level", "decode")).toMatchObject({ code: 0 });
    const restore = ["backup", "restore", "graphite", "--into", ground.at("all"), "--dry-run"];
    const plan = await ground.lcops(...restore);
    expect(plan.stdout + plan.stderr).toContain("without stats/api/errors.wsp: it cannot be read");
    return undefined;
  });

  for (const [program, name, said] of [
    ["tar", "busybox", /far: tar --version says "tar \(busybox\) .*have GNU tar 1\.29 or newer/s],
    ["tar", "bsdtar", /far: tar --version says "bsdtar .*have GNU tar 1\.29 or newer/s],
    ["find", "busybox", /far: find --version says "find: unrecognized.*have GNU find/s],
  ] as const) {
    test.skipIf(has(name) === undefined)(
      `${program} of ${name} is refused at once, for a dump and for a restore`,
      async () => {
        expect(await run()).toEqual(QUIET);
        const [first] = await ground.sets();
        const before = ground.files("operator");
        ground.replace(program, has(name) ?? "");
        const dumped = await run();
        expect(dumped.code).toBe(1);
        expect(dumped.stderr).toMatch(said);
        expect(await ground.sets()).toEqual([first]);
        expect(ground.files("operator")).toEqual(before);
        const restored = await restore(ground.at("restored"));
        expect(restored.code).not.toBe(0);
        expect(restored.stderr).toMatch(said);
        expect(existsSync(ground.at("restored"))).toBe(false);
      },
    );
  }

  test.each([
    ['echo "tar (GNU tar) 1.28"', /tar --version says "tar \(GNU tar\) 1\.28"/],
    ["exit 127", /tar --version says ""/],
  ])("an old GNU tar (stand-in: %s) is refused at once", async (script, said) => {
    ground.wrap("tar", script);
    const { code, stderr } = await run();
    expect(code).toBe(1);
    expect(stderr).toMatch(said);
    await noSet();
  });

  test("links that go round or nowhere are none; those that lead within are told, and those that lead out make the set incomplete", async () => {
    const link = (to: string, name: string): void =>
      symlinkSync(to, path.join(ground.whisper, name));
    link(".", "round");
    link("../stats", "stats/again");
    link("self.wsp", "self.wsp");
    link("nowhere.wsp", "gone.wsp");
    const whole = execFileSync("find", [ground.whisper, "-type", "f"]).toString();
    const inside = await run("-v");
    expect(inside.code).toBe(0);
    expect(inside.stderr).toMatch(
      /LINK (round|stats\/again): a symbolic link is not in the set.*; 2 in all/,
    );
    expect(await restore(ground.at("restored"))).toEqual(QUIET);
    const restored = execFileSync("find", [ground.at("restored"), "-type", "f"]).toString();
    expect(restored.replaceAll("restored/", "whisper/").split("\n").toSorted()).toEqual(
      whole.split("\n").toSorted(),
    );

    mkdirSync(ground.at("other disk/servers"), { recursive: true });
    writeFileSync(ground.at("other disk/servers/a.wsp"), makeWhisper(10, 1));
    link(ground.at("other disk/servers"), "two words");
    link(ground.at("other disk/servers/a.wsp"), "stats/a.wsp");
    writeFileSync(path.join(ground.whisper, "stats/a.data"), makeWhisper(10, 2));
    link("a.data", "stats/b.wsp");
    const outside = await run();
    expect(outside.code).toBe(3);
    expect(outside.stderr).toMatch(/stats\/a\.wsp: it is a symbolic link out of the whisper files/);
    expect(outside.stderr).toMatch(/stats\/b\.wsp: it is a symbolic link/);
    expect(outside.stderr).toMatch(/two words: it is a symbolic link out of the whisper files/);
    // What stands there by itself is no link.
    ground.configure(({ backups }) => {
      const job = backups?.jobs["graphite"];
      if (job) job.graphite = { folder: path.join(ground.whisper, "two words") };
    });
    expect(await run()).toEqual(QUIET);
  }, 60_000);

  test("a part that is another one ends a restore, though the far end had nothing to complain of", async () => {
    expect(await run()).toEqual(QUIET);
    const pack = ground.files("operator").find((file) => file.includes("stats/pack")) ?? "";
    // Whole by its format, and without its second file.
    const script =
      'zstd -dc "$1" | tar --delete stats/api/hits.wsp | zstd -q -c > "$1.new" && mv "$1.new" "$1"';
    execFileSync("bash", ["-c", script, "bash", ground.at("operator", pack)]);
    const target = ground.at("restored");
    const { code, stderr } = await restore(target);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/stats\/pack.*instead of/);
    expect(existsSync(path.join(target, "stats"))).toBe(false);
    expect(readdirSync(target).filter((name) => name.startsWith(".lcops-"))).toEqual([]);
  });

  test("over its source the plan says how many files were written since", async () => {
    expect(await run()).toEqual(QUIET);
    const file = path.join(ground.whisper, "stats/api/hits.wsp");
    const before = readFileSync(file);
    const name = `graphite/${ground.whisper}`;
    const plan = async (): Promise<string> => {
      const words = ["backup", "restore", "graphite", "--into", name, "--in-place", "--dry-run"];
      const { code, stdout, stderr } = await ground.lcops(...words);
      expect(code).toBe(0);
      return stdout + stderr;
    };
    const same = await plan();
    expect(same).toContain("replaces 3 whisper files of the same names");
    expect(same).not.toContain("NEWER_FILES");
    writeFileSync(file, makeWhisper(200, 77));
    const later = statSync(file).mtimeMs / 1000 + 60;
    utimesSync(file, later, later);
    expect(await plan()).toContain(
      "NEWER_FILES 1 of them were written since, and lose what they have got since then",
    );
    expect(await restore(ground.whisper)).toMatchObject({ code: 5 });
    const words = ["backup", "restore", "graphite", "--into", name, "--in-place"];
    expect(await ground.lcops(...words, "--confirm", name)).toEqual(QUIET);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(await plan()).not.toContain("NEWER_FILES");
  });

  test("--only takes names that are not UTF-8, of a file and of a folder", async () => {
    const raw = (...pieces: (string | number)[]): Buffer =>
      Buffer.concat(
        pieces.map((it) => (typeof it === "number" ? Buffer.from([it]) : Buffer.from(it))),
      );
    const put = (folder: Buffer, name: Buffer, seed: number): void => {
      const full = Buffer.concat([Buffer.from(`${ground.whisper}/`), folder]);
      mkdirSync(full, { recursive: true });
      writeFileSync(Buffer.concat([full, Buffer.from("/"), name]), makeWhisper(20, seed));
    };
    put(raw("odd"), raw("a", 0xfe, ".wsp"), 1);
    put(raw("odd"), raw("ab.wsp"), 2);
    put(raw("odd", 0xe9, "t", 0xe9), raw("m.wsp"), 3);
    put(raw("oddXtX"), raw("m.wsp"), 4);
    expect(await run()).toEqual(QUIET);
    const target = ground.at("restored");
    // A shell gives the bytes on as they are.
    const typed = async (bytes: string): Promise<void> => {
      const words = into(target, "--only")
        .map((word) => `'${word}'`)
        .join(" ");
      const script = `exec "$0" "$1" ${words} "$(printf '${bytes}')"`;
      const args = ["-c", script, process.execPath, LCOPS];
      const shell = startProgram("sh", args, { environment: ground.environment });
      expect(await shell.ended).toEqual(QUIET);
    };
    const found = (): string[] =>
      readdirSync(Buffer.from(target), { encoding: "buffer" }).flatMap((folder) => {
        const at = Buffer.concat([Buffer.from(`${target}/`), folder]);
        return readdirSync(at, { encoding: "buffer" }).map(
          (name) => `${folder.toString("latin1")}/${name.toString("latin1")}`,
        );
      });
    await typed(String.raw`odd/a\376.wsp`);
    expect(found()).toEqual(["odd/a\u00FE.wsp"]);
    rmSync(target, { recursive: true });
    await typed(String.raw`odd\351t\351`);
    expect(found()).toEqual(["odd\u00E9t\u00E9/m.wsp"]);
  });
});
