import { readFileSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../src/ssh/connect.ts";
import type { Hop, Route } from "../../src/ssh/route.ts";
import {
  collect,
  freePort,
  hopTo,
  makeGround,
  operatorError,
  publicKey,
  sshdMissing,
  startRelay,
  startServer,
  startSshd,
  user,
  type TestGround,
  type TestSshd,
} from "./start-sshd.ts";
import { until } from "../support/until.ts";

const signal = new AbortController().signal;

/** Programs whose command line holds the text. */
function programsWith(text: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(text));
}

describe.skipIf(sshdMissing)("more than one hop", () => {
  let ground: TestGround;
  let bastion: TestSshd;
  let inner: TestSshd;
  beforeAll(async () => {
    ground = await makeGround();
    [bastion, inner] = await Promise.all([
      startSshd(ground, "bastion", { address: "127.0.0.83" }),
      startSshd(ground, "inner", { address: "127.0.0.84" }),
    ]);
  });
  afterAll(() => ground.stop());
  const route = async (
    outerChanges: Partial<Hop> = {},
    innerChanges: Partial<Hop> = {},
  ): Promise<Route> => [
    await hopTo(ground, bastion, "bastion", outerChanges),
    await hopTo(ground, inner, "inner", innerChanges),
  ];

  test("reaches the inner host, and closes inside-out", async () => {
    const connection = await connect(await route(), { signal });
    const stdout = collect();
    expect(await connection.execute("echo $SSH_CONNECTION", { stdout, stderr: collect() })).toEqual(
      { code: 0 },
    );
    expect(stdout.text()).toContain(`127.0.0.84 ${inner.port}`);
    expect(connection.label).toBe(`hop 2 of 2, inner (127.0.0.84:${inner.port})`);
    const started = performance.now();
    await connection.close();
    expect(performance.now() - started).toBeLessThan(450);
    expect(await connection.closed).toBeUndefined();
  });

  test("hop 1 dead", async () => {
    const error = await operatorError(
      connect(await route({ port: await freePort("127.0.0.83") }), { signal }),
    );
    expect(error.message).toMatch(
      /^hop 1 of 2, bastion \(127\.0\.0\.83:\d+\): the connection was refused/,
    );
  });

  test("hop 2 dead", async () => {
    const error = await operatorError(
      connect(await route({}, { port: await freePort("127.0.0.84") }), { signal }),
    );
    expect(error.kind).toBe("unreachable");
    expect(error.message).toMatch(
      /^hop 2 of 2, inner \(127\.0\.0\.84:\d+\): not reached through hop 1 of 2, bastion .*Connection refused/,
    );
  });

  test("hop 2 silent", async () => {
    const silent = await startServer(ground, () => {});
    const error = await operatorError(
      connect(await route({}, silent), { signal, connectTimeoutMs: 500 }),
    );
    expect(error.message).toMatch(/^hop 2 of 2, inner .* waiting for its SSH greeting/);
  });

  test("inner host key wrong: refused, and the bastion is left", async () => {
    const knownHosts = join(ground.folder, "inner-wrong");
    await writeFile(knownHosts, `[127.0.0.84]:${inner.port} ${await publicKey(ground.key)}\n`);
    const error = await operatorError(
      connect(await route({}, { knownHostsFiles: [knownHosts] }), { signal }),
    );
    expect(error.message).toMatch(/^hop 2 of 2, inner .*: the host key has changed/);
    await until("the bastion sees the end", async () =>
      /Disconnected from user|Connection closed/.test(
        (await bastion.log()).split("Accepted").at(-1) ?? "",
      ),
    );
  });

  test("the outer hop is lost: one reason for everything", async () => {
    const relay = await startRelay(ground, bastion);
    const outer = await hopTo(ground, bastion, "bastion");
    const known = join(ground.folder, "relay-known");
    await writeFile(
      known,
      bastion.knownHosts.join("\n").replace(/^\S+/, `[${relay.address}]:${relay.port}`),
    );
    const [, innerHop] = await route();
    if (!innerHop) throw new Error("no inner hop");
    const connection = await connect([{ ...outer, ...relay, knownHostsFiles: [known] }, innerHop], {
      signal,
    });
    const running = connection.execute("sleep 60", { stdout: collect(), stderr: collect() });
    const failed = operatorError(running);
    const stream = await connection.forward({ host: inner.address, port: inner.port });
    const errors: Error[] = [];
    stream.on("error", (error) => errors.push(error));
    stream.resume();
    await wait(100);
    relay.cut();
    const reason = await connection.closed;
    expect(reason?.message).toMatch(
      /^hop 1 of 2, bastion \(127\.0\.0\.82:\d+\): the connection was lost after \d s: read ECONNRESET/,
    );
    expect((await failed).message).toBe(reason?.message);
    expect(errors.map((error) => error.message)).toEqual([reason?.message]);
    await expect(connection.forward({ host: inner.address, port: 1 })).rejects.toThrow(
      reason?.message,
    );
    await connection.close();
  });

  test("the server renews its keys on both hops", async () => {
    const settings = { settings: ["RekeyLimit 128K"] };
    const [outer, last] = await Promise.all([
      startSshd(ground, "rekey-outer", settings),
      startSshd(ground, "rekey-inner", settings),
    ]);
    const hops: Route = [await hopTo(ground, outer, "outer"), await hopTo(ground, last, "last")];
    const connection = await connect(hops, { signal });
    const stdout = collect();
    await connection.execute("head -c 400000 /dev/zero", { stdout, stderr: collect() });
    expect(stdout.sizeBytes()).toBe(400_000);
    await connection.close();
  });

  describe("ProxyCommand", () => {
    test("through the real ssh program, which is gone afterwards", async () => {
      const config = join(ground.folder, "ssh_config");
      const known = join(ground.folder, "proxy-known");
      await writeFile(known, bastion.knownHosts.join("\n"));
      await writeFile(
        config,
        `Host bastion\n HostName 127.0.0.83\n Port ${bastion.port}\n User ${user}\n IdentityFile ${ground.key}\n IdentitiesOnly yes\n UserKnownHostsFile ${known}\n GlobalKnownHostsFile /dev/null\n BatchMode yes\n`,
      );
      const proxyCommand = `ssh -F ${config} -W 127.0.0.84:${inner.port} bastion`;
      const connection = await connect([await hopTo(ground, inner, "inner", { proxyCommand })], {
        signal,
      });
      const stdout = collect();
      expect(
        await connection.execute("head -c 3000000 /dev/zero", { stdout, stderr: collect() }),
      ).toEqual({ code: 0 });
      expect(stdout.sizeBytes()).toBe(3_000_000);
      expect(programsWith(config)).toHaveLength(1);
      await connection.close();
      await until("the program is gone", () => programsWith(config).length === 0);
    });

    test("a failing one: its exit code and its words", async () => {
      const proxyCommand = `sh -c 'printf "token \\033[31mexpired\\nsign in again\\n" >&2; exit 7'`;
      const error = await operatorError(
        connect([await hopTo(ground, inner, "inner", { proxyCommand })], { signal }),
      );
      expect(error.kind).toBe("unreachable");
      expect(error.message).toContain("its ProxyCommand ended with exit code 7");
      expect(error.details).toEqual(["token \\x1b[31mexpired", "sign in again"]);
      expect(error.next).toContain("ProxyCommand");
    });

    test("a missing program", async () => {
      const error = await operatorError(
        connect([await hopTo(ground, inner, "inner", { proxyCommand: "no-such-program-here 1" })], {
          signal,
        }),
      );
      expect(error.message).toContain("exit code 127");
      expect(error.details.join()).toContain("not found");
    });

    test("one that says nothing is killed when the time is over", async () => {
      const proxyCommand = "sleep 61.25";
      const hop = await hopTo(ground, inner, "inner", { proxyCommand });
      const error = await operatorError(connect([hop], { signal, connectTimeoutMs: 400 }));
      expect(error.message).toContain("nothing within 0.4 s");
      await until("the program is gone", () => programsWith("sleep 61.25").length === 0);
    });
  });
});
