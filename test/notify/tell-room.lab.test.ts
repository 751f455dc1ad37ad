/** A real Prosody, and what stands in a room's way; scripted is only a server that no Prosody can be made to be. */
import { chownSync, readFileSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Lab, LabXmpp } from "../lab/lab.ts";
import { ROOM_PASSWORD, signCertificate } from "../lab/prosody.ts";
import { startLab } from "../lab/start-lab.ts";
import { sendNotice } from "../../src/notify/send-notice.ts";
import type { Room } from "../../src/notify/tell-room.ts";
import { startScripted, type ScriptedServer } from "../services/scripted-server.ts";
import { testWith } from "../support/lab.ts";
import { visitRoom } from "../support/visit-room.ts";

let lab: Lab | undefined;
let xmpp: LabXmpp;
let team: Room;
const servers: ScriptedServer[] = [];
const inLab = testWith("xmpp");

beforeAll(async () => {
  lab = await startLab({ parts: ["xmpp"] });
  if (!lab.services.xmpp) return;
  ({ xmpp } = lab.services);
  team = {
    room: xmpp.room,
    user: `lcops@${xmpp.domain}`,
    password: readFileSync(xmpp.passwordFiles["lcops"] ?? "", "utf8"),
    nick: "lcops",
    server: `${xmpp.address}:${xmpp.port}`,
    ca: readFileSync(xmpp.authorityFile, "utf8"),
  };
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await lab?.stop();
});

const other = (name: string): string => xmpp.room.replace("ops@", `${name}@`);

/** Returns why it was not said, or undefined. */
function tell(
  room: Room,
  text = "it is broken",
  {
    mentionAll = false,
    signal = new AbortController().signal,
  }: { mentionAll?: boolean; signal?: AbortSignal } = {},
): Promise<string | undefined> {
  const options = { environment: {}, signal };
  return sendNotice({ xmpp: room, mentionAll }, { event: "test", text }, options);
}

/** Starts a server that does `script` once the client has opened its stream, and notes all that it hears. */
async function pretend(
  script: (socket: Socket) => void,
): Promise<{ server: string; heard: string[] }> {
  const heard: string[] = [];
  const server = await startScripted((socket) => {
    socket.on("data", (chunk) => heard.push(chunk.toString()));
    script(socket);
  });
  servers.push(server);
  return { server: `${server.host}:${server.port}`, heard };
}

describe("a room", () => {
  inLab("shows to all what is said, in lines, and nothing that draws on a terminal", async () => {
    const ada = await visitRoom(xmpp, "ada");
    expect(await tell(team, "<b>one</b> & \u001b[31mtwo\nthree ü")).toBeUndefined();
    expect(await ada.waitFor(/three/)).toEqual([
      { from: "lcops", body: "<b>one</b> & \\x1b[31mtwo\nthree ü" },
    ]);
    await ada.leave();
  });

  inLab("is told with the names of all who are there where that is wished", async () => {
    const people = await Promise.all([visitRoom(xmpp, "ada"), visitRoom(xmpp, "grace")]);
    expect(await tell(team, "it burns", { mentionAll: true })).toBeUndefined();
    const [heard] = await people[0].waitFor(/it burns/);
    expect(heard?.body).toMatch(/^@all (ada, grace|grace, ada): it burns$/);
    await Promise.all(people.map((person) => person.leave()));
  });

  inLab("where somebody has its name hears it under another one", async () => {
    const ada = await visitRoom(xmpp, "ada", { nick: "lcops" });
    expect(await tell(team, "who is who")).toBeUndefined();
    const [heard] = await ada.waitFor(/who is who/);
    expect(heard?.from).toMatch(/^lcops-./);
    await ada.leave();
  });

  inLab("is the same in capital letters, which its server makes small", async () => {
    const ada = await visitRoom(xmpp, "ada");
    expect(await tell({ ...team, room: team.room.toUpperCase() }, "capital")).toBeUndefined();
    expect(await ada.waitFor(/capital/)).toHaveLength(1);
    await ada.leave();
  });

  inLab("that is not there is not made", async () => {
    const room = { ...team, room: other("nowhere") };
    expect(await tell(room)).toBe(`there is no room ${room.room}`);
    // It would be there for the second.
    expect(await tell(room)).toBe(`there is no room ${room.room}`);
  });

  inLab("that lets only members in, or only some speak, says so", async () => {
    const members = { ...team, room: other("members") };
    expect(await tell(members)).toBe(
      `the room ${members.room} does not let lcops in: registration-required`,
    );
    const moderated = { ...team, room: other("moderated") };
    expect(await tell(moderated)).toBe(
      `the room ${moderated.room} does not let lcops speak: forbidden`,
    );
  });

  inLab("that has a password lets in who knows it", async () => {
    const closed = { ...team, room: other("password") };
    const refused = `the room ${closed.room} does not let lcops in: not-authorized`;
    expect(await tell(closed)).toBe(refused);
    expect(await tell({ ...closed, roomPassword: "sesame" })).toBe(refused);
    expect(await tell({ ...closed, roomPassword: ROOM_PASSWORD })).toBeUndefined();
  });

  inLab("is told at once by many who have one account", async () => {
    const ada = await visitRoom(xmpp, "ada");
    const words = ["first", "second", "third", "fourth", "fifth"];
    expect(await Promise.all(words.map((word) => tell(team, word)))).toEqual(
      words.map(() => undefined),
    );
    for (const word of words) await ada.waitFor(new RegExp(`"${word}"`));
    expect(ada.heard()).toHaveLength(words.length);
    await ada.leave();
  });

  inLab("hears no more of a text than servers pass on", async () => {
    const ada = await visitRoom(xmpp, "ada");
    expect(await tell(team, "x".repeat(500_000))).toBeUndefined();
    const [heard] = await ada.waitFor(/xxx/);
    expect(heard?.body).toBe(`${"x".repeat(3_999)}…`);
    await ada.leave();
  });
});

describe("an account", () => {
  inLab("whose password is wrong is refused, and the password in no message", async () => {
    const why = await tell({ ...team, password: "S3SAME" });
    expect(why).toBe(`the server refuses ${team.user}: not-authorized`);
  });

  inLab("of a domain that the server does not have is told so", async () => {
    expect(await tell({ ...team, user: "lcops@elsewhere.lab" })).toBe(
      "the server does not know elsewhere.lab",
    );
  });
});

describe("a certificate", () => {
  /** Lets the server have another certificate until `run` has ended. */
  async function withCertificate(
    certificate: { domain: string; days?: number },
    run: () => Promise<void>,
  ): Promise<void> {
    if (!lab) throw new Error("there is no lab");
    const folder = path.dirname(xmpp.authorityFile);
    const logFile = path.join(lab.folder, "log/prosody.log");
    const countLoaded = (): number =>
      readFileSync(logFile, "utf8").split("Certificates reloaded").length;
    const take = async (wanted: { domain: string; days?: number }): Promise<void> => {
      await signCertificate({ folder, signal: undefined }, folder, wanted);
      // openssl leaves it to who ran it.
      const { uid, gid } = statSync(xmpp.authorityFile);
      chownSync(path.join(folder, "server.key"), uid, gid);
      const before = countLoaded();
      process.kill(xmpp.pid, "SIGHUP");
      await expect.poll(countLoaded, { timeout: 10_000 }).toBe(before + 2);
    };
    await take(certificate);
    try {
      await run();
    } finally {
      await take({ domain: xmpp.domain });
    }
  }

  inLab("that nobody we know has signed ends it", async () => {
    expect(await tell({ ...team, ca: undefined })).toBe(
      "no TLS with chat.lab: unable to verify the first certificate",
    );
  });

  inLab("for another name ends it, also where the server is found by its address", async () => {
    await withCertificate({ domain: "other.lab" }, async () => {
      expect(await tell(team)).toMatch(/^no TLS with chat\.lab: Hostname\/IP does not match/);
    });
    expect(await tell(team)).toBeUndefined();
  });

  inLab("that has expired ends it", async () => {
    await withCertificate({ domain: "chat.lab", days: -1 }, async () => {
      expect(await tell(team)).toBe("no TLS with chat.lab: certificate has expired");
    });
  });
});

describe("a server", () => {
  const HEADER =
    "<?xml version='1.0'?><stream:stream from='chat.lab' id='1' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
  const PLAIN =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>";
  const room = (server: string): Room => ({
    room: "ops@rooms.chat.lab",
    user: "lcops@chat.lab",
    password: "S3SAME",
    nick: "lcops",
    server,
  });
  const opened = (answer: (socket: Socket) => void) => (socket: Socket) =>
    void socket.once("data", () => answer(socket));

  test("that offers no TLS is told nothing but the wish for a stream", async () => {
    const { server, heard } = await pretend(opened((socket) => socket.write(HEADER + PLAIN)));
    expect(await tell(room(server))).toBe("the server offers no TLS");
    expect(heard.join("")).toMatch(
      /^<\?xml version='1\.0'\?><stream:stream to='chat\.lab' [^<]*>$/,
    );
  });

  test("that says what was not asked before TLS gets no further with it", async () => {
    // What somebody in between has put behind the answer would be read as if it had come through TLS (CVE-2011-0411).
    const { server } = await pretend(
      opened((socket) => {
        socket.write(
          `${HEADER}<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>`,
        );
        socket.once("data", () =>
          socket.write(`<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${PLAIN}`),
        );
      }),
    );
    expect(await tell(room(server))).toBe("the server says more than that TLS may begin");
  });

  test("that hangs up, is none, or is not there is told as such", async () => {
    const gone = await pretend(opened((socket) => socket.end(HEADER)));
    expect(await tell(room(gone.server))).toBe("the server has hung up before TLS");
    const web = await pretend(opened((socket) => socket.write("x".repeat(100_000))));
    expect(await tell(room(web.server))).toBe("it is no XMPP server");
    await servers.pop()?.stop();
    expect(await tell(room(web.server))).toBe(`${web.server} cannot be reached`);
  });

  test("that never greets holds nobody up for ever, and not at all who is stopped", async () => {
    const { server } = await pretend(() => undefined);
    expect(await tell(room(server))).toBe(
      "the room ops@rooms.chat.lab has not answered within 15 s",
    );
    const stop = new AbortController();
    const told = tell(room(server), "x", { signal: stop.signal });
    stop.abort(new Error("stopped"));
    expect(await told).toBe("stopped");
  });

  inLab("that is cut off before it has shown what was said has not heard it", async () => {
    // Nothing else that the client sends is as long as its text.
    let upward = 0;
    const cutter = await startScripted((socket) => {
      const real = connect(xmpp.port, xmpp.address);
      real.on("error", () => undefined);
      real.pipe(socket);
      socket.on("data", (chunk) => {
        upward += chunk.length;
        if (chunk.length > 3_000) socket.destroy();
        else real.write(chunk);
      });
      socket.on("close", () => real.destroy());
    });
    servers.push(cutter);
    const server = `${cutter.host}:${cutter.port}`;
    const ada = await visitRoom(xmpp, "ada");
    expect(await tell({ ...team, server }, "y".repeat(10_000))).toBe("the server has hung up");
    expect(upward).toBeGreaterThan(1_000);
    expect(await tell(team, "after")).toBeUndefined();
    expect(await ada.waitFor(/after/)).toEqual([{ from: "lcops", body: "after" }]);
    await ada.leave();
  });
});
