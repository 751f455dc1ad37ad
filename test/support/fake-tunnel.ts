import type { SupervisedTunnel } from "../../src/tunnels/control-protocol.ts";

/** Returns a tunnel in the background that is up, changed as the test wants it. */
export const makeTunnel = (more: Partial<SupervisedTunnel> = {}): SupervisedTunnel => ({
  name: "graphite",
  state: "up",
  since: "2026-01-31T00:00:00.000Z",
  port: 2180,
  url: "http://localhost:2180/",
  host: "GraphStats",
  receivedBytes: 1_500,
  sentBytes: 20,
  reconnects: 2,
  configPath: "/lcops.config.json",
  pid: 42,
  ...more,
});
