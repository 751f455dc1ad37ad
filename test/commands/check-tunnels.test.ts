import { describe, expect, test } from "vitest";
import { judgeTunnel } from "../../src/commands/check-tunnels.ts";
import type { SupervisedTunnel } from "../../src/tunnels/control-protocol.ts";
import { makeTunnel } from "../support/fake-tunnel.ts";

describe("the doctor's finding of a tunnel", () => {
  test.each<[SupervisedTunnel["state"], string]>([
    ["up", "ok"],
    ["connecting", "ok"],
    ["degraded", "warn"],
    ["waiting", "warn"],
    ["failed", "fail"],
  ])("that is %s is %s", (state, finding) => {
    expect(judgeTunnel(makeTunnel({ state }))).toMatchObject({
      area: "tunnel",
      name: "graphite",
      state: finding,
      detail: `${state} at http://localhost:2180/`,
    });
  });

  test("says why it is down, else what its service has said", () => {
    const health = { answers: true, detail: "HTTP 200", at: "2026-01-31T00:00:00Z" };
    expect(judgeTunnel(makeTunnel({ health })).detail).toBe(
      "up at http://localhost:2180/: HTTP 200",
    );
    const waiting = makeTunnel({ state: "waiting", reason: "the link was lost", health });
    expect(judgeTunnel(waiting).detail).toMatch(/: the link was lost$/);
    expect(judgeTunnel(waiting)).not.toHaveProperty("next");
  });

  test("says what mends one that has failed, then how it is tried again", () => {
    const failed = makeTunnel({ state: "failed" });
    expect(judgeTunnel(failed).next).toBe("lcops tunnel retry graphite");
    expect(judgeTunnel({ ...failed, next: "sign in" }).next).toBe(
      "sign in, then lcops tunnel retry graphite",
    );
  });
});
