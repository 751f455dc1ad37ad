/** `npm run lab:fetch`: fetches what the lab cannot make and neither the demo nor the tests may fetch. */
import { fetchMoto } from "./fetch-moto.ts";

const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => ending.abort(new Error("stopped")));

const seconds = Number(process.env["LCOPS_LAB_FETCH_SECONDS"]) || 300;
const report = await fetchMoto({
  environment: process.env,
  limitMs: seconds * 1_000,
  signal: ending.signal,
});
process.stdout.write(`lab: ${report.line}\n`);
if (!report.fetched && process.env["LCOPS_LAB_REQUIRE"] === "all") process.exitCode = 1;
