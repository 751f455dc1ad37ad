import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Link } from "../../src/ssh/link.ts";
import { watchLiveness } from "../../src/ssh/watch-liveness.ts";

const LIMITS = { quietMs: 60, deadMs: 120, wakeMs: 60 };

/** A link of which only what liveness looks at is there. */
function makeLink(answers: boolean): {
  link: Link;
  receive: () => void;
  asked: () => number;
  failed: () => string | undefined;
  end: () => void;
} {
  let bytes = 0;
  let asked = 0;
  let failed: string | undefined;
  const ends: (() => void)[] = [];
  const link = {
    label: "web",
    receivedBytes: () => bytes,
    askForReply: () => {
      asked++;
      if (answers) bytes++;
    },
    fail: ({ message }: Error) => (failed ??= message),
    onEnd: (listener: () => void) => void ends.push(listener),
  };
  return {
    link: link as unknown as Link,
    receive: () => void bytes++,
    asked: () => asked,
    failed: () => failed,
    end: () => ends.forEach((listener) => listener()),
  };
}

describe("a host's signs of life", () => {
  test("are any bytes: a busy link is neither asked nor dead", async () => {
    const { link, receive, asked, failed, end } = makeLink(false);
    watchLiveness(link, LIMITS);
    for (let index = 0; index < 40; index++) {
      receive();
      await wait(10);
    }
    expect([asked(), failed()]).toEqual([0, undefined]);
    end();
  });

  test("are asked for when it is quiet, and an answer is enough", async () => {
    const { link, asked, failed, end } = makeLink(true);
    watchLiveness(link, LIMITS);
    await wait(600);
    expect(asked()).toBeGreaterThan(1);
    expect(failed()).toBeUndefined();
    end();
  });

  test("are missed: the link is cut within the limit, and says why", async () => {
    const { link, asked, failed, end } = makeLink(false);
    watchLiveness(link, LIMITS);
    await wait(LIMITS.quietMs + LIMITS.deadMs + 150);
    expect(asked()).toBe(1);
    expect(failed()).toMatch(/^web: no sign of life/);
    end();
  });

  test("are not looked for any more once it has ended", async () => {
    const { link, asked, failed, end } = makeLink(false);
    watchLiveness(link, LIMITS);
    end();
    await wait(LIMITS.quietMs + LIMITS.deadMs + 100);
    expect([asked(), failed()]).toEqual([0, undefined]);
  });
});
