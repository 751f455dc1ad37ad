import { expect, test } from "vitest";
import { judgeTunnel } from "../../../src/commands/health/tunnel-sources.ts";
import { exitCodeOfStates } from "../../../src/commands/health/exit-code-of-states.ts";
import type { SupervisedTunnel } from "../../../src/tunnels/control-protocol.ts";
import { makeTunnel } from "../../support/fake-tunnel.ts";

test.each<[SupervisedTunnel["state"], string, number]>([
  ["up", "ok", 0],
  ["connecting", "unknown", 3],
  ["waiting", "warn", 4],
  ["degraded", "fail", 4],
  ["failed", "fail", 4],
])("a tunnel that is %s is %s, and health ends with %i", (state, reading, code) => {
  const judged = judgeTunnel(makeTunnel({ state }));
  expect(judged.state).toBe(reading);
  expect(exitCodeOfStates([judged.state])).toBe(code);
});

test("a tunnel says why it is down, since when, and what mends it", () => {
  const health = { answers: true, detail: "HTTP 200", at: "2026-01-31T01:00:00.000Z" };
  expect(judgeTunnel(makeTunnel({ health }))).toEqual({
    area: "tunnel",
    name: "graphite",
    state: "ok",
    detail: "up at http://localhost:2180/: HTTP 200",
    since: "2026-01-31T00:00:00.000Z",
    seenAt: "2026-01-31T01:00:00.000Z",
  });
  expect(judgeTunnel(makeTunnel({ state: "failed", reason: "no key", health }))).toMatchObject({
    detail: "failed at http://localhost:2180/: no key",
    next: "mend it, then lcops tunnel retry graphite",
  });
  expect(judgeTunnel(makeTunnel({ state: "waiting" }))).not.toHaveProperty("next");
});
