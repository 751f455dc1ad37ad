import { setTimeout as wait } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { Connection } from "../../src/ssh/connect.ts";
import { OperatorError } from "../../src/system/errors.ts";
import { backoff } from "../../src/tunnels/backoff.ts";
import {
  type ConnectionState,
  keepConnection,
  type KeptConnection,
} from "../../src/tunnels/keep-connection.ts";

/** A connection over nothing, which can be lost. */
function makeConnection(address: string): Connection & { lose: (reason?: OperatorError) => void } {
  let lose: (reason?: OperatorError) => void = () => {};
  let isOpen = true;
  const closed = new Promise<OperatorError | undefined>((resolve) => {
    lose = (reason) => {
      isOpen = false;
      resolve(reason);
    };
  });
  const notAsked = (): Promise<never> => Promise.reject(new Error("not asked for"));
  return {
    host: "web",
    address,
    label: "web",
    forward: notAsked,
    execute: notAsked,
    openShell: notAsked,
    isOpen: () => isOpen,
    closed,
    close: async () => lose(),
    lose,
  };
}

const lost = new OperatorError("unreachable", "web: the connection was lost");
const denied = new OperatorError("access", "web: the host key has changed");

let kept: KeptConnection | undefined;
afterEach(() => kept?.close());

function keep(outcomes: (Connection | OperatorError)[]): {
  states: ConnectionState["state"][];
  dials: () => number;
  most: () => number;
  kept: KeptConnection;
} {
  const states: ConnectionState["state"][] = [];
  let dials = 0;
  let under = 0;
  let most = 0;
  kept = keepConnection({
    signal: new AbortController().signal,
    report: ({ state }) => states.push(state),
    dial: async () => {
      most = Math.max(most, ++under);
      await wait(1);
      under--;
      const outcome = outcomes[Math.min(dials++, outcomes.length - 1)];
      if (!outcome || outcome instanceof Error) throw outcome ?? new Error("no outcome");
      return outcome;
    },
  });
  return { states, dials: () => dials, most: () => most, kept };
}

describe("the wait between two tries", () => {
  test("doubles from half a second to thirty, and is half more or less", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 1_000].map((failures) => backoff(failures, 0.5))).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
    ]);
    expect([backoff(0, 0), backoff(0, 1), backoff(9, 0), backoff(9, 1)]).toEqual([
      250, 750, 15_000, 45_000,
    ]);
  });
});

describe("a connection that is kept", () => {
  test("is dialled again when it is lost, and who waits gets the new one", async () => {
    const [first, second] = [makeConnection("10.0.0.1"), makeConnection("10.0.0.2")];
    const made = keep([first, lost, second]);
    expect(await made.kept.start()).toBe(first);
    expect(await made.kept.get()).toBe(first);
    first.lose(lost);
    await wait(5);
    expect(made.kept.status().current).toMatchObject({ state: "waiting", reason: lost });
    const waiting = made.kept.get();
    expect(await waiting).toBe(second);
    expect(made.kept.status()).toMatchObject({
      current: { state: "up", address: "10.0.0.2" },
      reconnects: 1,
    });
    expect(made.states).toEqual([
      "connecting",
      "up",
      "waiting",
      "connecting",
      "waiting",
      "connecting",
      "up",
    ]);
  });

  test("is dialled once where only the operator can help, until it is retried", async () => {
    const [first, second] = [makeConnection("10.0.0.1"), makeConnection("10.0.0.1")];
    const made = keep([first, denied, second]);
    await made.kept.start();
    first.lose(lost);
    while (made.kept.status().current.state !== "failed") await wait(10);
    const { dials } = made;
    expect(dials()).toBe(2);
    await expect(made.kept.get()).rejects.toBe(denied);
    await wait(800);
    expect(dials()).toBe(2);
    made.kept.retry();
    // What was refused stays refused; the next one is waited for.
    await wait(20);
    expect(await made.kept.get()).toBe(second);
    expect(dials()).toBe(3);
  });

  test.each([lost, denied])(
    "tells how its first dial failed, and does not repeat it",
    async (why) => {
      const made = keep([why]);
      await expect(made.kept.start()).rejects.toBe(why);
      await expect(made.kept.get()).rejects.toBe(why);
      await wait(800);
      expect([made.dials(), made.states]).toEqual([1, ["connecting"]]);
    },
  );

  test.each([lost, denied])(
    "is dialled at once for who starts it while it is down, and tells how that ends",
    async (why) => {
      const [first, second] = [makeConnection("10.0.0.1"), makeConnection("10.0.0.1")];
      const made = keep([first, why, why, second]);
      await made.kept.start();
      first.lose(lost);
      while (made.dials() < 2 || made.kept.status().current.state === "connecting") await wait(5);
      await expect(made.kept.start()).rejects.toBe(why);
      expect(await made.kept.start()).toBe(second);
      expect(made.dials()).toBe(4);
    },
  );

  test("has one dial under way, however often it is retried", async () => {
    const first = makeConnection("10.0.0.1");
    const made = keep([first, lost]);
    await made.kept.start();
    first.lose(lost);
    for (let index = 0; index < 50; index++) {
      made.kept.retry();
      await wait(1);
    }
    expect(made.dials()).toBeGreaterThan(5);
    expect(made.most()).toBe(1);
  });

  test("that is closed in any state dials no more, and lets nobody wait", async () => {
    for (const next of [undefined, lost, denied]) {
      const first = makeConnection("10.0.0.1");
      const made = keep(next ? [first, next] : [first]);
      await made.kept.start();
      if (next) first.lose(lost);
      await wait(20);
      const dials = made.dials();
      await made.kept.close();
      await wait(10);
      made.kept.retry();
      await wait(10);
      expect(made.dials()).toBe(dials);
      if (next) await expect(made.kept.get()).rejects.toThrow();
    }
  });
});
