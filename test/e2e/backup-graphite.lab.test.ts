/** Graphite's whisper files over the lab's ssh: carbon's own, odd names, files that change and vanish, a restore that is killed. */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { type BackupGround, makeBackupGround, makeWhisper } from "../support/backup-ground.ts";
import { type Ground, makeGround } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { type LcopsResult, runLcops, startLcops } from "../support/run-lcops.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };
/** The packages belong to Debian's own Python. */
const PYTHON = "/usr/bin/python3";

/** Given a folder, return its files by their names, byte for byte. */
function readTree(folder: string): Record<string, string> {
  const files: Record<string, string> = {};
  const visit = (at: Buffer, name: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true, encoding: "buffer" })) {
      const own = Buffer.from(entry.name);
      const next = Buffer.concat([at, Buffer.from("/"), own]);
      const shown = `${name}/${own.toString("latin1")}`;
      if (entry.isDirectory()) visit(next, shown);
      else files[shown] = readFileSync(next).toString("base64");
    }
  };
  visit(Buffer.from(folder), "");
  return files;
}

describe("over ssh", () => {
  let ground: Ground;
  let whisper: string;
  let target: string;
  let configPath: string;
  beforeEach(async () => {
    ground = await makeGround();
    whisper = path.join(ground.folder, "whisper");
    target = path.join(ground.folder, "restored");
    configPath = ground.deriveConfig(({ backups }) => {
      if (!backups) return;
      backups.destinations = { operator: { folder: path.join(ground.folder, "operator") } };
      backups.jobs = { graphite: { service: "graphite", graphite: { folder: whisper } } };
    });
  });
  afterEach(() => ground.remove());

  const options = () => ({ environment: ground.environment, timeoutMs: 60_000 });
  const lcops = (...words: string[]): Promise<LcopsResult> =>
    runLcops(["--config", configPath, ...words], options());
  /** Its host is in production: the target is typed. */
  const restoring = (into: string): string[] => {
    const name = `graphite/${into}`;
    return ["backup", "restore", "graphite", "--into", name, "--confirm", name];
  };
  const restore = (into: string, ...words: string[]): Promise<LcopsResult> =>
    lcops(...restoring(into), ...words);
  const put = (name: string, content: Buffer): void => {
    mkdirSync(path.dirname(path.join(whisper, name)), { recursive: true });
    writeFileSync(path.join(whisper, name), content);
  };

  testWith("graphite", "hosts")(
    "carbon's own files: as many points as whisper counts, and whisper reads the same of what is restored",
    async () => {
      // A copy, since carbon writes into its own.
      cpSync(ground.lab.services.graphite?.whisperFolder ?? "", whisper, { recursive: true });
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
      expect(await lcops("backup", "drill")).toEqual(QUIET);
      expect(await restore(target)).toEqual(QUIET);

      const script = [
        "import json, os, struct, sys, time, whisper",
        "NOW = int(time.time())",
        "def points(file):",
        "    total = 0",
        "    for archive in whisper.info(file)['archives']:",
        "        with open(file, 'rb') as data:",
        "            data.seek(archive['offset'])",
        "            raw = data.read(archive['size'])",
        "        total += sum(1 for stamp, _ in struct.iter_unpack('!Ld', raw) if stamp)",
        "    return total",
        "for root in sys.argv[1:]:",
        "    found = {}",
        "    for folder, _, names in os.walk(root):",
        "        for name in names:",
        "            file = os.path.join(folder, name)",
        "            found[os.path.relpath(file, root)] = [points(file), whisper.fetch(file, 0, now=NOW)]",
        "    print(json.dumps(found, sort_keys=True))",
      ].join("\n");
      const read = execFileSync(PYTHON, ["-c", script, whisper, target], {
        maxBuffer: 256 * 1024 * 1024,
      });
      const [source, restored] = read.toString().trim().split("\n");
      expect(restored === source).toBe(true);
      const counted = Object.values(JSON.parse(source ?? "{}") as Record<string, [number]>);
      expect(counted.length).toBeGreaterThan(10);
      const { stdout } = await lcops("backup", "list", "--json");
      expect(JSON.parse(stdout)).toMatchObject({
        sets: [
          {
            drilled: { verdict: "proven", rows: counted.reduce((sum, [count]) => sum + count, 0) },
          },
        ],
      });
    },
    90_000,
  );

  testWith("graphite", "hosts")(
    "names of every shape stay names, whole and with --only",
    async () => {
      const names = [
        "it's; touch pwned",
        "$(touch pwned)`touch pwned`",
        String.raw`a\tb\101`,
        "two\nlines",
        "*?[a]{b}",
        "-rf",
        "--checkpoint-action=exec=touch pwned",
        "été 🐌",
        "n".repeat(200),
        " ",
        "a.b",
      ];
      for (const [index, name] of names.entries()) {
        put(`${name}/m.wsp`, makeWhisper(20, index));
        put(`odd/${name}.wsp`, makeWhisper(30, index));
      }
      put("alone.wsp", makeWhisper(40, 1));
      // Not UTF-8: two that look the same as text.
      for (const byte of [0xfe, 0xff]) {
        const folder = Buffer.concat([Buffer.from(`${whisper}/`), Buffer.from([byte])]);
        mkdirSync(folder);
        writeFileSync(Buffer.concat([folder, Buffer.from("/m.wsp")]), makeWhisper(50, byte));
      }
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
      expect(await lcops("backup", "drill")).toEqual(QUIET);
      expect(await restore(target)).toEqual(QUIET);
      expect(readTree(target)).toEqual(readTree(whisper));
      const home = path.join(ground.lab.folder, "hosts/GraphStats/home");
      for (const folder of [home, ground.folder, whisper, target, process.cwd()])
        expect(existsSync(path.join(folder, "pwned"))).toBe(false);

      const only = path.join(ground.folder, "only");
      for (const name of names) {
        const file = `odd/${name}.wsp`;
        expect(await restore(only, "--only", file)).toEqual(QUIET);
        expect(Object.keys(readTree(only))).toEqual([`/${Buffer.from(file).toString("latin1")}`]);
        rmSync(only, { recursive: true });
      }
    },
    120_000,
  );

  testWith("graphite", "hosts")("a cut file is named; it is kept as it is", async () => {
    put("stats/whole.wsp", makeWhisper(100, 1));
    put("stats/cut.wsp", makeWhisper(100, 2));
    truncateSync(path.join(whisper, "stats/cut.wsp"), 1000);
    const run = await lcops("backup", "run", "-v");
    expect(run.code).toBe(0);
    // 16 + 12 + 12 x 100.
    expect(run.stderr).toContain("stats/cut.wsp: it has 1000 bytes, and its header states 1228");
    expect(await restore(target)).toEqual(QUIET);
    expect(readTree(target)).toEqual(readTree(whisper));
  });

  testWith("graphite", "hosts")(
    "killed half-way, a restore has put whole files in place, and the same command ends it",
    async () => {
      for (let root = 0; root < 12; root++) put(`root${root}/m.wsp`, makeWhisper(20_000, root));
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const running = startLcops(["--config", configPath, ...restoring(target)], options());
      const inPlace = (): string[] =>
        existsSync(target) ? readdirSync(target).filter((name) => name.startsWith("root")) : [];
      await until("a root is in place", () => inPlace().length > 0, 30_000);
      running.send("SIGKILL");
      expect(await running.ended).toMatchObject({ signal: "SIGKILL" });
      const whole = readTree(whisper);
      const there = Object.entries(readTree(target)).filter(([name]) => name.startsWith("/root"));
      for (const [name, content] of there) expect(content === whole[name], name).toBe(true);
      const resumed = await restore(target, "-v");
      expect(resumed).toMatchObject({ code: 0 });
      expect(readTree(target)).toEqual(whole);
    },
    90_000,
  );
});

describe("while files move", () => {
  let ground: BackupGround;
  beforeEach(() => {
    ground = makeBackupGround();
  });
  afterEach(() => ground.remove());

  /** Puts a script before tar; `$real "$@"` is tar itself. */
  function wrapTar(script: string): { environment: Record<string, string> } {
    const bin = ground.at("bin");
    mkdirSync(bin);
    const real = execFileSync("sh", ["-c", "command -v tar"]).toString().trim();
    const lines = ["#!/bin/bash", `real='${real}'`, `cd '${ground.whisper}'`, script, ""];
    writeFileSync(path.join(bin, "tar"), lines.join("\n"), { mode: 0o755 });
    return {
      environment: { ...ground.environment, PATH: `${bin}:${ground.environment["PATH"]}` },
    };
  }
  const restored = async (): Promise<Record<string, string>> => {
    expect(await ground.lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
    expect(await ground.lcops("backup", "drill")).toEqual(QUIET);
    const into = ground.at("restored");
    expect(await ground.lcops("backup", "restore", "graphite", "--into", into, "--yes")).toEqual(
      QUIET,
    );
    return readTree(into);
  };
  const level = async (): Promise<unknown> => {
    const { stdout } = await ground.lcops("backup", "list", "--json");
    return JSON.parse(stdout);
  };
  // More than a pipe holds: tar is in the middle of it while nobody reads on.
  const big = makeWhisper(40_000, 1);
  /** Tar is stopped within stats/big.wsp, which is written into meanwhile. */
  const CHANGE = [
    '"$real" "$@" | {',
    "  head -c 65536",
    "  printf 'changed' | dd of=stats/big.wsp bs=1 seek=400000 conv=notrunc status=none",
    "  cat",
    "}",
    "exit ${PIPESTATUS[0]}",
  ].join("\n");

  test("what changes once is read again, and stands as it was then", async () => {
    writeFileSync(path.join(ground.whisper, "stats/big.wsp"), big);
    const options = wrapTar(
      `if [ -e ../changed ] || ! [[ "$*" == *--create* ]]; then exec "$real" "$@"; fi\ntouch ../changed\n${CHANGE}`,
    );
    // One root, so that it is the first pack.
    rmSync(path.join(ground.whisper, "carbon"), { recursive: true });
    expect(await ground.run(["backup", "run"], options)).toEqual(QUIET);
    expect(await level()).toMatchObject({
      sets: [{ consistency: { level: "per-object", proof: { readAgain: 1 } } }],
    });
    expect(await restored()).toEqual(readTree(ground.whisper));
    expect(readFileSync(path.join(ground.whisper, "stats/big.wsp")).equals(big)).toBe(false);
  });

  test("what changes each time is kept, warned of, and the level says so", async () => {
    rmSync(path.join(ground.whisper, "carbon"), { recursive: true });
    writeFileSync(path.join(ground.whisper, "stats/big.wsp"), big);
    const options = wrapTar(CHANGE);
    const run = await ground.run(["backup", "run", "-v"], options);
    expect(run.code).toBe(0);
    expect(run.stderr).toContain("CHANGED_WHILE_READ stats/big.wsp");
    expect(await level()).toMatchObject({
      sets: [{ consistency: { level: "fuzzy", proof: { stillChanging: 1 } } }],
    });
    const files = await restored();
    expect(Object.keys(files)).toEqual(Object.keys(readTree(ground.whisper)));
    expect(Buffer.from(files["/stats/big.wsp"] ?? "", "base64")).toHaveLength(big.length);
  });

  test("where tar says that something changed and not what, all of it is read again", async () => {
    const options = wrapTar('"$real" "$@"\n[[ "$*" == *--create* ]] && exit 1\nexit 0');
    rmSync(path.join(ground.whisper, "carbon"), { recursive: true });
    expect(await ground.run(["backup", "run"], options)).toEqual(QUIET);
    expect(await level()).toMatchObject({
      sets: [{ consistency: { level: "fuzzy", proof: { readAgain: 4, stillChanging: 2 } } }],
    });
    expect(await restored()).toEqual(readTree(ground.whisper));
  });

  test("what vanishes is named and not missed; a whole root that does makes the set incomplete", async () => {
    const options = wrapTar(
      '[[ "$*" == *--create* ]] && rm -f stats/api/hits.wsp\nexec "$real" "$@"',
    );
    const run = await ground.run(["backup", "run", "-v"], options);
    expect(run.code).toBe(0);
    expect(run.stderr).toContain("VANISHED stats/api/hits.wsp");
    expect(await restored()).toEqual(readTree(ground.whisper));

    rmSync(ground.at("bin"), { recursive: true });
    const gone = await ground.run(
      ["backup", "run"],
      wrapTar('[[ "$*" == *--create* ]] && rm -rf carbon\nexec "$real" "$@"'),
    );
    expect(gone.code).toBe(3);
    expect(gone.stderr).toContain("carbon");
  });
});
