/** The lab's relay in a process of its own: `serve-relay.ts HOST PORT ROUND_TRIP_MS`; prints its port and serves until stdin ends. */
import { startRelay } from "../lab/relay.ts";

const [host = "", port, delayMs] = process.argv.slice(2);
const relay = await startRelay({ host, port: Number(port), delayMs: Number(delayMs) });
process.stdout.write(`${relay.port}\n`);
process.stdin.resume().once("end", () => process.exit());
