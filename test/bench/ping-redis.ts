/** Another client of a Redis: PING every millisecond until its input ends; then prints `{"pings": …, "worstMs": …}`. */
import net from "node:net";

const socket = net.connect({ host: "127.0.0.1", port: Number(process.argv[2]), noDelay: true });
let [pings, worstMs, askedAt] = [0, 0, 0];
const ask = (): void => {
  askedAt = performance.now();
  socket.write("PING\r\n");
};
socket.once("connect", () => {
  ask();
  process.stdout.write("ready\n");
});
socket.on("data", () => {
  pings++;
  worstMs = Math.max(worstMs, performance.now() - askedAt);
  setTimeout(ask, 1);
});
process.stdin.on("end", () => {
  process.stdout.write(`${JSON.stringify({ pings, worstMs })}\n`);
  process.exit();
});
process.stdin.resume();
