import { killDumps } from "../support/kill-dumps.ts";
import { raceRows } from "../support/race-rows.ts";

/** Given how often (500), have two writers race on one row through upload-row; return what was seen. Throws where an update is lost. */
export async function soakDynamodbRace(count = 500): Promise<string> {
  const begin = performance.now();
  const refused = await raceRows(count);
  return `${count} races, ${refused} times one was refused and told why, no update lost; ${Math.round((performance.now() - begin) / count)} ms each`;
}

/** Given how often (50), kill a dump at a random page and resume it; return what was seen. Throws where one differs from an undisturbed one. */
export async function soakDynamodbKill(count = 50): Promise<string> {
  const packed = await killDumps("killed.json.gz", Math.ceil(count / 2));
  const plain = await killDumps("killed.json", Math.floor(count / 2));
  const [dumps, resumed] = [packed.dumps + plain.dumps, packed.resumed + plain.resumed];
  return `${count} kills in ${dumps} dumps, ${resumed} of which found something to resume; each is as an undisturbed one`;
}
