import { connect } from "node:net";
import { readString } from "./key-blob.ts";

// PROTOCOL.mux of OpenSSH, sections 1, 5 and 9.
const version = 4;
const hello = 0x00000001;
const terminate = 0x10000005;
const proxy = 0x1000000f;
const proxyConfirmed = 0x8000000f;

const openTimeoutMs = 5000;
const goodbyeMs = 500;

/** The connection protocol (RFC 4254) of somebody else's SSH connection, message by message. */
export interface Mux {
  /** Send one message; `done` is called once there is room for the next. */
  send(message: Buffer, done?: () => void): void;
  /** Have the listener called with each message that comes. Without one, messages wait. */
  receive(listener: (message: Buffer) => void): void;
  /** Resolves when the master has hung up. */
  ended: Promise<void>;
  close(): void;
}

/** Given the control socket of an `ssh` master, return its connection protocol (proxy mode). Throws where the master does not answer. */
export function openMux(controlPath: string): Promise<Mux> {
  return new Promise((resolve, reject) => {
    const socket = connect(controlPath);
    // Each channel may wait for room.
    socket.setMaxListeners(0);
    let rest: Buffer = Buffer.alloc(0);
    let listener: ((message: Buffer) => void) | undefined;
    let isProxy = false;
    const timer = setTimeout(
      () => fail(new Error("the ssh program does not answer")),
      openTimeoutMs,
    );
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const ended = new Promise<void>((settle) => socket.on("close", () => settle()));
    const deliver = (): void => {
      for (;;) {
        const frame = readString(rest, 0);
        if (!frame || (isProxy && !listener)) return;
        rest = rest.subarray(frame.next);
        // Behind the length stands the length of a padding that is never there.
        if (isProxy) listener?.(frame.value.subarray(1));
        else greet(frame.value);
      }
    };
    const greet = (message: Buffer): void => {
      const type = message.length >= 4 ? message.readUInt32BE(0) : 0;
      if (type === hello) {
        if (message.length < 8 || message.readUInt32BE(4) !== version)
          return fail(new Error("the ssh program speaks another protocol"));
        socket.write(frameOf(numbers(proxy, 0)));
      } else if (type === proxyConfirmed) {
        isProxy = true;
        clearTimeout(timer);
        resolve({
          send: (sent, done) => {
            const hasRoom = socket.write(frameOf(Buffer.concat([Buffer.from([0]), sent])));
            if (!done) return;
            if (hasRoom) done();
            else socket.once("drain", done);
          },
          receive: (wanted) => {
            listener = wanted;
            deliver();
          },
          ended,
          close: () => void socket.destroy(),
        });
      } else fail(new Error("the ssh program refuses to share its connection"));
    };
    socket.on("connect", () => socket.write(frameOf(numbers(hello, version))));
    socket.on("data", (chunk: Buffer) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      deliver();
    });
    socket.on("error", fail);
    socket.on("close", () => fail(new Error("the ssh program has hung up")));
  });
}

/** Given the control socket of a master, have it end; resolves when it has, or has not in half a second. */
export function endMaster(controlPath: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(controlPath);
    const timer = setTimeout(() => socket.destroy(), goodbyeMs);
    socket.on("connect", () =>
      socket.write(
        Buffer.concat([frameOf(numbers(hello, version)), frameOf(numbers(terminate, 0))]),
      ),
    );
    socket.resume();
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function frameOf(body: Buffer): Buffer {
  return Buffer.concat([numbers(body.length), body]);
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
}
