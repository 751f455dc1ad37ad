import { compareServers } from "../../consistency/compare-servers.ts";
import { type CheckReport, judgeReports, skippedWhole } from "../../consistency/report.ts";
import { describeWhy } from "../../consistency/pair.ts";
import type { Config } from "../../config/schema.ts";
import { type OpenServices, withServices } from "../../reach/open-service.ts";
import type { ServicePlace } from "../../reach/service-place.ts";
import type { Reader } from "../../services/mysql/open-reader.ts";
import { listDatabases } from "../../services/mysql/read-inventory.ts";
import { printable } from "../../system/printable.ts";
import { startProgress } from "../../terminal/progress.ts";
import type { Context, Input } from "../command.ts";
import { type ComparedSide, findSides } from "./find-sides.ts";
import { placeOf } from "./open-places.ts";
import { renderReports } from "./render-reports.ts";
import { withRestoredSet } from "./with-restored-set.ts";
import { mysql } from "../../services/mysql/mysql.ts";

/** What a set has, and what its job leaves out. */
interface OfSet {
  databases: readonly string[];
  exclude: readonly string[];
}
type DatabasePairs = readonly (readonly [string, string])[];

/** Given what was typed, do what `lcops db compare` says and return the exit code. */
export async function runCompare(input: Input, context: Context): Promise<number> {
  const [one = "", other = ""] = input.operands;
  const config = await context.config();
  const { pairs, areEnvironments } = findSides(one, other, config);
  const progress = startProgress(context.terminal);
  const update = (line: string): void => progress.update(printable(line));
  const subjects: { name: string; reports: CheckReport[]; gone: string[] }[] = [];
  const compareAll = async (open: OpenServices): Promise<void> => {
    for (const [first, second] of pairs) {
      const withoutRows = areEnvironments
        ? "two environments have rows of their own; name two services to compare theirs"
        : undefined;
      const options = { withoutRows, signal: context.signal, update };
      const here = openSide(first, config, open);
      const compare = (there: ServicePlace, ofSet?: OfSet) =>
        compareServers(here, there, {
          ...options,
          pairDatabases: (reader, against) =>
            pairDatabases([first, second], [reader, against], ofSet, config),
        });
      const name = `${first.name} and ${second.name}`;
      const comparing =
        second.kind === "set"
          ? withRestoredSet(second.name, context, update, ({ place, ...ofSet }) =>
              compare(place, ofSet),
            )
          : compare(openSide(second, config, open));
      const reports = await comparing.catch((error: unknown) => {
        context.signal.throwIfAborted();
        // Of several, what one pair has told is not thrown away with another that does not answer.
        if (pairs.length === 1) throw error;
        return [skippedWhole("schema", name, describeWhy(error))];
      });
      subjects.push({ name, reports, gone: [] });
    }
  };
  await withServices(config, context, compareAll).finally(progress.end);
  const code = judgeReports(subjects.flatMap(({ reports }) => reports));
  renderReports(subjects, code, context);
  return code;
}

function openSide(side: ComparedSide, config: Config, open: OpenServices): ServicePlace {
  if (side.kind === "set") throw new Error("a set is restored first");
  return { ...placeOf(side.service, config, open), name: side.name };
}

/** Those that were named; those of the set or of the server, but what its job leaves out; those that the two services open; else all that either shows. */
async function pairDatabases(
  sides: readonly [ComparedSide, ComparedSide],
  [first, second]: readonly [Reader, Reader],
  ofSet: OfSet | undefined,
  config: Config,
): Promise<DatabasePairs> {
  const named = sides.map((side) => (side.kind === "server" ? side.database : undefined));
  const opened = sides.map((side) => {
    const service = side.kind === "server" ? config.services?.[side.service] : undefined;
    return mysql.is(service) ? service.database : undefined;
  });
  const [here, there] = named;
  if (ofSet) {
    const { databases, exclude } = ofSet;
    const left = new Set(exclude);
    // What the set is without is a difference too, and no reason to have compared nothing.
    const live = (await listDatabases(first)).filter((name) => !left.has(name));
    const names = here === undefined ? new Set([...databases, ...live]) : [here];
    return [...names].map((name) => [name, name] as const);
  }
  if (here !== undefined || there !== undefined) {
    const own = (index: number): string => named[index] ?? opened[index] ?? here ?? there ?? "";
    return [[own(0), own(1)]];
  }
  const all = new Set([...(await listDatabases(first)), ...(await listDatabases(second))]);
  const [mine, theirs] = opened;
  const isOtherName = mine !== undefined && theirs !== undefined && mine !== theirs;
  return [...all]
    .filter((name) => !isOtherName || name !== theirs)
    .map((name) => [name, isOtherName && name === mine ? theirs : name] as const);
}
