import type { Session } from "../services/mysql/open-server.ts";
import { findMissingGrants, listDatabases } from "../services/mysql/read-inventory.ts";
import type { ReportDraft } from "./report.ts";

interface Side {
  /** Of the service. */
  name: string;
  session: Session;
  databases: readonly string[];
}

/** Given a side whose rows are looked at, say in the report which of its databases, or tables, its user is not shown: nobody else would miss them. */
export function skipUnseenRows(side: Side, draft: ReportDraft): Promise<void> {
  return skipUnseen(side, ["SELECT"], undefined, draft);
}

/** The same for what is declared: a trigger that is not shown would be taken for none. */
export function skipUnseenDefinitions(
  side: Side,
  flavour: "mysql" | "mariadb",
  draft: ReportDraft,
): Promise<void> {
  return skipUnseen(side, ["SELECT", "SHOW VIEW", "TRIGGER", "EVENT"], flavour, draft);
}

async function skipUnseen(
  { name, session, databases }: Side,
  needed: readonly string[],
  routinesOf: "mysql" | "mariadb" | undefined,
  draft: ReportDraft,
): Promise<void> {
  const shown = new Set(await listDatabases(session));
  for (const database of databases)
    if (!shown.has(database))
      draft.skip(`database ${database} on ${name}`, "its user is shown no such database");
  const there = databases.filter((database) => shown.has(database));
  const { missing } = await findMissingGrants(session, there, needed, routinesOf);
  if (missing.length > 0) draft.skip(name, `its user is not shown all of it; ${missing.join(" ")}`);
}
