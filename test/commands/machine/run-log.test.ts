import { expect, test } from "vitest";
import { findSocket } from "../../../src/commands/machine/run-log.ts";

test("asks the server whose query log the panel turns on", () => {
  const variable = (name: string, socket: string) => ({
    kind: "mysql-variable" as const,
    variable: name,
    socket,
  });
  const services = {
    other: variable("event_scheduler", "/a"),
    slow: variable("slow_query_log", "/b"),
    log: variable("general_log", "/c"),
  };
  expect(findSocket({ workstation: { services } })).toBe("/b");
  expect(findSocket({ workstation: { services: { other: services.other } } })).toBeUndefined();
  expect(findSocket({})).toBeUndefined();
});
