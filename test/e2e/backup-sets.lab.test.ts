import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { countOf } from "../../src/system/quantities.ts";
import {
  type BackupGround,
  compareFolders,
  makeBackupGround,
  makeWhisper,
} from "../support/backup-ground.ts";
import { findPrograms } from "../support/find-programs.ts";
import { chooseCases } from "../support/matrix.ts";
import { LCOPS } from "../support/program.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };

let ground: BackupGround;
beforeEach(() => {
  ground = makeBackupGround();
});
afterEach(() => ground.remove());

const lcops: BackupGround["lcops"] = (...words) => ground.lcops(...words);

/** Runs the job once, and returns the name of its set. */
async function makeSet(): Promise<string> {
  expect(await lcops("backup", "run")).toEqual(QUIET);
  const setId = (await ground.sets()).at(-1);
  if (setId === undefined) throw new Error("there is no set");
  return setId;
}

describe("a set", () => {
  test("is made in silence, listed, verified at each level, drilled, restored whole and in part", async () => {
    const setId = await makeSet();
    const listed = await lcops("backup", "list");
    expect(listed.stdout).toMatch(
      new RegExp(
        `^${setId}\tgraphite\tserver, operator\tcomplete\t\\S+ kB\t600\tper-object\tnever\tnever\n$`,
      ),
    );
    for (const level of ["sizes", "hashes", "decode"])
      expect(await lcops("backup", "verify", "--level", level)).toEqual(QUIET);
    const drilled = await lcops("backup", "drill", "-v");
    expect(drilled.stderr).toContain(`${setId} is proven: 2 objects and 600 points as they were`);
    const proven = await lcops("backup", "list", "--json");
    expect(JSON.parse(proven.stdout)).toMatchObject({
      sets: [
        {
          setId,
          verified: { level: "decode", ok: true },
          drilled: { verdict: "proven", facts: 2, rows: 600, differences: [] },
        },
      ],
    });
    const all = ground.at("all");
    expect(await lcops("backup", "restore", setId, "--into", all, "--yes")).toEqual(QUIET);
    expect(compareFolders(ground.whisper, all)).toEqual([]);
    const one = ground.at("one");
    const words = ["backup", "restore", "graphite", "--only", "stats.api.hits", "--into", one];
    expect(await lcops(...words, "--yes")).toEqual(QUIET);
    expect(compareFolders(ground.whisper, one)).toEqual([
      "carbon/agents/a.wsp",
      "stats/api/errors.wsp",
    ]);
    // Everything of it is for its owner alone.
    for (const file of ground.files("server"))
      expect(statSync(ground.at("server", file)).mode & 0o777).toBe(0o600);
  });

  test("is restored by its RESTORE.txt with standard programs alone", async () => {
    const setId = await makeSet();
    const folder = ground.at("server", "data", "graphite", setId);
    const lines = readFileSync(path.join(folder, "RESTORE.txt"), "utf8").split("\n");
    const target = ground.at("by-hand");
    mkdirSync(target);
    const script = lines
      .filter((line) => line.includes("| tar"))
      .map((line) => line.replace('"$FOLDER"', `'${target}'`));
    expect(script).toHaveLength(2);
    execFileSync("sh", ["-e", "-c", script.join("\n")], { cwd: folder });
    expect(compareFolders(ground.whisper, target)).toEqual([]);
  });

  test("is never restored over its source unless --in-place, and then by name", async () => {
    await makeSet();
    const words = ["backup", "restore", "graphite", "--into", "graphite", "--yes"];
    expect(await lcops(...words)).toMatchObject({ code: 5, stdout: "" });
    const inPlace = await lcops(...words, "--in-place");
    expect(inPlace).toMatchObject({ code: 5 });
    expect(inPlace.stderr).toMatch(/--confirm graphite/);
    writeFileSync(path.join(ground.whisper, "stats/api/hits.wsp"), "lost");
    const confirmed = ["backup", "restore", "graphite", "--into", "graphite", "--in-place"];
    expect(await lcops(...confirmed, "--confirm", "graphite")).toEqual(QUIET);
    expect(readFileSync(path.join(ground.whisper, "stats/api/hits.wsp"))).toEqual(
      makeWhisper(200, 0),
    );
  });

  test("names what is not known", async () => {
    expect(await lcops("backup", "run", "nosuch")).toMatchObject({
      code: 2,
      stderr: "lcops: there is no backup job nosuch; name one of graphite\n",
    });
    await makeSet();
    const restore = ["backup", "restore", "graphite"];
    const only = await lcops(...restore, "--only", "no.such", "--into", ground.at("x"), "--yes");
    expect(only).toMatchObject({ code: 2 });
    expect(only.stderr).toContain("has no metric no.such");
  });
});

describe("damage is found and named", () => {
  const findings = async (level: string): Promise<string> => {
    const { code, stdout, stderr } = await lcops("backup", "verify", "--level", level);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    return stderr;
  };

  test("a flipped bit in each file", async () => {
    await makeSet();
    const files = ground.files("server").filter((file) => !file.startsWith("reports/"));
    // Two packs, the index, RESTORE.txt, the manifest.
    expect(files).toHaveLength(5);
    for (const file of files) {
      const whole = readFileSync(ground.at("server", file));
      for (const place of [0, whole.length >> 1, whole.length - 1]) {
        const flipped = Buffer.from(whole);
        flipped[place] = (flipped[place] ?? 0) ^ 0x10;
        writeFileSync(ground.at("server", file), flipped);
        const said = await findings("hashes");
        if (file.startsWith("manifests/")) expect(said).toMatch(/at server: the manifest /);
        else expect(said).toContain(file.split("/").slice(3).join("/"));
        // The other copy is as it was.
        expect(said).not.toContain("operator");
      }
      writeFileSync(ground.at("server", file), whole);
    }
    expect(await lcops("backup", "verify")).toEqual(QUIET);
  }, 60_000);

  test("parts that are cut off, missing, of another set, or too many", async () => {
    const first = await makeSet();
    writeFileSync(path.join(ground.whisper, "stats/api/hits.wsp"), makeWhisper(200, 7));
    const second = await makeSet();
    const packOf = (setId: string): string => {
      const found = ground
        .files("server")
        .find((file) => file.includes(`${setId}/graphite/stats/pack`));
      return ground.at("server", found ?? "");
    };
    const pack = packOf(second);
    const whole = readFileSync(pack);
    for (const bytes of [0, 1, 512, whole.length - 1]) {
      truncateSync(pack, bytes);
      expect(await findings("sizes")).toContain(
        `${countOf(bytes, "byte")} instead of ${whole.length}`,
      );
      writeFileSync(pack, whole);
    }
    rmSync(pack);
    expect(await findings("sizes")).toMatch(/stats\/pack\S+: it is missing/);
    writeFileSync(pack, whole);
    writeFileSync(`${pack}.more`, "x");
    expect(await findings("sizes")).toMatch(/\.more: it is none of the set's parts/);
    rmSync(`${pack}.more`);
    copyFileSync(packOf(first), pack);
    expect(await findings("decode")).toMatch(/stats\/pack/);
    writeFileSync(pack, whole);
    expect(await lcops("backup", "verify", "--level", "decode", first, second)).toEqual(QUIET);
  }, 60_000);

  test("a drill and a restore end where a part is damaged", async () => {
    const setId = await makeSet();
    for (const destination of ["server", "operator"] as const) {
      const pack = ground.files(destination).find((file) => file.includes("stats/pack"));
      const bytes = readFileSync(ground.at(destination, pack ?? ""));
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      writeFileSync(ground.at(destination, pack ?? ""), bytes);
    }
    const drill = await lcops("backup", "drill");
    expect(drill).toMatchObject({ code: 4, stdout: "" });
    expect(drill.stderr).toMatch(/the drill of \S+ has failed: .*stats\/pack/);
    const restore = await lcops("backup", "restore", setId, "--into", ground.at("x"), "--yes");
    expect(restore).toMatchObject({ code: 1, stdout: "" });
    expect(existsSync(ground.at("x", "stats"))).toBe(false);
  });

  test("a part of one copy: a restore goes on with the other, and a drill does once that is known", async () => {
    const setId = await makeSet();
    const pack = ground.files("server").find((file) => file.includes("stats/pack")) ?? "";
    const bytes = readFileSync(ground.at("server", pack));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(ground.at("server", pack), bytes);
    const into = ground.at("whole");
    const restore = ["backup", "restore", setId, "--yes", "--into"];
    const restored = await lcops(...restore, into);
    expect(restored).toMatchObject({ code: 0, stdout: "" });
    expect(restored.stderr).toMatch(
      /^lcops: at server \S*stats\/pack\S* of \S+ is damaged: .*; the copy at operator is read\n$/,
    );
    expect(compareFolders(ground.whisper, into)).toEqual([]);
    expect(await lcops("backup", "drill")).toMatchObject({ code: 4 });
    expect(await findings("hashes")).not.toContain("operator");
    // It is known now which one is whole.
    expect(await lcops("backup", "drill")).toEqual(QUIET);
    expect(await lcops(...restore, ground.at("again"))).toEqual(QUIET);
  }, 60_000);

  test("the newest set's manifests, everywhere: an older set that is whole does not hide it", async () => {
    const first = await makeSet();
    const second = await makeSet();
    for (const destination of ["server", "operator"])
      truncateSync(ground.at(destination, "manifests", "graphite", `${second}.json`), 100);
    const said = await findings("hashes");
    for (const destination of ["server", "operator"])
      expect(said).toContain(`${second} at ${destination}: the manifest is damaged`);
    expect(await lcops("backup", "drill")).toMatchObject({ code: 1, stdout: "" });
    expect(await lcops("backup", "verify", first)).toEqual(QUIET);
  });

  test("a manifest of a newer format, or of another set, is refused", async () => {
    const setId = await makeSet();
    const file = ground.at("server", "manifests", "graphite", `${setId}.json`);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("lcops-set/1", "lcops-set/2"));
    expect(await findings("hashes")).toContain("lcops-set/2");
    const other = setId.replace(/.{6}$/, "abcdef");
    writeFileSync(file.replace(setId, other), text);
    writeFileSync(file, text);
    const listed = await lcops("backup", "list");
    expect(listed.code).toBe(4);
    expect(listed.stderr).toContain(`the manifest is that of the set ${setId}`);
    expect(listed.stdout).not.toContain(other);
  });
});

describe("a run that is killed", () => {
  test("at any step: list shows complete sets only, the older one is whole, the next run works, nothing is left", async () => {
    ground.configure(({ backups }) => {
      if (backups) backups.destinations = { operator: { folder: ground.at("operator") } };
    });
    const first = await makeSet();
    const log = ground.at("steps");
    const preload = ["--import", path.join(import.meta.dirname, "../support/kill-at-step.mjs")];
    const runKilled = (more: Record<string, string>) =>
      ground.run(["backup", "run"], {
        environment: { ...ground.environment, NODE_OPTIONS: preload.join(" "), ...more },
      });
    expect(await runKilled({ LCOPS_TEST_STEPS: log })).toEqual(QUIET);
    const steps = readFileSync(log, "utf8").trim().split("\n");
    for (const name of ["rename", "link"]) expect(steps).toContain(name);
    expect(steps).toContain("sync");
    const chosen = chooseCases(
      steps.map((name, index) => ({ name, step: index + 1 })),
      ({ name }) => name,
    );
    let killed = 0;
    for (const { name, step } of chosen) {
      const before = await ground.sets();
      const { signal } = await runKilled({ LCOPS_TEST_KILL_AT: String(step) });
      if (signal === "SIGKILL") killed++;
      const sets = await ground.sets();
      expect(sets.length - before.length, `killed before ${name}, step ${step}`).toBeLessThan(2);
      expect(sets).toContain(first);
    }
    expect(killed).toBe(chosen.length);
    const all = await ground.sets();
    expect(await lcops("backup", "verify", "--level", "decode", ...all)).toEqual(QUIET);
    await makeSet();
    expect(await lcops("backup", "gc", "--yes")).toEqual(QUIET);
    const known = new Set(await ground.sets());
    const strays = ground
      .files("operator")
      .filter((file) => !known.has(/\d{8}T\d{6}Z-[0-9a-f]{6}/.exec(file)?.[0] ?? ""));
    expect(strays).toEqual([]);
    expect(ground.files("operator").filter((file) => file.includes(".tmp-"))).toEqual([]);
    const state = readdirSync(ground.at("home/.local/state/lcops/backup"));
    expect(state.filter((entry) => entry.startsWith("run-"))).toEqual([]);
    expect(await findPrograms(ground.folder)).toEqual([]);
  }, 180_000);

  test("by SIGTERM ends with 143, and leaves nothing", async () => {
    const slow = ground.at("bin");
    mkdirSync(slow);
    const tar =
      '#!/bin/bash\n[ "$1" = --version ] && exec /usr/bin/tar "$1"\nexec -a "$0" sleep 60\n';
    writeFileSync(path.join(slow, "tar"), tar, { mode: 0o755 });
    const { startLcops } = await import("../support/run-lcops.ts");
    const running = startLcops(["backup", "run", "--json"], {
      environment: { ...ground.environment, PATH: `${slow}:${ground.environment["PATH"]}` },
    });
    await running.waitFor(/begun/);
    const { until } = await import("../support/until.ts");
    await until("tar runs", async () => (await findPrograms(slow)).length > 0);
    running.send("SIGTERM");
    expect(await running.ended).toMatchObject({ code: 143 });
    expect(await findPrograms(slow)).toEqual([]);
    expect(existsSync(ground.at("server", "manifests"))).toBe(false);
    expect(ground.files("server")).toEqual([]);
  });
});

describe("destinations", () => {
  test("one that fails takes nothing from the other, and is told", async () => {
    writeFileSync(ground.at("server"), "in the way");
    const { code, stderr } = await lcops("backup", "run");
    expect(code).toBe(3);
    expect(stderr).toMatch(/^lcops: graphite: the set \S+ is incomplete: not at server: .*\n$/);
    const listed = await lcops("backup", "list");
    expect(listed.stdout).toContain("\toperator\tcomplete\t");
    rmSync(ground.at("server"));
    expect(await lcops("backup", "run")).toEqual(QUIET);
  });

  test("where none is left nothing is published, and the exit code says so", async () => {
    for (const name of ["server", "operator"]) writeFileSync(ground.at(name), "in the way");
    const { code, stderr } = await lcops("backup", "run");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^lcops: graphite has failed: /);
  });

  const mount = (folder: string): boolean =>
    process.getuid?.() === 0 &&
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]).status === 0;

  test("a disk that is full: nothing is half published, and older sets stand", async (context) => {
    const disk = ground.at("disk");
    mkdirSync(disk);
    if (!mount(disk)) return context.skip("no tmpfs can be mounted here");
    try {
      ground.configure(({ backups }) => {
        if (backups) backups.destinations = { operator: { folder: disk } };
      });
      const first = await makeSet();
      // What no compression makes small.
      const noise = Buffer.from(
        Array.from({ length: 200_000 }, () => Math.floor(Math.random() * 256)),
      );
      writeFileSync(path.join(ground.whisper, "stats/noise.wsp"), noise);
      const { code, stderr } = await lcops("backup", "run");
      expect(code).toBe(1);
      expect(stderr).toMatch(/ENOSPC.*make room on that disk/);
      expect(await ground.sets()).toEqual([first]);
      expect(await lcops("backup", "verify", first)).toMatchObject({ code: 0 });
      const left = readdirSync(disk, { recursive: true }).filter((file) =>
        String(file).includes(".tmp-"),
      );
      expect(left).toEqual([]);
    } finally {
      spawnSync("umount", [disk]);
    }
    return undefined;
  });
});

describe("encryption", () => {
  const makeKey = async (name: string): Promise<{ recipient: string; file: string }> => {
    const identity = await generateX25519Identity();
    const file = ground.at(name);
    writeFileSync(file, `${identity}\n`, { mode: 0o600 });
    return { recipient: await identityToRecipient(identity), file };
  };
  const encryptFor = (recipients: string[], identityFiles: string[]): void =>
    ground.configure(({ backups }) => {
      if (!backups) return;
      backups.recipients = recipients;
      backups.identities = identityFiles.map((file) => `\${file:${file}}`) as never;
    });

  test("any of the keys opens a set; without one sizes and hashes are still compared, and nothing plain is written", async () => {
    const [one, two, stranger] = [
      await makeKey("one"),
      await makeKey("two"),
      await makeKey("three"),
    ];
    encryptFor([one.recipient, two.recipient], [two.file]);
    const setId = await makeSet();
    expect(ground.files("server").filter((file) => file.endsWith(".age"))).toHaveLength(3);
    expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
    expect(await lcops("backup", "drill")).toEqual(QUIET);
    for (const [files, why] of [
      [[], /there is no private key for it; name one under backups.identities/],
      [[stranger.file], /none of backups.identities opens the set/],
    ] as const) {
      encryptFor([one.recipient, two.recipient], [...files]);
      expect(await lcops("backup", "verify", "--level", "hashes")).toEqual(QUIET);
      const decoded = await lcops("backup", "verify", "--level", "decode");
      // Nothing is known of the set then: it is not found bad.
      expect(decoded.code).toBe(1);
      expect(decoded.stderr).toMatch(why);
      const restored = await lcops("backup", "restore", setId, "--into", ground.at("x"), "--yes");
      expect(restored.code).not.toBe(0);
      expect(existsSync(ground.at("x", "stats"))).toBe(false);
    }
  });

  test("without zstd and age on the PATH it is gzip and a library, and stock programs open it", async () => {
    const bin = ground.at("few");
    mkdirSync(bin);
    for (const name of ["find", "tar", "cat", "cp", "mkdir", "rm", "chown", "chmod", "sync"]) {
      const found = ["/usr/bin", "/bin"].map((folder) => path.join(folder, name)).find(existsSync);
      symlinkSync(found ?? name, path.join(bin, name));
    }
    const { recipient, file } = await makeKey("one");
    encryptFor([recipient], [file]);
    const few = { environment: { ...ground.environment, PATH: bin } };
    expect(await ground.run(["backup", "run"], few)).toEqual(QUIET);
    expect(ground.files("server").filter((name) => name.endsWith(".gz.age"))).toHaveLength(3);
    expect(await ground.run(["backup", "verify", "--level", "decode"], few)).toEqual(QUIET);
    expect(await ground.run(["backup", "drill"], few)).toEqual(QUIET);
    const pack = ground.files("server").find((name) => name.includes("stats/pack")) ?? "";
    if (spawnSync("age", ["--version"]).status !== 0) return;
    const names = execFileSync("sh", [
      "-c",
      `age -d -i "$1" "$2" | gzip -dc | tar -t`,
      "sh",
      file,
      ground.at("server", pack),
    ]);
    expect(names.toString().split("\n")).toContain("stats/api/hits.wsp");
  });
});

describe("restoring", () => {
  /** An environment in which tar fails at the pack of that number, from 1. */
  function refuseToUnpack(number: number): Record<string, string> {
    const bin = ground.at("bin");
    mkdirSync(bin);
    const count = ground.at("count");
    writeFileSync(
      path.join(bin, "tar"),
      `#!/bin/sh\n[ "$1" = --extract ] && echo x >> '${count}'\n[ -e '${count}' ] && [ "$(wc -l < '${count}')" -eq ${number} ] && exit 2\nexec /usr/bin/tar "$@"\n`,
      { mode: 0o755 },
    );
    return { ...ground.environment, PATH: `${bin}:${ground.environment["PATH"]}` };
  }

  test("goes on where it was cut off, and leaves no half of a file", async () => {
    for (let root = 0; root < 3; root++) {
      mkdirSync(path.join(ground.whisper, `more${root}`));
      writeFileSync(path.join(ground.whisper, `more${root}/m.wsp`), makeWhisper(500, root));
    }
    const setId = await makeSet();
    const into = ground.at("target");
    const words = ["backup", "restore", setId, "--into", into, "--yes"];
    const cut = await ground.run(words, { environment: refuseToUnpack(3) });
    expect(cut.code).toBe(1);
    expect(cut.stderr).toContain("the same command goes on where it stopped");
    const resumed = await lcops(...words, "-v");
    expect(resumed).toMatchObject({ code: 0 });
    expect(resumed.stderr).toContain("2 parts were restored before");
    expect(compareFolders(ground.whisper, into)).toEqual([]);
    const { stdout } = await lcops("history", "--json");
    expect(stdout).toContain(`restore ${setId} (graphite) into ${into}`);
  });

  test("goes on from the beginning where what stood was cleared away meanwhile", async () => {
    const setId = await makeSet();
    const into = ground.at("target");
    const words = ["backup", "restore", setId, "--into", into, "--yes"];
    const environment = refuseToUnpack(2);
    expect(await ground.run(words, { environment })).toMatchObject({ code: 1 });
    expect(readdirSync(into)).toEqual(["carbon"]);
    rmSync(into, { recursive: true });
    expect(await lcops(...words)).toMatchObject({ code: 0 });
    expect(compareFolders(ground.whisper, into)).toEqual([]);
  });
});

test("is run to its end, and its code is true, where nobody reads any more what it says", async () => {
  ground.configure(({ backups }) => {
    const job = { service: "graphite", graphite: { folder: ground.whisper } };
    if (backups) backups.jobs = { first: job, second: job };
  });
  const script = '"$@" | head -1; exit ${PIPESTATUS[0]}';
  const words = ["-c", script, "bash", process.execPath, LCOPS, "backup", "run", "--json"];
  const { status, stdout, stderr } = spawnSync("bash", words, {
    env: ground.environment,
    encoding: "utf8",
  });
  expect([status, stdout, stderr]).toEqual([0, '{"event":"begun","job":"first"}\n', ""]);
  expect(await ground.sets()).toHaveLength(2);
});

test("two runs of a job: the second says who holds the lock, and ends with 6", async () => {
  const bin = ground.at("bin");
  mkdirSync(bin);
  writeFileSync(path.join(bin, "find"), '#!/bin/bash\nexec -a "$0" sleep 60\n', { mode: 0o755 });
  const { startLcops } = await import("../support/run-lcops.ts");
  const { until } = await import("../support/until.ts");
  const first = startLcops(["backup", "run"], {
    environment: { ...ground.environment, PATH: `${bin}:${ground.environment["PATH"]}` },
  });
  await until("the first one runs", async () => (await findPrograms(bin)).length > 0);
  expect(await lcops("backup", "run")).toMatchObject({ code: 6, stdout: "" });
  expect(await lcops("backup", "prune", "--yes")).toMatchObject({ code: 6 });
  expect(await lcops("backup", "gc", "--yes")).toMatchObject({ code: 3 });
  first.send("SIGTERM");
  await first.ended;
  expect(await lcops("backup", "run")).toEqual(QUIET);
});

describe("prune", () => {
  test("removes what no rule keeps, once the newest is verified and something was proven", async () => {
    ground.configure(({ backups }) => {
      if (backups?.jobs["graphite"]) backups.jobs["graphite"].keep = { last: 1 };
    });
    expect(await lcops("backup", "prune", "--yes")).toEqual(QUIET);
    await makeSet();
    const second = await makeSet();
    const unverified = await lcops("backup", "prune", "--yes");
    expect(unverified).toMatchObject({ code: 5, stdout: "" });
    expect(unverified.stderr).toContain("the newest set was not verified");
    await lcops("backup", "verify", "--level", "sizes");
    expect(await lcops("backup", "prune", "--yes")).toMatchObject({ code: 5 });
    await lcops("backup", "verify");
    const undrilled = await lcops("backup", "prune", "--yes");
    expect(undrilled).toMatchObject({ code: 5 });
    expect(undrilled.stderr).toContain("no drill of the last 35 days");
    await lcops("backup", "drill");
    const plan = await lcops("backup", "prune", "--dry-run");
    expect(plan).toMatchObject({ code: 0, stderr: "" });
    expect(plan.stdout).toMatch(/remove \S+ {2}no rule keeps it/);
    expect(await ground.sets()).toHaveLength(2);
    expect(await lcops("backup", "prune")).toMatchObject({ code: 5 });
    expect(await lcops("backup", "prune", "--yes")).toMatchObject({ code: 0, stdout: "" });
    expect(await ground.sets()).toEqual([second]);
    for (const destination of ["server", "operator"] as const)
      expect(ground.files(destination).filter((file) => !file.includes(second))).toEqual([]);
    const history = await lcops("history");
    expect(history.stdout).toContain("remove 2 of 4 sets of graphite");
  });

  test("a removal that is cut off leaves what gc removes, and no set that is half there", async () => {
    const setId = await makeSet();
    await makeSet();
    rmSync(ground.at("server", "manifests", "graphite", `${setId}.json`));
    // Too young: another machine may be at work on it.
    expect(await lcops("backup", "gc", "--yes")).toEqual(QUIET);
    expect(existsSync(ground.at("server", "data", "graphite", setId))).toBe(true);
    const old = setId.replace(/^\d{4}/, "2020");
    cpSync(
      ground.at("server", "data", "graphite", setId),
      ground.at("server", "data", "graphite", old),
      {
        recursive: true,
      },
    );
    execFileSync("find", [
      ground.at("server", "data", "graphite", old),
      "-exec",
      "touch",
      "-d",
      "2020-01-01",
      "{}",
      "+",
    ]);
    const plan = await lcops("backup", "gc", "--dry-run");
    expect(plan.stdout).toContain(`data/graphite/${old}/RESTORE.txt`);
    expect(await lcops("backup", "gc", "--yes")).toMatchObject({ code: 0 });
    expect(existsSync(ground.at("server", "data", "graphite", old))).toBe(false);
    expect(await ground.sets()).toHaveLength(2);
  });
});

test("a folder without a whisper file is no backup", async () => {
  const first = await makeSet();
  for (const root of ["stats", "carbon"])
    rmSync(path.join(ground.whisper, root), { recursive: true });
  const { code, stdout, stderr } = await lcops("backup", "run");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/there is no whisper file below \S+; set graphite\.folder/);
  expect(await ground.sets()).toEqual([first]);
});

test("a job that has no set yet keeps no other from being verified", async () => {
  ground.configure(({ backups }) => {
    const job = backups?.jobs["graphite"];
    if (backups && job) backups.jobs = { young: { ...job }, graphite: job };
  });
  expect(await lcops("backup", "run", "graphite")).toEqual(QUIET);
  const { code, stderr } = await lcops("backup", "verify", "-v");
  expect(code).toBe(3);
  expect(stderr).toContain("the job young has no set yet; lcops backup run young");
  expect(stderr).toContain("at operator is whole (hashes)");
  expect(await lcops("backup", "verify", "young")).toMatchObject({ code: 2 });
});

test("a file that is broken at its source is kept, warned of, and no finding", async () => {
  writeFileSync(path.join(ground.whisper, "stats/empty.wsp"), "");
  writeFileSync(path.join(ground.whisper, "stats/short.wsp"), makeWhisper(10, 1).subarray(0, 100));
  appendFileSync(path.join(ground.whisper, "carbon/agents/a.wsp"), "more");
  const run = await lcops("backup", "run", "-v");
  expect(run.code).toBe(0);
  expect(run.stderr).toMatch(/BROKEN_FILES carbon\/agents\/a\.wsp: it has \d+ bytes, .*; 3 in all/);
  expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
  expect(await lcops("backup", "drill")).toEqual(QUIET);
  expect(await lcops("backup", "restore", "graphite", "--into", ground.at("x"), "--yes")).toEqual(
    QUIET,
  );
  expect(compareFolders(ground.whisper, ground.at("x"))).toEqual([]);
});
