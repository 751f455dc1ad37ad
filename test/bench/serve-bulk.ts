/** A service of bulk and echoes in a process of its own; prints its port and serves until stdin ends. The first four bytes say what it does. */
import { createServer, type AddressInfo } from "node:net";

const block = Buffer.alloc(2 ** 20, "0123456789abcdef-");

const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: 2 ** 20 });
server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.once("data", (first: Buffer) => {
    const word = first.toString("latin1", 0, 4);
    if (word === "DOWN") {
      let left = Number(first.toString("latin1", 4));
      const pour = (): void => {
        while (left-- > 0) if (!socket.write(block)) return;
        socket.end();
      };
      socket.on("drain", pour);
      pour();
    } else if (word === "TAKE") {
      let bytes = first.length - 4;
      socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
      socket.on("end", () => socket.end(String(bytes)));
    } else if (word === "ECHO") {
      socket.write(first.subarray(4));
      socket.on("data", (chunk: Buffer) => socket.write(chunk));
      socket.on("end", () => socket.end());
    } else {
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    }
  });
});
server.listen(0, "127.0.0.1", () =>
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`),
);
process.stdin.resume().once("end", () => process.exit());
