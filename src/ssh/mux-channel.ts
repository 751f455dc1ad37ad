import { Duplex, Readable } from "node:stream";
import { readString } from "./key-blob.ts";
import type { Mux } from "./open-mux.ts";

// RFC 4254, 9.
const open = 90;
const confirmed = 91;
const refused = 92;
const adjust = 93;
const data = 94;
const extendedData = 95;
const eof = 96;
const close = 97;
const request = 98;
const success = 99;
const failure = 100;

/** As OpenSSH has them. */
const windowBytes = 2 * 1024 * 1024;
const packetBytes = 32 * 1024;
/** Room is given back in pieces of this size. */
const returnedBytes = 3 * packetBytes;

/** A reader that has taken nothing for so long does not hold up the news that what is being sent is not wanted. */
const patienceMs = 500;

/**
 * A channel as a stream that tells the truth: its end is the remote's own end, a lost connection is an error, a write that the
 * remote no longer wants fails with EPIPE. It emits `exit` as ssh2's channels do: a code, or null and the name of a signal.
 */
export interface MuxChannel extends Duplex {
  stderr: Readable;
  /** Send a request; `answered` is called with whether it was granted, before anything that comes behind the answer. */
  ask(type: string, fields: Buffer, answered: (granted: boolean) => void): void;
  signal(name: string): void;
  setWindow(rows: number, columns: number, height: number, width: number): void;
  close(): void;
}

/** One channel's side of the messages. */
export interface MuxChannelEnd {
  /** Takes a message from the remote, behind its number and the channel's. */
  take(type: number, body: Buffer): void;
  /** The connection is gone. */
  lose(reason: Error): void;
}

/**
 * Given a connection, a free number for the channel, its type with what belongs to it (RFC 4254, 5.1), open it. `opened` is called with the
 * channel, or with the remote's refusal, which has its `reason`; `gone` when its number is free again.
 */
export function openMuxChannel(
  mux: Mux,
  id: number,
  type: string,
  fields: Buffer,
  opened: (error: Error | undefined, channel: MuxChannel) => void,
  gone: () => void,
): MuxChannelEnd {
  let remoteId = 0;
  let roomThere = 0;
  let maxPacket = packetBytes;
  let isOpen = false;
  let hasClosed = false;
  let owed = 0;
  const waiting = new Set<Readable>();
  const answers: ((granted: boolean) => void)[] = [];
  let writing: { chunk: Buffer; done: (error?: Error) => void } | undefined;
  let isSending = false;
  let finish: (() => void) | undefined;
  let lost: Error | undefined;

  const send = (kind: number, body: Buffer, done?: () => void): void => {
    mux.send(Buffer.concat([Buffer.from([kind]), numbers(remoteId), body]), done);
  };
  const sendClose = (): void => {
    if (!isOpen || hasClosed || lost) return;
    hasClosed = true;
    send(close, Buffer.alloc(0));
  };
  /** Room for what was read, once nobody has unread data waiting. */
  const giveRoom = (): void => {
    if (waiting.size > 0 || owed < returnedBytes || hasClosed || lost) return;
    send(adjust, numbers(owed));
    owed = 0;
  };
  const flush = (): void => {
    // What comes behind a close would end the whole connection.
    if (!writing || isSending || roomThere === 0 || hasClosed || lost) return;
    const size = Math.min(writing.chunk.length, roomThere, maxPacket);
    const piece = writing.chunk.subarray(0, size);
    roomThere -= size;
    writing.chunk = writing.chunk.subarray(size);
    isSending = true;
    send(data, field(piece), () => {
      isSending = false;
      if (!writing) return;
      if (writing.chunk.length > 0) return flush();
      const { done } = writing;
      writing = undefined;
      done();
    });
  };
  const take = (stream: Readable, bytes: Buffer): void => {
    owed += bytes.length;
    if (!stream.destroyed && !stream.push(bytes)) waiting.add(stream);
    giveRoom();
  };
  const read = (stream: Readable): void => {
    waiting.delete(stream);
    giveRoom();
  };

  const stderr = new Readable({
    read() {
      read(this);
    },
  });
  const channel: MuxChannel = Object.assign(
    new Duplex({
      allowHalfOpen: true,
      // What comes behind an end must still be told: `close` ends it.
      autoDestroy: false,
      read() {
        read(this);
      },
      write: (chunk: Buffer, _encoding, done) => {
        writing = { chunk, done };
        if (finish) setTimeout(finish, patienceMs).unref();
        else flush();
      },
      final: (done) => {
        if (isOpen && !hasClosed && !lost) send(eof, Buffer.alloc(0));
        done();
      },
      destroy: (error, done) => {
        sendClose();
        waiting.clear();
        if (!stderr.readableEnded) stderr.push(null);
        done(error);
      },
    }),
    {
      stderr,
      ask: (kind: string, more: Buffer, answered: (granted: boolean) => void) => {
        answers.push(answered);
        send(request, Buffer.concat([field(Buffer.from(kind)), Buffer.from([1]), more]));
      },
      signal: (name: string) => tell("signal", field(Buffer.from(name.replace(/^SIG/, "")))),
      setWindow: (rows: number, columns: number, height: number, width: number) =>
        tell("window-change", numbers(columns, rows, width, height)),
      close: () => void channel.destroy(),
    },
  );
  const tell = (kind: string, more: Buffer): void => {
    if (!hasClosed && !lost)
      send(request, Buffer.concat([field(Buffer.from(kind)), Buffer.from([0]), more]));
  };
  const endReading = (): void => {
    if (!stderr.readableEnded) stderr.push(null);
    if (!channel.readableEnded && !channel.destroyed) channel.push(null);
  };
  const takeRequest = (body: Buffer): void => {
    const name = readString(body, 0);
    if (!name) return;
    const fields = body.subarray(name.next + 1);
    const kind = name.value.toString("latin1");
    if (kind === "exit-status") channel.emit("exit", fields.readUInt32BE(0));
    else if (kind === "exit-signal")
      channel.emit("exit", null, `SIG${readString(fields, 0)?.value.toString("latin1") ?? ""}`);
    else if (body[name.next] === 1) send(failure, Buffer.alloc(0));
  };
  const takeClose = (): void => {
    sendClose();
    gone();
    for (const answer of answers.splice(0)) answer(false);
    endReading();
    finish = () => {
      const isUnwanted = writing !== undefined || channel.writableLength > 0;
      channel.destroy(
        isUnwanted
          ? Object.assign(new Error("write EPIPE: the remote end has closed"), { code: "EPIPE" })
          : undefined,
      );
    };
    // What has arrived is read first, unless its reader only writes.
    if (channel.readableEnded) return finish();
    channel.once("end", finish);
    if (writing) setTimeout(finish, patienceMs).unref();
  };

  const start = Buffer.concat([
    Buffer.from([open]),
    field(Buffer.from(type)),
    numbers(id, windowBytes, packetBytes),
    fields,
  ]);
  mux.send(start);
  return {
    take: (kind, body) => {
      if (kind === confirmed) {
        remoteId = body.readUInt32BE(0);
        roomThere = body.readUInt32BE(4);
        maxPacket = Math.min(packetBytes, body.readUInt32BE(8));
        isOpen = true;
        opened(undefined, channel);
      } else if (kind === refused) {
        const said = readString(body, 4)?.value.toString() ?? "";
        gone();
        opened(Object.assign(new Error(said), { reason: body.readUInt32BE(0) }), channel);
      } else if (kind === adjust) {
        roomThere += body.readUInt32BE(0);
        flush();
      } else if (kind === data) take(channel, readString(body, 0)?.value ?? Buffer.alloc(0));
      else if (kind === extendedData) take(stderr, readString(body, 4)?.value ?? Buffer.alloc(0));
      else if (kind === eof) endReading();
      else if (kind === close) takeClose();
      else if (kind === request) takeRequest(body);
      else if (kind === success || kind === failure) answers.shift()?.(kind === success);
    },
    lose: (reason) => {
      lost = reason;
      for (const answer of answers.splice(0)) answer(false);
      if (isOpen) channel.destroy(reason);
    },
  };
}

/** Given numbers, return them as they stand in a message. */
export function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
}

/** Given bytes, return them as a string of a message (RFC 4251, 5). */
export function field(bytes: Buffer): Buffer {
  return Buffer.concat([numbers(bytes.length), bytes]);
}
