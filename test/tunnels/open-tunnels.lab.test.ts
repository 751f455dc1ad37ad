import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { mergeHosts } from "../../src/inventory/merge-hosts.ts";
import { connectHost } from "../../src/reach/connect-host.ts";
import { openTunnels } from "../../src/tunnels/open-tunnels.ts";
import { makeTunnelHub } from "../../src/tunnels/tunnel-hub.ts";
import type { TunnelEvent } from "../../src/tunnels/tunnel-status.ts";
import { createPortPicker } from "../lab/free-port.ts";
import { useLab } from "../support/lab.ts";
import { KINDS } from "../../src/services/registry.ts";

test("a service that stays silent is given up after the limit, and the tunnel closed", async () => {
  const lab = await useLab("hosts");
  const config = loadConfig(lab.configPath, KINDS);
  const hosts = mergeHosts(config.hosts, [], []);
  const host = hosts.find(({ name }) => name === "TextLogs");
  if (!host) throw new Error("the lab has no TextLogs");
  const localPort = await createPortPicker()("127.0.0.1");
  const runtimeFolder = await mkdtemp(join(tmpdir(), "lcops-open-"));
  const events: TunnelEvent[] = [];

  const { signal } = new AbortController();
  const tunnels = await openTunnels(
    makeTunnelHub(signal),
    // Nothing listens there.
    [
      {
        name: "dead",
        service: { kind: "http", port: 1 },
        host,
        target: { host: "127.0.0.1", port: 1 },
        localPort,
      },
    ],
    {
      configPath: lab.configPath,
      runtimeFolder,
      dial: (dialled, dialSignal) =>
        connectHost(dialled, {
          configPath: lab.configPath,
          hosts,
          lookUp: ({ address }) =>
            Promise.resolve(
              address && "eip" in address && typeof address.eip === "string"
                ? { address: address.eip }
                : {},
            ),
          ...(config.ssh?.configFile !== undefined && { configFile: config.ssh.configFile }),
          environment: lab.environment,
          signal: dialSignal,
          note: () => undefined,
          trace: () => undefined,
        }),
      signal,
      trace: () => undefined,
      report: (event) => events.push(event),
      // Long enough for one refused probe on a busy machine: what it says is looked at below.
      silenceLimitMs: 2000,
    },
  );

  await expect(tunnels.ready).rejects.toMatchObject({
    kind: "unreachable",
    message: expect.stringContaining("dead did not answer") as string,
  });
  expect(events.map(({ event }) => event)).toEqual(["listening", "connected", "silent"]);
  await tunnels.close();
  await rm(runtimeFolder, { recursive: true });
});
