/**
 * Somebody in a room of the team's chat: reads who and where from stdin (JSON), says `{"entered":true}` once it is in, and then a line for each thing that
 * is said there. The stock client does all of it; NODE_EXTRA_CA_CERTS names who signed the server's certificate.
 */
import { client, xml } from "@xmpp/client";

let input = "";
for await (const chunk of process.stdin) input += chunk;
const { service, domain, username, password, room, nick } = JSON.parse(input);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const visitor = client({ service, domain, username, password });
visitor.timeout = 30_000;
visitor.reconnect.stop();
visitor.on("error", (error) => {
  process.stderr.write(`${error}\n`);
  process.exit(1);
});
visitor.on("stanza", (stanza) => {
  const from = stanza.attrs.from ?? "";
  const own = from === `${room}/${nick}`;
  if (stanza.is("presence") && own && stanza.attrs.type !== "error") say({ entered: true });
  const body = stanza.getChildText("body");
  if (stanza.is("message") && body !== null) say({ from: from.split("/")[1], body });
});
await visitor.start();
const muc = xml(
  "x",
  { xmlns: "http://jabber.org/protocol/muc" },
  xml("history", { maxstanzas: "0" }),
);
await visitor.send(xml("presence", { to: `${room}/${nick}` }, muc));
