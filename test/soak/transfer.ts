import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readlink } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { SupervisedTunnel } from "../../src/tunnels/control-protocol.ts";
import { measureConnections } from "../bench/measure-service.ts";
import { serve } from "../bench/serve.ts";
import { startRelay } from "../lab/relay.ts";
import { makeGround, startSshd } from "../ssh/start-sshd.ts";
import { until } from "../support/until.ts";
import { writeTunnel } from "../support/bare-tunnel.ts";
import { runLcops } from "../support/run-lcops.ts";

const TRANSFERS = 20;
const MEBIBYTES = 8;
/** So much takes a second and a half, of which the cut may come at any time. */
const BYTES_PER_SECOND = 60_000_000;

/**
 * Given how often (100), cut the transport at a random point of 20 downloads and uploads through a tunnel in the background; return
 * what was seen. Throws where a transfer that was cut looks complete or hangs, a later request is not served, or anything is left.
 */
export async function soakTransfer(count = 100): Promise<string> {
  const ground = await makeGround();
  try {
    const sshd = await startSshd(ground, "sshd");
    const service = await serve(ground, "serve-bulk.ts");
    const relay = await startRelay({
      host: sshd.address,
      port: sshd.port,
      bytesPerSecond: BYTES_PER_SECOND,
    });
    ground.onStop(relay.close);
    const { port, environment } = await writeTunnel(ground, relay, sshd.knownHosts, service);
    const lcops = async (...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runLcops(words, { environment });
      if (code !== 0) throw new Error(`lcops ${words.join(" ")}: ${code}\n${stderr}`);
      return stdout;
    };
    const list = async (): Promise<SupervisedTunnel[]> =>
      JSON.parse(await lcops("tunnel", "list", "--json")) as SupervisedTunnel[];
    ground.onStop(() => runLcops(["tunnel", "close", "--all"], { environment }));
    await lcops("tunnel", "open", "--detach", "bulk");
    const pid = (await list())[0]?.pid ?? 0;
    const sockets = (): Promise<number> => countSockets(pid);
    await measureConnections(port, 1);
    const before = await sockets();

    const seen = { whole: 0, reset: 0 };
    let slowestMs = 0;
    for (let round = 0; round < count; round++) {
      const transfers = Array.from({ length: TRANSFERS }, (_, index) =>
        transfer(port, index % 2 === 0 ? "DOWN" : "TAKE"),
      );
      await wait(100 + Math.random() * 2400);
      const began = performance.now();
      relay[round % 2 === 0 ? "cut" : "reset"]();
      for (const { end, atMs } of await Promise.all(transfers)) {
        if (end !== "whole" && end !== "reset") throw new Error(`round ${round}: ${end}`);
        seen[end]++;
        if (end === "reset") slowestMs = Math.max(slowestMs, atMs - began);
      }
      // By itself it would wait longer after each loss; whoever cannot wait says so.
      await runLcops(["tunnel", "retry", "bulk"], { environment });
      await request(port);
      if (relay.counters().open !== 1) throw new Error(`${relay.counters().open} transports`);
    }
    await until("the sockets are gone", async () => (await sockets()) <= before);
    const [tunnel] = await list();
    if (tunnel?.pid !== pid) throw new Error("another supervisor holds the tunnel now");
    if (tunnel.reconnects < count) throw new Error(`${tunnel.reconnects} reconnects only`);
    await lcops("tunnel", "close", "bulk");
    await until("the supervisor is gone", async () => !(await readdir("/proc")).includes(`${pid}`));
    await until("its transport is gone", () => relay.counters().open === 0);
    return `${count} cuts of ${TRANSFERS} transfers: ${seen.reset} reset, ${seen.whole} whole, none cut short with a clean end, each told within ${Math.round(slowestMs)} ms; every later request served, ${tunnel.reconnects} reconnects, nothing left`;
  } finally {
    await ground.stop();
  }
}

/** Returns when it ended and how: `whole`, `reset`, or a word about what must not be. */
async function transfer(
  port: number,
  word: "DOWN" | "TAKE",
): Promise<{ end: string; atMs: number }> {
  const script = join(import.meta.dirname, "transfer.pl");
  const child = spawn("perl", [script, String(port), word, String(MEBIBYTES)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (text: Buffer) => (said += text.toString()));
  await once(child, "close");
  return { end: said, atMs: performance.now() };
}

/** One byte and back, on a connection that waits for the tunnel if it must. */
async function request(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.write("ECHO.");
  await once(socket, "data");
  socket.destroy();
}

async function countSockets(pid: number): Promise<number> {
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.all(
    (await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => "")),
  );
  return links.filter((link) => link.startsWith("socket:")).length;
}
