import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { measureConnections, measureDownload, measureUpload } from "../bench/measure-service.ts";
import { serve } from "../bench/serve.ts";
import { startRelay, type RelaySettings } from "../lab/relay.ts";
import { makeGround, startSshd } from "../ssh/start-sshd.ts";
import { until } from "../support/until.ts";
import { writeTunnel } from "../support/bare-tunnel.ts";
import { startLcops, type RunningLcops } from "../support/run-lcops.ts";

const limitMs = 600_000;

/**
 * Given how many short connections (700), make them one after the other; then move 320 MiB over four channels of a server that renews
 * its keys every 4 MiB; then keep five channels busy on 300 kB/s for a minute. Throws where one fails, memory grows, or the tunnel
 * takes a busy connection for a dead one.
 */
export async function soakChannels(count = 700): Promise<string> {
  const short = await withTunnel([], {}, async (port, tunnel) => {
    const read = async (): Promise<number> => {
      const status = await readFile(`/proc/${tunnel.pid}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    };
    await measureConnections(port, count);
    const before = await read();
    await measureConnections(port, count);
    const growth = (await read()) - before;
    if (growth > 20) throw new Error(`${growth.toFixed(1)} MB more after ${count} connections`);
    return `${count} short connections, twice: ${growth.toFixed(1)} MB more memory the second time`;
  });
  const renewing = await withTunnel(["RekeyLimit 4M"], {}, async (port) => {
    await Promise.all([
      measureDownload(port, 80),
      measureUpload(port, 80),
      measureDownload(port, 80),
      measureUpload(port, 80),
      measureConnections(port, 50),
    ]);
    return "320 MiB and 50 connections over keys renewed every 4 MiB: whole";
  });
  const slow = await withTunnel([], { bytesPerSecond: 300_000 }, async (port) => {
    let bytes = 0;
    const sockets = Array.from({ length: 5 }, () => {
      const socket = connect(port, "127.0.0.1");
      socket.write("DOWN1000");
      socket.on("data", (chunk) => (bytes += chunk.length));
      return socket;
    });
    const broken = Promise.race(
      sockets.map(async (socket) => {
        await once(socket, "close");
        throw new Error("a busy channel was closed");
      }),
    );
    broken.catch(() => undefined);
    await Promise.race([wait(60_000), broken]);
    for (const socket of sockets) socket.removeAllListeners("close").destroy();
    if (bytes < 10_000_000) throw new Error(`${bytes} bytes in a minute`);
    return `5 channels on 300 kB/s for 60 s: ${(bytes / 1e6).toFixed(1)} MB, no false alarm`;
  });
  return [short, renewing, slow].join("; ");
}

/** Runs `use` on a tunnel of its own; throws where the tunnel has said anything after it was ready, or leaves sockets. */
async function withTunnel(
  settings: string[],
  network: RelaySettings,
  use: (port: number, tunnel: RunningLcops) => Promise<string>,
): Promise<string> {
  const ground = await makeGround();
  try {
    const sshd = await startSshd(ground, "sshd", { settings });
    const service = await serve(ground, "serve-bulk.ts");
    const relay = await startRelay({ host: sshd.address, port: sshd.port, ...network });
    ground.onStop(relay.close);
    const { port, environment } = await writeTunnel(ground, relay, sshd.knownHosts, service);
    const tunnel = startLcops(["tunnel", "open", "bulk"], { environment, timeoutMs: limitMs });
    ground.onStop(() => tunnel.send("SIGTERM"));
    await tunnel.waitFor(/ready \(/);
    const said = await use(port, tunnel);
    if (relay.counters().connections !== 1) throw new Error("the connection was made again");
    tunnel.send("SIGTERM");
    const { code, stderr } = await tunnel.ended;
    if (code !== 143) throw new Error(`the tunnel ended with ${code}: ${stderr}`);
    await until("its transport is gone", () => relay.counters().open === 0);
    return said;
  } finally {
    await ground.stop();
  }
}
