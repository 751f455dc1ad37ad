import { expect, test } from "vitest";
import { tellEvents } from "../../../src/commands/dyn/tell-events.ts";
import type { Terminal } from "../../../src/terminal/terminal.ts";

function tellInto(json: boolean) {
  const told: unknown[] = [];
  const clock = { ms: 0 };
  const terminal = {
    flags: { json } as Terminal["flags"],
    printEvent: (value: unknown) => void told.push(value),
  };
  return { told, clock, events: tellEvents(terminal, () => clock.ms) };
}

test("progress is told every five seconds at most, begin and end at once", () => {
  const { told, clock, events } = tellInto(true);
  events.begin({ items: 9 });
  for (; clock.ms < 11_000; clock.ms += 100) events.progress({ written: clock.ms });
  events.end({ written: 9 });
  expect(told).toEqual([
    { event: "begin", items: 9 },
    { event: "progress", written: 5_000 },
    { event: "progress", written: 10_000 },
    { event: "end", written: 9 },
  ]);
});

test("nothing is told without --json", () => {
  const { told, clock, events } = tellInto(false);
  events.begin({});
  clock.ms = 60_000;
  events.progress({});
  events.end({});
  expect(told).toEqual([]);
});
