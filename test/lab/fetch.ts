/** `npm run lab:fetch`: fetches what the lab cannot make and neither the demo nor the tests may fetch. */
import { fetchJmeter } from "./fetch-jmeter.ts";
import { fetchMoto } from "./fetch-moto.ts";
import { fetchNode } from "./fetch-node.ts";
import { fetchOpenSearch } from "./fetch-opensearch.ts";
import { fetchVersitygw } from "./fetch-versitygw.ts";
import { OTHER_NODES } from "./node-cache.ts";

const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => ending.abort(new Error("stopped")));

const seconds = Number(process.env["LCOPS_LAB_FETCH_SECONDS"]) || 600;
const options = { environment: process.env, limitMs: seconds * 1_000, signal: ending.signal };
const parts = [
  fetchJmeter(options),
  fetchMoto(options),
  fetchOpenSearch(options),
  fetchVersitygw(options),
  ...OTHER_NODES.map((version) => fetchNode(version, options)),
];
const fetches = parts.map(async (fetching) => {
  const report = await fetching;
  process.stdout.write(`lab: ${report.line}\n`);
  return report.fetched;
});
const fetched = await Promise.all(fetches);
if (fetched.includes(false) && process.env["LCOPS_LAB_REQUIRE"] === "all") process.exitCode = 1;
