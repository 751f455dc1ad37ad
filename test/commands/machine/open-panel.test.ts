import { homedir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { openPanel, pickService } from "../../../src/commands/machine/open-panel.ts";
import { makeMachineContext } from "../../support/machine-context.ts";

test("opens the rows of the configuration, their paths resolved", async () => {
  const ram = { kind: "ram-mysql" as const, seed: "~/seed.sql", folder: "/dev/shm/x/../own" };
  const log = { kind: "mysql-variable" as const, variable: "general_log" };
  const { context } = makeMachineContext(
    { folder: "/nowhere", environment: {} },
    { workstation: { services: { ram, log } } },
  );
  const rows = await openPanel(context);
  expect(rows.map(({ name, key, config }) => ({ name, key, config }))).toEqual([
    {
      name: "ram",
      key: "1",
      config: { ...ram, seed: path.join(homedir(), "seed.sql"), folder: "/dev/shm/own" },
    },
    { name: "log", key: "2", config: log },
  ]);
});

test("picks a row by its name", () => {
  const rows = [{ name: "apache" }, { name: "log" }];
  expect(pickService(rows, "log")).toBe(rows[1]);
  expect(() => pickService(rows, "1")).toThrow(
    expect.objectContaining({
      kind: "usage",
      message: "there is no service 1 on the panel",
      next: "name one of apache, log",
    }),
  );
});
