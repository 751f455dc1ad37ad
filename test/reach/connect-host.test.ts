import { expect, test } from "vitest";
import type { Lookup } from "../../src/inventory/look-up-address.ts";
import { connectHost } from "../../src/reach/connect-host.ts";
import { OperatorError } from "../../src/system/errors.ts";

test("who leaves while a host is looked up does not wait for the answer", async () => {
  const stop = new AbortController();
  const host = { name: "web", sources: ["config" as const] };
  let asked = (): void => {};
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  const connecting = connectHost(host, {
    configPath: "/lcops.config.json",
    hosts: [host],
    environment: {},
    signal: stop.signal,
    lookUp: () => {
      asked();
      return new Promise<Lookup>(() => {});
    },
    note: () => undefined,
    trace: () => undefined,
  });
  await isAsked;
  const left = new OperatorError("cancelled", "the tunnel was closed");
  stop.abort(left);
  await expect(connecting).rejects.toBe(left);
});
