/** Agents that do not behave: one that is scripted, and one in front of a real one. */
import { connect, createServer } from "node:net";
import type { TestGround } from "./start-sshd.ts";

const field = (bytes: Buffer): Buffer => {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
};

/** Starts an agent that lists these public keys (wire format) and refuses to sign; returns what it was asked, by type. */
export async function startFakeAgent(
  ground: TestGround,
  socketPath: string,
  keys: readonly { blob: Buffer; comment: string }[],
): Promise<{ asked: number[] }> {
  const asked: number[] = [];
  const count = Buffer.alloc(4);
  count.writeUInt32BE(keys.length);
  const list = Buffer.concat([
    Buffer.from([12]),
    count,
    ...keys.flatMap(({ blob, comment }) => [field(blob), field(Buffer.from(comment))]),
  ]);
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (request) => {
      asked.push(request[4] ?? 0);
      // draft-miller-ssh-agent: 11 asks for the list, 5 is a refusal.
      socket.write(field(request[4] === 11 ? list : Buffer.from([5])));
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  ground.onStop(() => server.close());
  return { asked };
}

/** Starts an agent that passes everything on to another one, but does something first when a signature is asked for. */
export async function startAgentBefore(
  ground: TestGround,
  socketPath: string,
  agentSocket: string,
  beforeSigning: () => Promise<unknown>,
): Promise<void> {
  const server = createServer((socket) => {
    const onward = connect(agentSocket);
    for (const end of [socket, onward]) end.on("error", () => {});
    onward.pipe(socket);
    socket.on("data", (request) => {
      const first = request[4] === 13 ? beforeSigning() : Promise.resolve();
      void first.then(() => onward.write(request));
    });
    socket.on("close", () => onward.destroy());
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  ground.onStop(() => server.close());
}

/** A public FIDO key as `ssh-keygen -t ed25519-sk` writes it (PROTOCOL.u2f): no device is behind it. */
export function makeFidoKey(): Buffer {
  return Buffer.concat([
    field(Buffer.from("sk-ssh-ed25519@openssh.com")),
    field(Buffer.alloc(32, 7)),
    field(Buffer.from("ssh:")),
  ]);
}
