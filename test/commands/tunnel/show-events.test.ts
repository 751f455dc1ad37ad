import { describe, expect, test } from "vitest";
import { describeEvent, showEvents } from "../../../src/commands/tunnel/show-events.ts";
import type { TunnelEvent } from "../../../src/tunnels/tunnel-status.ts";
import { PIPED } from "../../support/fake-context.ts";
import { makeFakeTerminal, type Setting } from "../../terminal/fake-streams.ts";

const name = "graphite";
const READY: TunnelEvent = {
  name,
  event: "ready",
  port: 2180,
  url: "http://localhost:2180/",
  detail: "HTTP 200",
};
const WAITING: TunnelEvent = {
  name,
  event: "waiting",
  reason: "the link was lost",
  next: undefined,
  waitMs: 1_000,
};
const CONNECTED: TunnelEvent = { name, event: "connected", address: "192.0.2.1" };
const SILENT: TunnelEvent = { name, event: "silent", detail: "no answer\u001b" };

test.each<[TunnelEvent, string]>([
  [READY, "http://localhost:2180/  ready (HTTP 200)"],
  [WAITING, "the link was lost; trying again"],
  [CONNECTED, "connected to 192.0.2.1"],
  [{ name, event: "listening", port: 2180 }, "listening on port 2180"],
  [{ ...SILENT, detail: "x" }, "the tunnel is up, the service is silent: x"],
  [
    { name, event: "failed", reason: "no key", next: undefined },
    "no key; it waits for lcops tunnel retry graphite",
  ],
])("an event is told: $event", (event, said) => {
  expect(describeEvent(event)).toBe(said);
});

function show(events: TunnelEvent[], hasCommand = false, flags: Setting["flags"] = {}) {
  const { terminal, out, err } = makeFakeTerminal({ ...PIPED, flags });
  const tell = showEvents(terminal, hasCommand);
  for (const event of events) tell(event);
  return { out: out(), err: err() };
}

describe("showEvents", () => {
  test("prints the address once, as the result", () => {
    const line = "graphite  http://localhost:2180/  ready (HTTP 200)\n";
    expect(show([READY, READY])).toEqual({ out: line, err: "" });
    expect(show([READY], false, { quiet: true })).toEqual({ out: "", err: "" });
  });

  test("leaves stdout to the running command", () => {
    expect(show([READY], true, { verbose: true })).toEqual({
      out: "",
      err: "graphite  http://localhost:2180/  ready (HTTP 200)\n",
    });
    expect(show([READY], true, { json: true }).out).toBe("");
  });

  test("warns once for each outage, and once for its end", () => {
    expect(show([CONNECTED, READY, WAITING, WAITING, CONNECTED, CONNECTED, WAITING]).err).toBe(
      "graphite: the link was lost; trying again\ngraphite: connected to 192.0.2.1 again\ngraphite: the link was lost; trying again\n",
    );
  });

  test("warns of a silent service, with printable text", () => {
    expect(show([SILENT]).err).toBe(
      "graphite: the tunnel is up, the service is silent: no answer\\x1b\n",
    );
  });

  test("prints one event a line with --json", () => {
    expect(JSON.parse(show([READY], false, { json: true }).out)).toEqual(READY);
  });
});
