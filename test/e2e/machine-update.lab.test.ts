import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JournalEntry } from "../../src/system/journal.ts";
import type { UpdateOutcome } from "../../src/workstation/carry-out-update.ts";
import { startScripted } from "../services/scripted-server.ts";
import { until } from "../support/until.ts";
import { findPrograms } from "../support/find-programs.ts";
import { type GitGround, hasGit, type Made, makeGitGround } from "../support/git-ground.ts";
import { openPty } from "../support/pty.ts";
import { runLcops, startLcops, type LcopsResult } from "../support/run-lcops.ts";

const withGit = test.skipIf(!hasGit);
const LIMIT = { timeout: 90_000 };

let ground: GitGround;
let folder: string;
let environment: Record<string, string>;
beforeAll(async () => {
  if (!hasGit) return;
  ground = await makeGitGround();
  ({ folder, environment } = ground);
});
afterAll(() => ground?.stop());

const git = (where: string, ...words: string[]): Promise<string> => ground.git(where, ...words);
const make = (name: string, behind?: number): Promise<Made> => ground.make(name, behind);
const commit = (where: string, file: string, push?: boolean): Promise<void> =>
  ground.commit(where, file, push);

let count = 0;
type Entry = { folder: string; url?: string };
function configFor(repositories: Record<string, Entry>): string {
  const file = path.join(folder, `config-${++count}.json`);
  writeFileSync(file, JSON.stringify({ workstation: { repositories } }), { mode: 0o600 });
  return file;
}
const here = (...all: Made[]): string =>
  configFor(Object.fromEntries(all.map((made) => [made.name, { folder: made.here }])));

const update = (config: string, ...words: string[]): Promise<LcopsResult> =>
  runLcops(["machine", "update", "--config", config, ...words], {
    environment,
    timeoutMs: 80_000,
  });
const outcomes = (result: LcopsResult): UpdateOutcome[] =>
  JSON.parse(result.stdout) as UpdateOutcome[];
const journal = (): JournalEntry[] =>
  readFileSync(path.join(folder, "state/lcops/journal.ndjson"), "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as JournalEntry);

describe("an update", LIMIT, () => {
  withGit("pulls what is there, and the table says how much", async () => {
    const [app, api, web] = [await make("app", 3), await make("api", 0), await make("web", 1)];
    await commit(api.here, "unpushed", false);
    const before = await git(app.here, "rev-parse", "HEAD");
    const result = await update(here(app, api, web), "--yes", "--verbose");
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout.split("\n")).toEqual([
      "app\tmain\t0\t3\t3\tupdated\t",
      "web\tmain\t0\t1\t1\tupdated\t",
      "api\tmain\t1\t0\t0\tcurrent\t1 not pushed",
      "",
    ]);
    expect(existsSync(path.join(app.here, "more-2"))).toBe(true);
    const after = await git(app.here, "rev-parse", "HEAD");
    expect(after).toBe(await git(app.other, "rev-parse", "HEAD"));
    const entry = journal().find(({ undo }) => undo?.["folder"] === app.here);
    expect(entry).toMatchObject({
      change: `fast-forward app in ${app.here} from ${before} to ${after}`,
      undo: { kind: "repository", commit: before },
    });
    // Nothing is left to do then, and nobody is asked for it.
    const again = await update(here(app, api, web), "--json");
    expect(again).toMatchObject({ code: 0 });
    expect(outcomes(again).map(({ state }) => state)).toEqual(["current", "current", "current"]);
  });

  withGit(
    "says nothing in cron when all went well, and of the others only what is missing",
    async () => {
      const [app, api] = [await make("app"), await make("api")];
      await git(api.here, "checkout", "--quiet", "--detach");
      expect(await update(here(app), "--yes")).toMatchObject({ code: 0, stdout: "", stderr: "" });
      expect(await update(here(app, api), "--yes")).toMatchObject({
        code: 3,
        stdout: "api\t\t\t\t0\tskipped\tno branch is checked out\n",
        stderr: "lcops: not updated: api\n",
      });
    },
  );

  withGit("keeps to its folders within a hook of another repository", async () => {
    const [app, other] = [await make("app"), await make("other")];
    const before = await git(other.here, "rev-parse", "HEAD");
    const result = await runLcops(["machine", "update", "--config", here(app), "--yes", "--json"], {
      environment: {
        ...environment,
        GIT_DIR: path.join(other.here, ".git"),
        GIT_INDEX_FILE: path.join(other.here, ".git/index"),
      },
    });
    expect(outcomes(result)).toMatchObject([{ name: "app", state: "updated", pulled: 1 }]);
    expect(existsSync(path.join(app.here, "more-0"))).toBe(true);
    expect(await git(other.here, "rev-parse", "HEAD")).toBe(before);
    expect(await git(other.here, "status", "--porcelain")).toBe("");
  });

  withGit("lets a checkout end that was begun when Ctrl-C came", async () => {
    const app = await make("app");
    const begun = path.join(folder, "filter-begun");
    await git(app.other, "pull", "--quiet");
    writeFileSync(path.join(app.other, ".gitattributes"), "slow-* filter=slow\n");
    await git(app.other, "add", ".gitattributes");
    for (const file of ["slow-1", "slow-2"]) await commit(app.other, file);
    // Two files, each of which takes its time.
    const smudge = `touch ${begun}; sleep 0.3; cat`;
    await git(app.here, "config", "filter.slow.smudge", smudge);
    await git(app.here, "config", "filter.slow.clean", "cat");
    const running = startLcops(["machine", "update", "--config", here(app), "--yes"], {
      environment,
    });
    await until("the checkout begins", () => Promise.resolve(existsSync(begun)), 20_000);
    running.send("SIGINT");
    expect(await running.ended).toMatchObject({ code: 130 });
    expect(await git(app.here, "status", "--porcelain")).toBe("");
    const after = await git(app.here, "rev-parse", "HEAD");
    expect(after).toBe(await git(app.other, "rev-parse", "HEAD"));
    const entry = journal().find(({ undo }) => undo?.["folder"] === app.here);
    expect(journal()).toContainEqual(
      expect.objectContaining({ outcomeOf: entry?.id, state: "done" }),
    );
  });

  withGit("is shown by --dry-run, and needs --yes where nobody can be asked", async () => {
    const app = await make("app", 2);
    const before = await git(app.here, "rev-parse", "HEAD");
    const plan = await update(here(app), "--dry-run");
    expect(plan).toMatchObject({ code: 0, stderr: "" });
    expect(plan.stdout).toMatch(/^update 1 of 1 repositories\n {2}app: 2 commits into main\n/);
    const refused = await update(here(app));
    expect(refused).toMatchObject({ code: 5, stdout: "" });
    expect(refused.stderr).toContain("confirm it with --yes");
    expect(await git(app.here, "rev-parse", "HEAD")).toBe(before);
    const pty = openPty(["machine", "update", "--config", here(app)], {
      environment,
      columns: 60,
    });
    await pty.waitFor("Go on? (y/N)");
    pty.type("y\r");
    expect((await pty.exit).code).toBe(0);
    expect(pty.text()).toMatch(/^REPOSITORY +BRANCH +AHEAD +BEHIND +PULLED +STATE/m);
    expect(existsSync(path.join(app.here, "more-1"))).toBe(true);
  });

  withGit("is shown by --dry-run as it would be, and no name of the clone moves", async () => {
    const app = await make("app", 2);
    const names = (): Promise<string> => git(app.here, "for-each-ref");
    await git(app.other, "push", "--quiet", "origin", "HEAD:old");
    await git(app.here, "fetch", "--quiet");
    await commit(app.other, "latest");
    await git(app.other, "tag", "v1");
    await git(app.other, "push", "--quiet", "origin", ":old", "v1");
    rmSync(path.join(app.here, ".git/FETCH_HEAD"));
    const before = await names();
    expect(before).toContain("refs/remotes/origin/old");
    const config = here(app);
    expect((await update(config, "--dry-run")).stdout).toContain("app: 3 commits into main");
    await commit(app.here, "mine", false);
    expect((await update(config, "--dry-run", "--json")).stdout).toContain(
      "another way than origin/main: 1 commit here, 3 there",
    );
    await git(app.here, "reset", "--quiet", "--hard", "HEAD~");
    expect(await names()).toBe(before);
    expect(existsSync(path.join(app.here, ".git/FETCH_HEAD"))).toBe(false);
    expect(await update(config, "--yes")).toMatchObject({ code: 0 });
    expect(await names()).not.toContain("refs/remotes/origin/old");
  });

  withGit("takes only those that are named", async () => {
    const [app, api] = [await make("app"), await make("api")];
    const result = await update(here(app, api), "api", "--yes", "--json");
    expect(outcomes(result)).toMatchObject([{ name: "api", state: "updated", pulled: 1 }]);
    expect(existsSync(path.join(app.here, "more-0"))).toBe(false);
    expect(await update(here(app), "nosuch")).toMatchObject({ code: 2 });
    const none = await update(configFor({}));
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toContain("workstation.repositories");
  });

  withGit("clones what is missing, also after one that was killed", async () => {
    const app = await make("app");
    const place = path.join(folder, "cloned", "app");
    const config = configFor({ app: { folder: place, url: app.remote } });
    mkdirSync(`${place}.lcops-clone/.git`, { recursive: true });
    writeFileSync(`${place}.lcops-clone/half`, "");
    const result = await update(config, "--yes", "--json");
    expect(result.code).toBe(0);
    expect(outcomes(result)).toMatchObject([{ name: "app", state: "cloned", branch: "main" }]);
    expect(existsSync(path.join(place, "more-0"))).toBe(true);
    expect(existsSync(`${place}.lcops-clone`)).toBe(false);
    const nowhere = configFor({ app: { folder: `${place}-2`, url: `${app.remote}-nosuch` } });
    const failed = await update(nowhere, "--yes", "--json");
    expect(failed.code).toBe(1);
    expect(outcomes(failed)).toMatchObject([{ state: "failed" }]);
    expect(existsSync(`${place}-2`)).toBe(false);
    expect(await update(configFor({ app: { folder: `${place}-3` } }))).toMatchObject({ code: 1 });
    const twice = await update(
      configFor({ one: { folder: place }, two: { folder: `${place}/../app` } }),
    );
    expect(twice).toMatchObject({ code: 2, stdout: "" });
    expect(twice.stderr).toContain("one and two are both in");
    const secret = await update(
      configFor({ app: { folder: `${place}-4`, url: "https://me:hunter2@example.com/app.git" } }),
    );
    expect(secret).toMatchObject({ code: 2 });
    expect(secret.stdout + secret.stderr).not.toContain("hunter2");
  });
});

describe("a repository with", LIMIT, () => {
  withGit("an untracked file where one would come fails, and keeps that file", async () => {
    const made = await make("app");
    writeFileSync(path.join(made.here, "more-0"), "mine\n");
    const result = await update(here(made), "--yes", "--json");
    expect(result.code).toBe(1);
    const [outcome] = outcomes(result);
    expect(outcome).toMatchObject({ state: "failed", pulled: 0 });
    expect(outcome?.why).toMatch(/untracked working tree files would be overwritten/);
    expect(readFileSync(path.join(made.here, "more-0"), "utf8")).toBe("mine\n");
  });

  withGit("a submodule is updated, and told where the submodule stands elsewhere", async () => {
    const [made, library] = [await make("app", 0), await make("library")];
    const allow = ["-c", "protocol.file.allow=always"];
    await git(made.other, ...allow, "submodule", "--quiet", "add", library.remote, "library");
    await git(made.other, "commit", "--quiet", "-m", "library");
    await git(made.other, "push", "--quiet");
    const [outcome] = outcomes(await update(here(made), "--yes", "--json"));
    expect(outcome).toMatchObject({ state: "updated", pulled: 1 });
    expect(outcome?.why).toBe("1 submodule stands elsewhere: git submodule update --init");
  });

  withGit("a filter that fails half-way is told how to be whole again", async () => {
    const made = await make("app");
    writeFileSync(path.join(made.other, ".gitattributes"), "zz-large filter=gone\n");
    await git(made.other, "add", ".gitattributes");
    await commit(made.other, "zz-large");
    await git(made.here, "config", "filter.gone.smudge", "false");
    await git(made.here, "config", "filter.gone.clean", "cat");
    await git(made.here, "config", "filter.gone.required", "true");
    const before = await git(made.here, "rev-parse", "HEAD");
    const [outcome] = outcomes(await update(here(made), "--yes", "--json"));
    expect(outcome).toMatchObject({ state: "failed", pulled: 0 });
    expect(await git(made.here, "rev-parse", "HEAD")).toBe(before);
    const [, next = ""] =
      /it stopped half-way, .*, (git .*) ends it$/.exec(outcome?.why ?? "") ?? [];
    await git(made.here, "config", "filter.gone.smudge", "cat");
    await git(made.here, ...next.split(" ").slice(1));
    expect(await git(made.here, "status", "--porcelain")).toBe("");
    expect(await git(made.here, "diff", "origin/main")).toBe("");
  });

  withGit("two worktrees is updated in both", async () => {
    const made = await make("app", 0);
    await git(made.other, "checkout", "--quiet", "-b", "side");
    await commit(made.other, "side-1");
    const tree = `${made.here}-side`;
    await git(made.here, "fetch", "--quiet");
    await git(made.here, "worktree", "add", "--quiet", tree, "side");
    await commit(made.other, "side-2");
    await git(made.other, "checkout", "--quiet", "main");
    await commit(made.other, "main-2");
    const config = configFor({ main: { folder: made.here }, side: { folder: tree } });
    const result = await update(config, "--yes", "--json");
    expect(outcomes(result).map(({ state, pulled }) => [state, pulled])).toEqual([
      ["updated", 1],
      ["updated", 1],
    ]);
    expect(existsSync(path.join(tree, "side-2"))).toBe(true);
  });
});

describe("remotes", LIMIT, () => {
  withGit("that hang are left at once on Ctrl-C, and nothing stays behind", async () => {
    const server = await startScripted(() => undefined);
    const slow = await make("slow");
    await git(slow.here, "remote", "set-url", "origin", `git://127.0.0.1:${server.port}/slow`);
    const running = startLcops(["machine", "update", "--config", here(slow), "--yes"], {
      environment,
    });
    await until("it asks", () => Promise.resolve(server.sockets.size > 0), 20_000);
    running.send("SIGINT");
    expect(await running.ended).toMatchObject({ code: 130 });
    await server.stop();
    expect(await findPrograms(`127.0.0.1:${server.port}/slow`)).toEqual([]);
  });

  withGit("are asked four at once at most", async () => {
    const all: Made[] = [];
    for (let at = 0; at < 6; at++) all.push(await make(`repo-${at}`));
    const log = path.join(folder, "at-once");
    const wrapper = path.join(folder, "upload-pack");
    // The first four wait for each other, and leave a fifth the time to come.
    const isAlone = `[ $(grep -c begin ${log}) -lt 4 ] && [ $tries -lt 200 ]`;
    const script = `echo begin >> ${log}; tries=0
while ${isAlone}; do sleep 0.02; tries=$((tries + 1)); done
sleep 0.2; git-upload-pack "$@"; echo end >> ${log}`;
    writeFileSync(wrapper, `#!/bin/sh\n${script}\n`);
    chmodSync(wrapper, 0o755);
    for (const made of all) await git(made.here, "config", "remote.origin.uploadpack", wrapper);
    const result = await update(here(...all), "--yes", "--json");
    expect(outcomes(result).every(({ state }) => state === "updated")).toBe(true);
    let [now, most] = [0, 0];
    for (const line of readFileSync(log, "utf8").trim().split("\n")) {
      now += line === "begin" ? 1 : -1;
      most = Math.max(most, now);
    }
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  withGit("that want a password or a host's key are not asked for it", async () => {
    const server = await startScripted((socket) => {
      const head = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n";
      socket.on("data", () => socket.end(`${head}Content-Length: 0\r\nConnection: close\r\n\r\n`));
    });
    const made = await make("app");
    const url = `http://127.0.0.1:${server.port}/app.git`;
    await git(made.here, "remote", "set-url", "origin", url);
    const pty = openPty(["machine", "update", "--config", here(made)], { environment });
    expect((await pty.exit).code).toBe(1);
    expect(pty.text()).toMatch(/failed +could not read Username/);
    await server.stop();
  });
});
