/** Who is told of how everything is, and of what the fleet has done: a real room of Prosody, and programs that note what they hear. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Config } from "../../src/config/schema.ts";
import type { Finding } from "../../src/system/finding.ts";
import { startScripted, type ScriptedServer } from "../services/scripted-server.ts";
import { makeGround, type Ground } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { runLcops, startLcops, type LcopsResult } from "../support/run-lcops.ts";
import { openPty } from "../support/pty.ts";
import { visitRoom } from "../support/visit-room.ts";

let ground: Ground;
let page: ScriptedServer | undefined;
let pagePort: number;
beforeAll(async () => {
  ground = await makeGround();
  pagePort = await ground.pickPort();
});
afterAll(async () => {
  await page?.stop();
  ground.remove();
});

const heardBy = (name: string): Record<string, unknown>[] => {
  const file = path.join(ground.folder, name);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
};

/** A recipient that notes down what it hears. */
const note = (name: string): { command: [string, ...string[]] } => ({
  command: ["sh", "-c", 'cat >> "$0"', path.join(ground.folder, name)],
});

/** One tunnel's host that is not there: `health` has one thing that fails, and what is behind it that nobody knows. */
function configOf(change: (config: Config) => void): string {
  return ground.deriveConfig((config) => {
    for (const environment of Object.values(config.environments ?? {})) delete environment.aws;
    delete config.backups;
    delete config.menu;
    const { TextLogs } = config.hosts ?? {};
    config.hosts = TextLogs ? { TextLogs } : {};
    config.services = {};
    change(config);
  });
}

const lcops = (config: string, ...words: string[]): Promise<LcopsResult> =>
  runLcops(words, {
    environment: { ...ground.environment, LCOPS_CONFIG: config },
    timeoutMs: 60_000,
  });

function forget(): void {
  rmSync(path.join(ground.environment["XDG_STATE_HOME"] ?? "", "lcops"), {
    recursive: true,
    force: true,
  });
}

/** The host as it is, or at a port where nobody listens. */
const place = (isThere: boolean) => (config: Config) => {
  const host = config.hosts?.["TextLogs"];
  if (!isThere) Object.assign(host ?? {}, { address: { eip: "127.0.0.1" }, port: pagePort });
};

describe("health", () => {
  testWith("hosts", "xmpp")(
    "tells the team's room what gets worse once, and that it is over",
    async () => {
      forget();
      const { xmpp } = ground.lab.services;
      if (!xmpp) return;
      const ada = await visitRoom(xmpp, "ada");
      const write = (isThere: boolean): string => {
        const derived = configOf((config) => {
          place(isThere)(config);
          config.health = { notify: ["team"] };
        });
        return ground.writeFile("told.json", readFileSync(derived, "utf8"));
      };
      const config = write(false);
      const first = await lcops(config, "health", "-v");
      expect(first).toMatchObject({
        code: 4,
        stderr: expect.not.stringContaining("told") as string,
      });
      const [said] = await ada.waitFor(/fail host TextLogs/);
      expect(said).toEqual({
        from: "lcops",
        // From the level on that the configuration says.
        body: expect.stringMatching(/^@all .*\bada\b.*: fail host TextLogs: .+/) as string,
      });
      const second = await lcops(config, "health", "-v");
      expect(second.code).toBe(4);
      expect(first.stderr + second.stderr).not.toContain(
        readFileSync(xmpp.passwordFiles["lcops"] ?? "", "utf8"),
      );
      write(true);
      await lcops(config, "health");
      const [, over, ...more] = await ada.waitFor(/well again/);
      expect(over?.body).toMatch(/^well again host TextLogs: /);
      // The second run had nothing new to say.
      expect(more).toEqual([]);
      await ada.leave();
    },
  );

  testWith("hosts")("tells nobody where somebody looks", async () => {
    forget();
    const config = configOf((changed) => {
      place(false)(changed);
      changed.notify = { trouble: note("looked") };
      changed.health = { notify: ["trouble"] };
    });
    const pty = openPty(["health", "--config", config], { environment: ground.environment });
    expect((await pty.exit).code).toBe(4);
    expect(heardBy("looked")).toEqual([]);
    expect((await lcops(config, "health")).code).toBe(4);
    expect(heardBy("looked")).toEqual([
      expect.objectContaining({
        event: "health",
        level: "fail",
        text: expect.stringContaining("fail host TextLogs: ") as string,
        worse: expect.arrayContaining([
          expect.objectContaining({ area: "host", name: "TextLogs", state: "fail" }),
        ]) as unknown,
      }),
    ]);
  });

  testWith("hosts")("tells once more whom it could not tell, and nobody else", async () => {
    forget();
    const config = configOf((changed) => {
      place(false)(changed);
      const file = path.join(ground.folder, "later");
      changed.notify = {
        first: note("first"),
        later: { command: ["sh", "-c", `test -e '${file}' && cat >> '${file}'`] },
      };
      changed.health = { notify: ["later", "first"] };
    });
    const missed = await lcops(config, "health");
    expect(missed).toMatchObject({ code: 4 });
    expect(missed.stderr).toContain("lcops: health: later was not told: sh ended with 1\n");
    ground.writeFile("later", "");
    await lcops(config, "health");
    await lcops(config, "health");
    expect(heardBy("later")).toHaveLength(1);
    expect(heardBy("first")).toHaveLength(1);
  });

  testWith("hosts", "xmpp")(
    "is not held up by a server that says nothing more, and leaves no wait behind",
    async () => {
      forget();
      page = await startScripted((socket) => void socket.resume());
      const { host, port } = page;
      const config = configOf((changed) => {
        place(false)(changed);
        const team = changed.notify?.["team"];
        if (team && "xmpp" in team) team.xmpp.server = `${host}:${port}`;
        changed.health = { notify: ["team"] };
      });
      const result = await lcops(config, "health");
      expect(result.code).toBe(4);
      expect(result.stderr).toContain(
        "team was not told: the room ops@rooms.chat.lab has not answered within 15 s",
      );
      await expect.poll(() => page?.sockets.size, { timeout: 20_000 }).toBe(0);
      const waiting = startLcops(["health", "--config", config], {
        environment: ground.environment,
      });
      await expect.poll(() => page?.sockets.size, { timeout: 20_000 }).toBe(1);
      waiting.send("SIGTERM");
      expect((await waiting.ended).code).toBe(143);
    },
    90_000,
  );
});

describe("the fleet", () => {
  testWith("hosts")("tells how a command has ended, and not what it was", async () => {
    const config = configOf((changed) => {
      changed.notify = { trouble: note("failed"), always: { ...note("ended"), when: "always" } };
      changed.fleet = { notify: ["trouble", "always"] };
    });
    const well = await lcops(config, "fleet", "run", "TextLogs", "--", "true");
    expect(well.code).toBe(0);
    const failed = await lcops(config, "fleet", "run", "TextLogs", "--", "echo S3CRET; exit 7");
    expect(failed.code).toBe(1);
    expect(heardBy("failed")).toEqual([
      expect.objectContaining({
        event: "fleet run",
        level: "fail",
        text: "fleet run on TextLogs: 1 failed; not done on TextLogs",
        counts: expect.objectContaining({ failed: 1, done: 0 }) as unknown,
      }),
    ]);
    expect(heardBy("ended")).toHaveLength(2);
    expect(readFileSync(path.join(ground.folder, "ended"), "utf8")).not.toContain("S3CRET");
  });
});

describe("doctor", () => {
  const findings = async (config: string): Promise<Record<string, Finding>> => {
    const { stdout } = await lcops(config, "doctor", "--json");
    const ofNotify = (JSON.parse(stdout) as Finding[]).filter(({ area }) => area === "notify");
    return Object.fromEntries(ofNotify.map((finding) => [finding.name, finding]));
  };

  test("says who could not be told, and tells nobody anything", async () => {
    const config = configOf((changed) => {
      changed.hosts = {};
      changed.notify = {
        hook: { webhook: `\${file:${ground.writeFile("hook", "https://example.com/T0K3N")}}` },
        lost: { webhook: "${env:NOT_SET}" },
        none: { webhook: `\${file:${ground.writeFile("none", "T0K3N")}}` },
        program: note("never"),
        missing: { command: ["no-such-program"] },
      };
    });
    const found = await findings(config);
    expect(Object.values(found).map(({ name, state, detail }) => [name, state, detail])).toEqual([
      ["hook", "ok", "its address is known; nothing was posted"],
      ["lost", "fail", "the secret ${env:NOT_SET} is not set"],
      ["none", "fail", "its secret is no address"],
      ["program", "ok", "its program is there"],
      ["missing", "fail", "no-such-program is not installed"],
    ]);
    expect(found["missing"]?.next).toBe("mend notify.missing");
    expect(heardBy("never")).toEqual([]);
  });

  testWith("xmpp")("enters the room and says nothing there", async () => {
    const { xmpp } = ground.lab.services;
    if (!xmpp) return;
    const grace = await visitRoom(xmpp, "grace");
    const config = configOf((changed) => {
      changed.hosts = {};
      const team = changed.notify?.["team"];
      if (!team || !("xmpp" in team)) return;
      const wrong = structuredClone(team);
      wrong.xmpp.password = `\${file:${ground.writeFile("wrong", "S3SAME")}}`;
      const lost = structuredClone(team);
      lost.xmpp.room = xmpp.room.replace("ops@", "lost@");
      changed.notify = { ...changed.notify, wrong, lost };
    });
    const found = await findings(config);
    expect(found["team"]).toMatchObject({ state: "ok" });
    expect(found["wrong"]).toMatchObject({
      state: "fail",
      detail: "the server refuses lcops@chat.lab: not-authorized",
    });
    expect(found["lost"]?.detail).toBe("there is no room lost@rooms.chat.lab");
    expect(grace.heard()).toEqual([]);
    await grace.leave();
  });
});
