import { afterAll, beforeAll, describe, expect } from "vitest";
import { makeGround, type Ground } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { isLeftRaw, openPty, type Pty } from "../support/pty.ts";
import { LCOPS } from "../support/program.ts";
import { runLcops, startProgram, type LcopsResult } from "../support/run-lcops.ts";

let ground: Ground;
beforeAll(async () => {
  ground = await makeGround();
});
afterAll(() => ground.remove());

const lcops = (args: string[], stdin?: string): Promise<LcopsResult> =>
  runLcops(args, { environment: ground.environment, ...(stdin !== undefined && { stdin }) });

async function withShell(work: (pty: Pty) => Promise<void>): Promise<void> {
  const pty = openPty(["ssh", "GraphStats"], { environment: ground.environment, showsMode: true });
  try {
    await pty.waitFor("GraphStats:~");
    await work(pty);
  } finally {
    pty.kill();
  }
}

describe("a shell in a terminal", () => {
  testWith("hosts")("gives Ctrl-C to the remote program", () =>
    withShell(async (pty) => {
      // What says so is the program that is to get it: bash has put it into the foreground.
      pty.type(`sh -c "echo begun; exec sleep 60"; echo code=$?\r`);
      await pty.waitFor(/^begun$/m);
      pty.press("ctrl-c");
      await pty.waitFor(/\^C\n(code=130\n)?GraphStats:~/);
      pty.type("echo still=$LAB_HOST; exit 6\r");
      expect((await pty.exit).code).toBe(6);
      expect(pty.text()).toContain("\nstill=GraphStats\n");
      expect(isLeftRaw(pty.text())).toBe(false);
    }),
  );

  testWith("hosts")("ends with Ctrl-D, and leaves the terminal as it was", () =>
    withShell(async (pty) => {
      pty.press("ctrl-d");
      expect((await pty.exit).code).toBe(0);
      expect(isLeftRaw(pty.text())).toBe(false);
    }),
  );

  testWith("hosts")("has the size of the terminal, and follows it", () =>
    withShell(async (pty) => {
      pty.type("stty size; echo $TERM\r");
      await pty.waitFor(/\n40 100\nxterm-256color\n/);
      pty.type(
        `bash -c 'trap "stty size; exit" WINCH; echo armed; while :; do sleep 0.05; done'\r`,
      );
      await pty.waitFor(/^armed$/m);
      pty.resize(90, 30);
      await pty.waitFor(/^30 90$/m);
      pty.type("exit\r");
      expect((await pty.exit).code).toBe(0);
    }),
  );
});

describe("a command on a host", () => {
  testWith("hosts")("gets stdin, and its output and errors stay apart", async () => {
    const result = await lcops(["ssh", "GraphStats", "--", "cat; echo oops >&2"], "some\ntext");
    expect(result).toEqual({ code: 0, signal: null, stdout: "some\ntext", stderr: "oops\n" });
  });

  testWith("hosts")("of several words gets them as they are", async () => {
    const words = ["a b", "$HOME", "it's", ";true", ""];
    const result = await lcops(["ssh", "GraphStats", "--", "printf", "%s|", ...words]);
    expect(result).toMatchObject({ code: 0, stdout: "a b|$HOME|it's|;true||" });
  });

  testWith("hosts")("whose output nobody reads any more ends, and lcops quietly", async () => {
    const script = '"$@" | head -1; echo "code ${PIPESTATUS[0]}"';
    const words = [process.execPath, LCOPS, "ssh", "GraphStats", "--", "yes"];
    const { stdout, stderr } = await startProgram("bash", ["-c", script, "bash", ...words], {
      environment: ground.environment,
      timeoutMs: 30_000,
    }).ended;
    expect([stdout, stderr]).toEqual(["y\ncode 0\n", ""]);
  });

  testWith("hosts")("whose complaints nobody reads any more is done to its end", async () => {
    const command = "for i in 1 2 3 4 5 6; do echo e$i >&2; echo o$i; sleep 0.2; done; exit 7";
    const script = '"$@" 2> >(head -1 >&2); echo "code $?"';
    const words = [process.execPath, LCOPS, "ssh", "GraphStats", "--", command];
    const { stdout } = await startProgram("bash", ["-c", script, "bash", ...words], {
      environment: ground.environment,
      timeoutMs: 30_000,
    }).ended;
    expect(stdout).toBe("o1\no2\no3\no4\no5\no6\ncode 7\n");
  });

  testWith("hosts")("onto a disk that is full says so once", async () => {
    const script = '"$@" > /dev/full; echo "code $?" >&2';
    const words = [process.execPath, LCOPS, "ssh", "GraphStats", "--", "yes"];
    const { stderr } = await startProgram("bash", ["-c", script, "bash", ...words], {
      environment: ground.environment,
      timeoutMs: 30_000,
    }).ended;
    expect(stderr).toBe(
      "lcops: cannot write the output: ENOSPC: no space left on device, write\ncode 1\n",
    );
  });

  testWith("hosts")("is told by a selector that picks one host", async () => {
    const result = await lcops(["ssh", "role=worker", "--", "echo $LAB_HOST"]);
    expect(result).toMatchObject({ code: 0, stdout: "WorkerStats\n", stderr: "" });
  });
});

describe("a host in a private network", () => {
  testWith("bastion")("is reached through the bastion", async () => {
    const result = await lcops(["ssh", "db-admin", "--", "echo $LAB_HOST"]);
    expect(result).toMatchObject({ code: 0, stdout: "db-admin\n", stderr: "" });
  });

  testWith("bastion")("is reached through a ProxyCommand", async () => {
    const result = await lcops(["ssh", "db-admin-proxy", "--", "echo $LAB_HOST"]);
    expect(result).toMatchObject({ code: 0, stdout: "db-admin\n", stderr: "" });
  });

  testWith("bastion")("is not reached without either", async () => {
    const { configFile } = ground.writeSshConfig([]);
    const config = ground.deriveConfig((changed) => {
      changed.ssh = { configFile };
      delete changed.hosts?.["db-admin"]?.jump;
    });
    const result = await lcops(["ssh", "db-admin", "--config", config, "--", "echo $LAB_HOST"]);
    expect(result).toMatchObject({ code: 255, stdout: "" });
    expect(result.stderr).toMatch(/^lcops: .*db-admin.*refused/);
  });
});
