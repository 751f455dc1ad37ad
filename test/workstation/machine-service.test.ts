import { expect, test } from "vitest";
import { lookUpServer } from "../../src/workstation/machine-service.ts";
import { makeServer, makeTools } from "../support/machine-tools.ts";

const config = { kind: "systemd", unit: "apache2" } as const;

test("returns the server that a row names", () => {
  const service = makeServer({ state: "on" }, ["true"]);
  const tools = makeTools({ find: (name) => (name === "web" ? { service, config } : undefined) });
  expect(lookUpServer("web", tools)).toBe(service);
});

test("refuses a row that is missing, and one that cannot be restarted", () => {
  const service = makeServer({ state: "on" });
  expect(() => lookUpServer("nowhere", makeTools())).toThrow(
    expect.objectContaining({
      kind: "configuration",
      message: "there is no service nowhere",
      next: expect.stringContaining("workstation.services") as string,
    }),
  );
  expect(() => lookUpServer("own", makeTools({ find: () => ({ service, config }) }))).toThrow(
    "own is no service that can be restarted",
  );
});
