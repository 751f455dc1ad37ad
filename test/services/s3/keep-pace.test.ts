import { expect, test } from "vitest";
import { keepPace } from "../../../src/services/s3/keep-pace.ts";

const never = new AbortController().signal;
const answer = (status: number, name = "Error"): Error =>
  Object.assign(new Error("no"), { name, $metadata: { httpStatusCode: status } });

/** Runs tasks, and returns the most that were under way at once. */
async function busiest(pace: ReturnType<typeof keepPace>, tasks: number): Promise<number> {
  let running = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: tasks }, () =>
      pace.run(async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 1));
        running--;
      }),
    ),
  );
  return most;
}

test("more is asked at once as long as it is answered, and less where S3 asks for it", async () => {
  const pace = keepPace(never);
  const first = await busiest(pace, 16);
  const grown = await busiest(pace, 3_000);
  expect(first).toBeLessThanOrEqual(16);
  expect(grown).toBeGreaterThan(32);
  expect(grown).toBeLessThanOrEqual(64);
  // Four storms, one after the other; each halves it once, however many it hits.
  for (let storm = 0; storm < 4; storm++) {
    let calm = false;
    await Promise.all(
      Array.from({ length: 8 }, () =>
        pace
          .run(async () => {
            await new Promise((resolve) => setTimeout(resolve, 2));
            if (!calm) throw answer(503, "SlowDown");
          })
          .finally(() => (calm = true)),
      ).concat([
        new Promise<void>((resolve) =>
          setTimeout(() => {
            calm = true;
            resolve();
          }, 20),
        ),
      ]),
    );
  }
  expect(await busiest(pace, 20)).toBeLessThan(grown / 4);
  expect(pace.retries()).toBeGreaterThanOrEqual(32);
}, 30_000);

test("what may be otherwise the next time is tried again; what stays so is thrown at once", async () => {
  const pace = keepPace(never);
  for (const [failure, asked] of [
    [answer(503), 3],
    [answer(500), 3],
    [Object.assign(new Error("reset"), { code: "ECONNRESET" }), 3],
    [answer(403, "AccessDenied"), 1],
    [answer(404, "NoSuchKey"), 1],
    [answer(412, "PreconditionFailed"), 1],
  ] as const) {
    let count = 0;
    const result = await pace
      .run(() => {
        if (++count < 3) return Promise.reject(failure);
        return Promise.resolve("answered");
      })
      .catch((error: unknown) => error);
    expect({ count, result }).toEqual({
      count: asked,
      result: asked === 3 ? "answered" : failure,
    });
  }
});

test("what waits ends by the signal", async () => {
  const stop = new AbortController();
  const pace = keepPace(stop.signal);
  const stuck = pace.run(() => Promise.reject(answer(503)));
  setTimeout(() => stop.abort(new Error("stopped")), 20);
  await expect(stuck).rejects.toThrow("stopped");
});
