import { describe, expect, test } from "vitest";
import { type NoticeLevel, readRecipient } from "../../src/commands/read-recipient.ts";
import type { NotifySettings } from "../../src/config/notify-schema.ts";
import { makeFakeContext } from "../support/fake-context.ts";

const { context } = makeFakeContext({ environment: { HOOK: "https://hook.example", PW: "pw" } });
const read = (settings: NotifySettings, level: NoticeLevel = "ok") =>
  readRecipient(settings, level, context);
const ROOM = {
  room: "ops@rooms.example",
  user: "lcops@example.com",
  password: "${env:PW}",
} as const;

describe("readRecipient", () => {
  test("reads the secrets of a webhook and of a room", async () => {
    expect(await read({ webhook: "${env:HOOK}" })).toEqual({ webhook: "https://hook.example" });
    expect(await read({ xmpp: { ...ROOM, roomPassword: "${env:PW}" } })).toMatchObject({
      xmpp: { nick: "lcops", password: "pw", roomPassword: "pw", ca: undefined },
    });
    const named = await read({ xmpp: { ...ROOM, nick: "ops-bot" } });
    expect(named).toMatchObject({ xmpp: { nick: "ops-bot", roomPassword: undefined } });
  });

  test("throws the name of a secret that is missing", async () => {
    await expect(read({ webhook: "${env:NOT_SET}" })).rejects.toThrow(/\$\{env:NOT_SET\}/);
  });

  test.each<["warn" | "fail" | "never" | undefined, boolean[]]>([
    [undefined, [false, true, true]],
    ["warn", [false, true, true]],
    ["fail", [false, false, true]],
    ["never", [false, false, false]],
  ])("calls everyone from %s on", async (mentionAll, expected) => {
    const settings = { xmpp: ROOM, ...(mentionAll && { mentionAll }) };
    const levels: NoticeLevel[] = ["ok", "warn", "fail"];
    const mentions = await Promise.all(
      levels.map(async (level) => {
        const recipient = await read(settings, level);
        return "mentionAll" in recipient && recipient.mentionAll;
      }),
    );
    expect(mentions).toEqual(expected);
  });
});
