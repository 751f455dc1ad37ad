/** What a client of the bulk service sees through a port; every limit is that of a broken run, not a bar. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const MEBIBYTE = 2 ** 20;
const limitMs = 60_000;
const block = Buffer.alloc(MEBIBYTE, "0123456789abcdef-");

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  socket.setTimeout(limitMs, () => socket.destroy(new Error(`nothing moves on port ${port}`)));
  await once(socket, "connect");
  return socket;
}

/** Given a port and how many MiB, download them and return the speed in MB/s, the wait for the first byte included. */
export function measureDownload(port: number, mebibytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const beganMs = performance.now();
    const socket = connect({
      port,
      host: "127.0.0.1",
      // One buffer for all: the client's own work is no part of the figure.
      onread: {
        buffer: Buffer.allocUnsafe(MEBIBYTE),
        callback: (count) => {
          bytes += count;
          return true;
        },
      },
    });
    socket.setTimeout(limitMs, () => socket.destroy(new Error(`nothing moves on port ${port}`)));
    socket.on("error", reject);
    socket.on("end", () => {
      const seconds = (performance.now() - beganMs) / 1000;
      if (bytes === mebibytes * MEBIBYTE) resolve(bytes / 1e6 / seconds);
      else reject(new Error(`${bytes} bytes instead of ${mebibytes} MiB`));
    });
    socket.write(`DOWN${mebibytes}`);
  });
}

/** Given a port and how many MiB, upload them and return the speed in MB/s, until the service has confirmed them all. */
export async function measureUpload(port: number, mebibytes: number): Promise<number> {
  const socket = await open(port);
  const beganMs = performance.now();
  socket.write("TAKE");
  for (let sent = 0; sent < mebibytes; sent++)
    if (!socket.write(block)) await once(socket, "drain");
  socket.end();
  const [answer] = (await once(socket, "data")) as [Buffer];
  const seconds = (performance.now() - beganMs) / 1000;
  socket.destroy();
  if (Number(answer) !== mebibytes * MEBIBYTE)
    throw new Error(`${String(answer)} bytes have arrived`);
  return (mebibytes * MEBIBYTE) / 1e6 / seconds;
}

/** Given a port and how often, return the milliseconds of each echo of one byte over one open connection. */
export async function measureEchoes(port: number, count: number): Promise<number[]> {
  const socket = await open(port);
  socket.write("ECHO.");
  await once(socket, "data");
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const beganMs = performance.now();
    socket.write(".");
    await once(socket, "data");
    times.push(performance.now() - beganMs);
  }
  socket.destroy();
  return times;
}

/** Given a port and how often, return the milliseconds of each new connection until its first byte has come back. */
export async function measureConnections(port: number, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const beganMs = performance.now();
    const socket = await open(port);
    socket.write("ECHO.");
    await once(socket, "data");
    times.push(performance.now() - beganMs);
    socket.destroy();
  }
  return times;
}
