/** `npm run soak NAME [-- COUNT]`: the long loops; exits 1 when one does not hold. */
import { soakBackupGraphite } from "./backup-graphite.ts";
import { soakBackupMysql } from "./backup-mysql.ts";
import { soakBackup } from "./backup.ts";
import { soakChannels } from "./channels.ts";
import { soakConsistency } from "./consistency.ts";
import { soakDynamodbKill, soakDynamodbRace } from "./dynamodb.ts";
import { soakObjects } from "./objects.ts";
import { soakFleet } from "./fleet.ts";
import { soakRedis } from "./redis.ts";
import { soakSearch } from "./search.ts";
import { soakTransfer } from "./transfer.ts";
import { soakTunnel } from "./tunnel.ts";

const SOAKS: Readonly<Record<string, (count: number | undefined) => Promise<string>>> = {
  "backup-graphite": soakBackupGraphite,
  "backup-mysql": soakBackupMysql,
  "dynamodb-kill": soakDynamodbKill,
  "dynamodb-race": soakDynamodbRace,
  backup: soakBackup,
  objects: soakObjects,
  search: soakSearch,
  redis: soakRedis,
  fleet: soakFleet,
  consistency: soakConsistency,
  tunnel: soakTunnel,
  transfer: soakTransfer,
  channels: soakChannels,
};

const [name = "", count] = process.argv.slice(2);
const soak = SOAKS[name];
if (!soak) {
  process.stderr.write(`usage: npm run soak ${Object.keys(SOAKS).join("|")} [-- COUNT]\n`);
  process.exitCode = 2;
} else {
  try {
    process.stdout.write(
      `${name}: ${await soak(count === undefined ? undefined : Number(count))}\n`,
    );
  } catch (error) {
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
