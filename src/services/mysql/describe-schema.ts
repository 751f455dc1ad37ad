import type { BackupWarning } from "../backup-driver.ts";
import { quoteName, type Server } from "./open-server.ts";
import type { Database } from "./read-inventory.ts";

/** What each part sets before anything else, and what stands at its end. */
const HEAD = "SET NAMES utf8mb4;\nSET FOREIGN_KEY_CHECKS=0;\n";
export const TEXT_END = "\n-- lcops: the part is complete\n";

/** Given a database, return its character set and collation as SQL that works on whichever database is open. */
export async function* describeSchema(server: Server, { name }: Database): AsyncIterable<Buffer> {
  const [row] = await server.query(
    "SELECT DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation_ FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?",
    [name],
  );
  const [charset, collation] = [String(row?.["charset"]), String(row?.["collation_"])];
  // Without a name it is the database that is open: the one that is restored into.
  yield Buffer.from(
    `${HEAD}ALTER DATABASE CHARACTER SET ${charset} COLLATE ${collation};\n${TEXT_END}`,
  );
}

interface View {
  name: string;
  columns: string[];
  create: string;
  charset: string;
  collation: string;
}

/**
 * Given a database, return its views as SQL: first each as a stand-in with its columns, since views may use each other, then each as it is. One that is
 * broken at its source (what it reads is gone) can be made nowhere: its text is kept apart, and it is warned of.
 */
export async function describeViews(
  server: Server,
  database: Database,
): Promise<{
  content: () => AsyncIterable<Buffer>;
  /** The text of those that are broken; undefined where none is. */
  broken: (() => AsyncIterable<Buffer>) | undefined;
  warnings: BackupWarning[];
}> {
  const session = await server.connect();
  const views: View[] = [];
  const broken: View[] = [];
  try {
    // Names of the open database stand without it then.
    await session.query(`USE ${quoteName(database.name)}`);
    for (const name of database.views) {
      const [row = {}] = await session.query(`SHOW CREATE VIEW ${quoteName(name)}`);
      const columns = await session
        .query(`SHOW COLUMNS FROM ${quoteName(name)}`)
        .then((rows) => rows.map((column) => String(column["Field"])))
        .catch(() => []);
      const view: View = {
        name,
        columns,
        create: String(row["Create View"]),
        charset: String(row["character_set_client"]),
        collation: String(row["collation_connection"]),
      };
      (columns.length > 0 ? views : broken).push(view);
    }
  } finally {
    await session.close();
  }
  const standIns = views.map(({ name, columns }) => {
    const list = columns.map((column) => `1 AS ${quoteName(column)}`).join(", ");
    return `DROP TABLE IF EXISTS ${quoteName(name)};\nCREATE OR REPLACE VIEW ${quoteName(name)} AS SELECT ${list};\n`;
  });
  const final = views.map(
    ({ create, charset, collation }) =>
      `SET character_set_client = ${charset};\nSET collation_connection = ${collation};\n${create.replace(/^CREATE /, "CREATE OR REPLACE ")};\n`,
  );
  const kept = broken.map(
    ({ name, create }) =>
      `/* broken at its source: ${quoteName(name)}\n${create.replaceAll("*/", "* /")}\n*/\n`,
  );
  return {
    content: () => onePiece([HEAD, ...standIns, ...final, TEXT_END]),
    broken: kept.length > 0 ? () => onePiece([...kept, TEXT_END]) : undefined,
    warnings: broken.map(({ name }) => ({
      code: "BROKEN_VIEW",
      object: `${database.name}.${name}`,
      detail:
        "what it reads is gone or denied to its definer; it is kept as text, and not restored",
    })),
  };
}

// oxlint-disable-next-line typescript/require-await -- an iteration of one piece
async function* onePiece(texts: readonly string[]): AsyncIterable<Buffer> {
  yield Buffer.from(texts.join(""));
}
