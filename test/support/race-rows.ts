import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { startDynalite } from "../lab/dynalite.ts";
import { makeDynamoGround } from "./dynamo-ground.ts";

/**
 * Given how often, have two writers dump one row, edit it and upload it at the same time: each an attribute of its own, every
 * second time one of both as well. Returns how often one was refused. Throws where an update is lost, or a refusal not explained.
 */
export async function raceRows(rounds: number): Promise<number> {
  const ground = await makeDynamoGround(await startDynalite());
  try {
    const table = await ground.makeTable();
    const key = { id: { S: "row" } };
    let refused = 0;
    const text = (value: string) => ({ S: value });
    let state: Record<string, object> = { ...key, one: text("-"), two: text("-"), both: text("-") };
    await ground.put(table, state);
    for (let round = 0; round < rounds; round++) {
      const isShared = round % 2 === 1;
      const writers = ["one", "two"] as const;
      const edits = writers.map((name) => ({
        [name]: text(`${name} ${round}`),
        ...(isShared && { both: text(`${name} ${round}`) }),
      }));
      const files = writers.map((name) => path.join(ground.folder, `${name}.json`));
      for (const file of files) await ground.lcops("dyn", "dump-row", table, "row", "-o", file);
      for (const [index, file] of files.entries()) {
        const row = JSON.parse(readFileSync(file, "utf8")) as { Item: object };
        writeFileSync(file, JSON.stringify({ ...row, Item: { ...row.Item, ...edits[index] } }));
      }
      const results = await Promise.all(
        files.map((file) => ground.lcops("dyn", "upload-row", file, "--yes")),
      );
      const told = results.map(({ code, stderr }) => `${code} ${stderr}`).join("\n");
      for (const [index, { code, stderr }] of results.entries()) {
        if (code === 0) state = { ...state, ...edits[index] };
        else if (code !== 5 || !/both\n {4}was .*\n {4}is .*\n {4}yours/.test(stderr))
          throw new Error(`round ${round}: a refusal that is not explained: ${told}`);
        else refused++;
      }
      const failures = results.filter(({ code }) => code !== 0).length;
      if (failures !== (isShared ? 1 : 0))
        throw new Error(`round ${round}: ${failures} were refused: ${told}`);
      const found = await ground.get(table, key);
      if (!isDeepStrictEqual(found, state))
        throw new Error(`round ${round}: an update was lost: ${JSON.stringify(found)}`);
    }
    return refused;
  } finally {
    await ground.remove();
  }
}
