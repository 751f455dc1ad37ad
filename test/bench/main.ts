/** `npm run bench NAME [-- --json]`: prints every ratio with its bar, and exits 1 when one is missed. */
import { cpus, totalmem } from "node:os";
import { benchBackupGraphite } from "./backup-graphite.ts";
import { benchBackupMysql, benchBackupRestore } from "./backup-mysql.ts";
import { benchConsistency } from "./consistency.ts";
import { benchDynamodb } from "./dynamodb.ts";
import { benchFleet } from "./fleet.ts";
import { benchInventory } from "./inventory.ts";
import { benchObjectsAgain, benchObjectsFirst } from "./objects.ts";
import { formatRatio, isMet, type Ratio } from "./ratio.ts";
import { benchRedis } from "./redis.ts";
import { benchSearch } from "./search.ts";
import { benchStartup } from "./startup.ts";
import { benchTunnel } from "./tunnel.ts";
import { benchWorkstation } from "./workstation.ts";

const BENCHES: Readonly<Record<string, () => Promise<Ratio[]>>> = {
  startup: benchStartup,
  inventory: benchInventory,
  dynamodb: benchDynamodb,
  tunnel: benchTunnel,
  objects: async () => [...(await benchObjectsFirst()), ...(await benchObjectsAgain())],
  "objects-first": benchObjectsFirst,
  "objects-again": benchObjectsAgain,
  redis: benchRedis,
  search: benchSearch,
  fleet: benchFleet,
  workstation: benchWorkstation,
  // Those below, one after the other: a quarter of an hour.
  backup: async () => [
    ...(await benchBackupMysql()),
    ...(await benchBackupRestore()),
    ...(await benchBackupGraphite()),
  ],
  "backup-mysql": benchBackupMysql,
  "backup-restore": benchBackupRestore,
  "backup-graphite": benchBackupGraphite,
  consistency: benchConsistency,
};

const [name = "", ...flags] = process.argv.slice(2);
const bench = BENCHES[name];
if (!bench) {
  process.stderr.write(`usage: npm run bench ${Object.keys(BENCHES).join("|")} [-- --json]\n`);
  process.exitCode = 2;
} else {
  const ratios = await bench();
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const report = {
    bench: name,
    at: new Date().toISOString(),
    node: process.version,
    machine,
    ratios,
  };
  if (flags.includes("--json")) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else {
    process.stdout.write(`${name}, Node ${process.version}, ${machine}\n`);
    for (const ratio of ratios) process.stdout.write(`${formatRatio(ratio)}\n`);
  }
  process.exitCode = ratios.every(isMet) ? 0 : 1;
}
