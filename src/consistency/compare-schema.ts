import type { Session } from "../services/mysql/open-server.ts";
import { type Catalogue, readCatalogue } from "../services/mysql/read-catalogue.ts";
import type { ReportDraft } from "./report.ts";

/** One side of a comparison of schemas. */
export interface SchemaSide {
  name: string;
  session: Session;
  database: string;
}

/** Given the same database on two sides, report where they are declared otherwise. */
export async function compareSchema(
  one: SchemaSide,
  other: SchemaSide,
  draft: ReportDraft,
): Promise<void> {
  const [here, there] = [
    await readCatalogue(one.session, one.database),
    await readCatalogue(other.session, other.database),
  ];
  const against = other.name;
  if (here.size === 0 || there.size === 0) {
    const [lacks, which] = here.size === 0 ? [one.name, one.database] : [against, other.database];
    const object = `database ${one.database}`;
    if (here.size !== there.size)
      draft.find({ object, kind: "missing", against, detail: `there is no ${which} on ${lacks}` });
    else draft.skip(object, `neither side shows its user a database ${which}`);
    return;
  }
  draft.look("databases", 1);
  draft.look("definitions", new Set([...here.keys(), ...there.keys()]).size);
  for (const part of leaveOutParts(here, there))
    draft.find({
      object: describePart(part, one.database),
      kind: "missing",
      against,
      detail: `it is not on ${against}`,
    });
  for (const part of leaveOutParts(there, here))
    draft.find({
      object: describePart(part, one.database),
      kind: "extra",
      against,
      detail: `it is on ${against} only`,
    });
  for (const [part, declared] of here) {
    const otherwise = there.get(part);
    if (!otherwise) continue;
    const facts = new Set([...Object.keys(declared), ...Object.keys(otherwise)]);
    for (const fact of facts) {
      if (declared[fact] === otherwise[fact]) continue;
      draft.find({
        object: describePart(part, one.database),
        kind: "declared-otherwise",
        column: fact,
        against,
        detail: `${fact} is ${shorten(declared[fact])}, and on ${against} ${shorten(otherwise[fact])}`,
      });
    }
  }
}

/** What the first has and the second has not; of a table that is missing its columns and indexes are not told as well. */
function leaveOutParts(has: Catalogue, lacks: Catalogue): string[] {
  const missing = [...has.keys()].filter((part) => !lacks.has(part));
  const whole = new Set(
    missing.flatMap((part) => (/^(?:table|view) /.test(part) ? [part.replace(/^\w+ /, "")] : [])),
  );
  return missing.filter((part) => {
    const [, owner] = /^(?:column|index|foreign key) (.*)\.[^.]*$/.exec(part) ?? [];
    const [, view] = /^view (.*) as written$/.exec(part) ?? [];
    const of = owner ?? view;
    return of === undefined || !whole.has(of);
  });
}

/** `column students.email` of the database school is `column school.students.email`. */
function describePart(part: string, database: string): string {
  if (part === "database") return `database ${database}`;
  return part.replace(/^(foreign key|\w+) /, `$1 ${database}.`);
}

const SHOWN = 60;
function shorten(value: string | undefined): string {
  if (value === undefined) return "not set";
  const line = value.replace(/\s+/g, " ");
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
}
