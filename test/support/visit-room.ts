/** Somebody in the lab's room who hears what is said there, with another client than ours. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { LabXmpp } from "../lab/lab.ts";
import { startProgram } from "./run-lcops.ts";

export interface Visitor {
  /** What was said since it came, in order. */
  heard(): { from: string; body: string }[];
  /** Resolves once something that was said matches, with all of it. */
  waitFor(pattern: RegExp): Promise<{ from: string; body: string }[]>;
  leave(): Promise<void>;
}

/** Given the lab's server and one of its accounts, enter its room (or another) under a name, and return once it is in. */
export async function visitRoom(
  xmpp: LabXmpp,
  user: "lcops" | "ada" | "grace",
  { room = xmpp.room, nick = user }: { room?: string; nick?: string } = {},
): Promise<Visitor> {
  const program = startProgram(
    process.execPath,
    [path.join(import.meta.dirname, "room-visitor.mjs")],
    {
      environment: { PATH: process.env["PATH"], NODE_EXTRA_CA_CERTS: xmpp.authorityFile },
      stdin: JSON.stringify({
        service: `xmpp://${xmpp.address}:${xmpp.port}`,
        domain: xmpp.domain,
        username: user,
        password: readFileSync(xmpp.passwordFiles[user] ?? "", "utf8"),
        room,
        nick,
      }),
      timeoutMs: 120_000,
    },
  );
  await program.waitFor(/"entered"/);
  const heard = (): { from: string; body: string }[] =>
    program.said.stdout
      .split("\n")
      .filter((line) => line.includes('"body"') && line.endsWith("}"))
      .map((line) => JSON.parse(line) as { from: string; body: string });
  return {
    heard,
    async waitFor(pattern) {
      await program.waitFor(pattern);
      return heard();
    },
    async leave() {
      program.send("SIGKILL");
      await program.ended;
    },
  };
}
