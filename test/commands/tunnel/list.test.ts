import { describe, expect, test } from "vitest";
import { renderTunnels } from "../../../src/commands/tunnel/list.ts";
import type { SupervisedTunnel } from "../../../src/tunnels/control-protocol.ts";
import { PIPED } from "../../support/fake-context.ts";
import { makeTunnel } from "../../support/fake-tunnel.ts";
import { makeFakeTerminal, type Setting } from "../../terminal/fake-streams.ts";

async function render(tunnels: SupervisedTunnel[], flags: Setting["flags"] = {}) {
  const { terminal, out, err } = makeFakeTerminal({ ...PIPED, flags });
  await renderTunnels(tunnels, { terminal });
  return { out: out(), err: err() };
}
const ago = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();

describe("tunnels in the background", () => {
  test("are a line each: state, age, address, bytes, losses and health", async () => {
    const health = { answers: true, detail: "HTTP 200", at: ago(3) };
    const tunnel = makeTunnel({ since: ago(5), address: "192.0.2.1", health });
    expect((await render([tunnel])).out).toBe(
      "graphite\tup\t5 h\thttp://localhost:2180/\tGraphStats\t192.0.2.1\t1.5 kB\t20 B\t2\tHTTP 200, 3 h ago\n",
    );
  });

  test.each<[Partial<SupervisedTunnel>, string]>([
    [{}, "not asked yet"],
    [{ state: "waiting", reason: "the link was lost" }, "the link was lost"],
    [
      {
        state: "failed",
        reason: "sign in",
        health: { answers: true, detail: "HTTP 200", at: ago(3) },
      },
      "sign in",
    ],
  ])("say how they are: %j", async (more, health) => {
    const { out } = await render([makeTunnel(more)]);
    expect(out.trimEnd().split("\t").at(-1)).toBe(health);
  });

  test("are one document with --json, and none is said so", async () => {
    const tunnels = [makeTunnel()];
    expect(JSON.parse((await render(tunnels, { json: true })).out)).toEqual(tunnels);
    expect(await render([], { json: true })).toEqual({ out: "[]\n", err: "" });
    expect((await render([], { verbose: true })).err).toBe(
      "no tunnel is kept in the background; lcops tunnel open --detach NAME opens one\n",
    );
  });
});
