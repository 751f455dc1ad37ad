import { once } from "node:events";
import { PassThrough } from "node:stream";
import { connect } from "../../src/ssh/connect.ts";
import type { Hop } from "../../src/ssh/route.ts";

/** Of the download: more than any measurement lasts. */
const mebibytes = 10_000;

/**
 * Given a host and the port of the bulk service on it, type one byte after another into a `cat` there while a download fills the same
 * connection, and return the milliseconds of each echo.
 */
export async function measureShellDuringBulk(
  hop: Hop,
  service: number,
  count: number,
): Promise<number[]> {
  const connection = await connect([hop], { signal: AbortSignal.timeout(300_000) });
  const bulk = await connection.forward({ host: "127.0.0.1", port: service });
  bulk.on("error", () => undefined).resume();
  bulk.write(`DOWN${mebibytes}`);
  await once(bulk, "data");
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const running = connection.execute("exec cat", { stdin, stdout, stderr });
  const times: number[] = [];
  for (let index = 0; index <= count; index++) {
    const beganMs = performance.now();
    stdin.write(".");
    await once(stdout, "data");
    // The first one has the start of `cat` in it.
    if (index > 0) times.push(performance.now() - beganMs);
  }
  stdin.end();
  await running;
  if (bulk.readableEnded) throw new Error("the download was over before the echoes");
  await connection.close();
  return times;
}
