/** Prosody, the server of the team's chat: accounts, rooms and TLS under an authority of the lab's own. */
import { randomBytes } from "node:crypto";
import { chownSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { LabServices } from "./lab.ts";
import { findAccount, runCommand, startServer } from "./process.ts";
import type { LabContext } from "./process.ts";
import { exchange } from "./ready.ts";

const ADDRESS = "127.0.0.1";
const DOMAIN = "chat.lab";
const ROOMS_DOMAIN = `rooms.${DOMAIN}`;
const USERS = ["lcops", "ada", "grace"] as const;

function prosodyConfig(folder: string, port: number): string {
  return [
    'modules_enabled = { "saslauth", "tls", "disco", "presence", "message", "iq" }',
    'modules_disabled = { "s2s", "http" }',
    `interfaces = { "${ADDRESS}" }`,
    `c2s_ports = { ${port} }`,
    "c2s_require_encryption = true",
    'authentication = "internal_plain"',
    'storage = "internal"',
    `data_path = "${folder}/data"`,
    `pidfile = "${folder}/prosody.pid"`,
    `certificates = "${folder}"`,
    'log = { info = "*stdout" }',
    `VirtualHost "${DOMAIN}"`,
    `ssl = { certificate = "${folder}/server.crt", key = "${folder}/server.key" }`,
    `Component "${ROOMS_DOMAIN}" "muc"`,
    `ssl = { certificate = "${folder}/server.crt", key = "${folder}/server.key" }`,
    "",
  ].join("\n");
}

/** As Prosody names its files: all but letters and digits of a name by their number. */
const encode = (name: string): string =>
  name.replaceAll(/[^A-Za-z0-9]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);

/** By its name, what is special about a room that outlives its visitors. */
const ROOMS: Readonly<Record<string, string>> = {
  ops: "",
  members: "members_only = true;",
  password: 'password = "open sesame";',
  moderated: "moderated = true;",
};
/** Of the room `password`. */
export const ROOM_PASSWORD = "open sesame";

/** Writes what Prosody would have stored, had somebody made the accounts and the rooms by hand. */
function writeData(folder: string, passwords: Readonly<Record<string, string>>): void {
  const accounts = path.join(folder, "data", encode(DOMAIN), "accounts");
  const rooms = path.join(folder, "data", encode(ROOMS_DOMAIN));
  mkdirSync(accounts, { recursive: true, mode: 0o700 });
  mkdirSync(path.join(rooms, "config"), { recursive: true, mode: 0o700 });
  for (const [user, password] of Object.entries(passwords))
    writeFileSync(path.join(accounts, `${user}.dat`), `return { password = "${password}"; };\n`, {
      mode: 0o600,
    });
  const addresses = Object.keys(ROOMS).map((room) => `${room}@${ROOMS_DOMAIN}`);
  writeFileSync(
    path.join(rooms, "persistent.dat"),
    `return { ${addresses.map((address) => `["${address}"] = true;`).join(" ")} };\n`,
  );
  for (const [room, more] of Object.entries(ROOMS))
    writeFileSync(
      path.join(rooms, "config", `${room}.dat`),
      `return { jid = "${room}@${ROOMS_DOMAIN}"; _data = { persistent = true; ${more} }; _affiliations = {}; };\n`,
    );
}

const MAKE_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];

/** Makes an authority in the folder (`ca.crt` and `ca.key`). */
async function makeAuthority(
  lab: Pick<LabContext, "folder" | "signal">,
  folder: string,
): Promise<void> {
  const files = ["-keyout", "ca.key", "-out", "ca.crt"];
  const args = ["req", "-x509", ...MAKE_KEY, "-subj", "/CN=lab authority", "-days", "2", ...files];
  await runCommand(lab, "openssl", args, { folder });
}

/**
 * Takes the folder of an authority and whom a certificate is for, for how many days (-1: until yesterday); signs one (`server.crt` and `server.key`).
 * Throws when openssl fails.
 */
export async function signCertificate(
  lab: Pick<LabContext, "folder" | "signal">,
  folder: string,
  { domain, days = 2 }: { domain: string; days?: number },
): Promise<void> {
  const names = `subjectAltName=DNS:${domain},DNS:rooms.${domain}`;
  const wish = ["req", ...MAKE_KEY, "-subj", `/CN=${domain}`, "-addext", names];
  await runCommand(lab, "openssl", [...wish, "-keyout", "server.key", "-out", "server.csr"], {
    folder,
  });
  const sign = ["x509", "-req", "-in", "server.csr", "-copy_extensions", "copy"];
  const authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-days", String(days)];
  await runCommand(lab, "openssl", [...sign, ...authority, "-out", "server.crt"], { folder });
}

/** Gives what is in a folder, and it, to the account that is to read it. */
function giveAway(folder: string, { uid, gid }: { uid: number; gid: number }): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) giveAway(path.join(folder, entry.name), { uid, gid });
    else chownSync(path.join(folder, entry.name), uid, gid);
  chownSync(folder, uid, gid);
}

/** Starts it, with a room for the team and some that are closed in one way or another; returns where it is once it offers TLS. */
export async function startProsody(lab: LabContext): Promise<NonNullable<LabServices["xmpp"]>> {
  const folder = path.join(lab.folder, "xmpp");
  mkdirSync(folder, { mode: 0o755 });
  await makeAuthority(lab, folder);
  await signCertificate(lab, folder, { domain: DOMAIN });
  const passwords = Object.fromEntries(
    USERS.map((user) => [user, randomBytes(15).toString("base64url")]),
  );
  writeData(folder, passwords);
  const port = await lab.pickPort(ADDRESS);
  const configFile = path.join(folder, "prosody.cfg.lua");
  writeFileSync(configFile, prosodyConfig(folder, port));
  const passwordFiles = Object.fromEntries(
    USERS.map((user) => [user, path.join(lab.folder, "secrets", `xmpp-${user}`)]),
  );
  for (const user of USERS)
    writeFileSync(passwordFiles[user] ?? "", passwords[user] ?? "", { mode: 0o600 });
  // It refuses to run as root.
  const account = process.getuid?.() === 0 ? await findAccount(lab, "prosody") : undefined;
  if (account) giveAway(folder, account);
  const server = await startServer(lab, {
    name: "prosody",
    command: "prosody",
    args: ["-F", "--config", configFile],
    folder,
    account,
    probe: () =>
      exchange(
        { address: ADDRESS, port },
        Buffer.from(
          `<?xml version='1.0'?><stream:stream to='${DOMAIN}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
        ),
        (answer) => answer.includes("<starttls"),
      ),
  });
  return {
    address: ADDRESS,
    port,
    domain: DOMAIN,
    room: `ops@${ROOMS_DOMAIN}`,
    passwordFiles,
    authorityFile: path.join(folder, "ca.crt"),
    pid: server.pid,
  };
}
