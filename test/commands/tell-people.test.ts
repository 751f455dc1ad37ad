import { describe, expect, test } from "vitest";
import type { NoticeLevel } from "../../src/commands/read-recipient.ts";
import { tellPeople } from "../../src/commands/tell-people.ts";
import { makeFakeContext } from "../support/fake-context.ts";

/** Everybody's address is missing, so that who would be told is told of here. */
async function tell(level: NoticeLevel, isOver?: boolean): Promise<string[]> {
  const notify = {
    trouble: { webhook: "${env:NOT_SET}" },
    always: { webhook: "${env:NOT_SET}", when: "always" },
  } as const;
  const { context, err } = makeFakeContext({ config: () => Promise.resolve({ notify }) });
  const notice = { text: "it is so", about: "backup", level, ...(isOver && { isOver }) };
  const isHeard = await tellPeople(["trouble", "always", "nobody"], notice, context);
  expect(isHeard).toBe(false);
  const said = err().split("\n").filter(Boolean);
  for (const line of said) expect(line).toMatch(/^lcops: backup: \w+ was not told: \S/);
  return said.map((line) => line.split(": ")[2]?.split(" ")[0] ?? "");
}

describe("tellPeople", () => {
  test.each<[NoticeLevel, boolean | undefined, string[]]>([
    ["ok", undefined, ["always"]],
    ["ok", true, ["trouble", "always"]],
    ["warn", undefined, ["trouble", "always"]],
    ["fail", undefined, ["trouble", "always"]],
  ])("selects recipients for level %s, over: %s", async (level, isOver, names) => {
    expect(await tell(level, isOver)).toEqual(names);
  });
});
