import * as z from "zod/mini";
import { hostName, matching, orAbsent, path, secret, text } from "./schema-fields.ts";

const when = z.optional(z.enum(["trouble", "always"]));
/** As much of RFC 7622 as people use. */
const address = matching(
  /^[^\s"&'/:<>@\p{Cc}]{1,255}@[A-Za-z0-9.-]{1,255}$/u,
  "an address is expected, e.g. lcops@example.com",
);

const room = z.strictObject({
  room: address.check(z.describe("The team's channel, e.g. ops@rooms.example.com; it is not made")),
  user: address.check(z.describe("The account that speaks there")),
  password: secret,
  nick: orAbsent(text, "Its name in the room; lcops when absent"),
  roomPassword: orAbsent(secret, "Of the room, where it has one"),
  server: orAbsent(
    hostName,
    "Where the server is (HOST or HOST:PORT), where the domain's SRV record does not say it; its certificate is the domain's all the same",
  ),
  ca: orAbsent(path, "Certificates of the authorities, instead of the known ones"),
});

/** Who can be told of what happened. */
export const notifySchema = z.union(
  [
    z.strictObject({
      webhook: secret.check(z.describe("Address to which a JSON document is posted")),
      when,
    }),
    z.strictObject({
      command: z
        .array(text)
        .check(
          z.minLength(1, "a program is expected"),
          z.describe("A program and its arguments; it gets the JSON document as its input"),
        ),
      when,
    }),
    z.strictObject({
      xmpp: room,
      mentionAll: orAbsent(
        z.enum(["warn", "fail", "never"]),
        "From which level on everyone in the room is called by name (@all); warn when absent",
      ),
      when,
    }),
  ],
  'who is told is {"webhook": …}, {"command": …} or {"xmpp": …}',
);

export type NotifySettings = z.output<typeof notifySchema>;
