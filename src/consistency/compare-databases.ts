import { readStructure } from "../services/mysql/read-structure.ts";
import { beginOf, passKey, passWhole, type Progress } from "./bookmark.ts";
import { compareRows } from "./compare-rows.ts";
import type { Pair } from "./pair.ts";
import type { ReportDraft } from "./report.ts";
import { skipUnseenRows } from "./skip-unseen.ts";
import { OutOfTime, type Steer } from "./steer.ts";

export interface DatabasesOptions {
  pair: Pair;
  steer: Steer;
  draft: ReportDraft;
  update: (line: string) => void;
  /** Names of tables that are left out, `school.sessions`. */
  exclude: ReadonlySet<string>;
  progress: Progress;
  /** Told after each step. */
  save: () => void;
}

/** Given two servers, compare the rows of every table of their databases. What time is not left for is named, each table of it. */
export async function compareDatabases(options: DatabasesOptions): Promise<void> {
  const { pair, draft, progress, exclude, save } = options;
  let outOfTime: string | undefined;
  for (const side of [0, 1] as const) {
    const session = side === 0 ? pair.first : pair.second;
    const databases = pair.databases.map((names) => names[side]);
    await skipUnseenRows({ name: pair.names[side], session, databases }, draft);
  }
  for (const [here, there] of pair.databases) {
    const [first, second] = [
      await readStructure(pair.first, here),
      await readStructure(pair.second, there),
    ];
    for (const table of first) {
      const name = `${here}.${table.name}`;
      if (exclude.has(name)) draft.exclude(name);
      if (exclude.has(name) || progress.done.includes(name)) continue;
      const other = second.find((one) => one.name === table.name);
      if (!other) {
        draft.look("tables", 1);
        draft.find({
          object: name,
          kind: "missing",
          detail: `the table is not on ${pair.names[1]}`,
        });
        passWhole(progress, name);
        continue;
      }
      if (outOfTime !== undefined) {
        draft.leave(name, outOfTime);
        continue;
      }
      try {
        const begin = beginOf(progress, name, table.cutBy);
        const isWhole = await compareRows(
          { first: table, second: other },
          {
            ...options,
            ...(begin && { begin }),
            passed: (key) => {
              passKey(progress, name, key, table.cutBy);
              save();
            },
          },
        );
        if (isWhole) passWhole(progress, name);
        save();
      } catch (error) {
        if (!(error instanceof OutOfTime)) throw error;
        outOfTime = `${error.message}; ${error.next}`;
        draft.leave(name, outOfTime);
      }
    }
    const names = new Set(first.map(({ name }) => name));
    for (const { name } of second)
      if (!names.has(name) && !exclude.has(`${here}.${name}`))
        draft.find({
          object: `${here}.${name}`,
          kind: "extra",
          detail: `the table is on ${pair.names[1]} only`,
        });
  }
}
