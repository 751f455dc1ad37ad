/** Everything that must be found, planted on a primary, its replica, and beside them: one table, for the tests and for whoever adds a check. */
import type { OutsideName } from "./outside-places.ts";

export interface PlantedFault {
  name: string;
  /** On the primary, and so on both, before anything is planted. */
  both?: string;
  /** On the primary alone. */
  primary?: string;
  /** On the replica alone. */
  replica?: string;
  /** In a bucket, a DynamoDB table or an index: what is there before anything is planted, and what is put there or removed then. */
  beside?: {
    place: OutsideName;
    before?: readonly (readonly [id: string, version?: string])[];
    put?: readonly (readonly [id: string, version?: string])[];
    removed?: readonly string[];
  };
  /** Behind all others, which it would hide. */
  isLast?: true;
  /** What the report must say of it. */
  found: { check: string; object?: string; kind: string; key?: string; column?: string }[];
}

/** Under this name stands all that is planted: the database, and what belongs to its rows. */
export const FAULTS = "faults";

const table = (name: string, columns: string, rows: string): string =>
  `CREATE TABLE ${name} (${columns}) ENGINE=InnoDB; INSERT INTO ${name} ${rows};`;
const row = (
  name: string,
  key: string | undefined,
  kind: string,
  column?: string,
): PlantedFault["found"] => [
  {
    check: "replica",
    object: `faults.${name}`,
    kind,
    ...(key !== undefined && { key }),
    ...(column !== undefined && { column }),
  },
];
const schema = (object: string, kind: string, column?: string): PlantedFault["found"] => [
  { check: "schema", object, kind, ...(column !== undefined && { column }) },
];

/** Rows. */
const ROWS: PlantedFault[] = [
  {
    name: "a changed byte in one of 20,000 rows",
    both: table(
      "many",
      "id INT PRIMARY KEY, word VARCHAR(80) NOT NULL, at DATETIME NOT NULL",
      "SELECT seq, CONCAT('word ', MD5(seq)), '2014-01-01' + INTERVAL seq MINUTE FROM seq_1_to_20000",
    ),
    replica: "UPDATE many SET word = CONCAT('Word ', MD5(id)) WHERE id = 12345",
    found: row("many", "id=12345", "changed", "word"),
  },
  {
    name: "a missing row",
    replica: "DELETE FROM many WHERE id = 777",
    found: row("many", "id=777", "missing"),
  },
  {
    name: "an extra row behind the last",
    replica: "INSERT INTO many VALUES (2000000000, 'x', '2014-01-01')",
    found: row("many", "id=2000000000", "extra"),
  },
  {
    name: "an extra row before the first, of a negative key",
    replica: "INSERT INTO many VALUES (-5, 'x', '2014-01-01')",
    found: row("many", "id=-5", "extra"),
  },
  {
    name: "a time that another time zone has shifted",
    replica: "UPDATE many SET at = at + INTERVAL 9 HOUR WHERE id = 15000",
    found: row("many", "id=15000", "changed", "at"),
  },
  {
    name: "two rows changed so that an XOR of CRC32 cancels",
    both: table(
      "pair",
      "id INT PRIMARY KEY, status CHAR(4) NOT NULL",
      "VALUES (1,'open'),(2,'open'),(3,'open')",
    ),
    replica: "UPDATE pair SET status = 'shut' WHERE id IN (1, 2)",
    found: [
      ...row("pair", "id=1", "changed", "status"),
      ...row("pair", "id=2", "changed", "status"),
    ],
  },
  {
    name: "one byte of a row that is longer than max_allowed_packet",
    both: table(
      "long_rows",
      "id INT PRIMARY KEY, body LONGTEXT NOT NULL",
      "VALUES (1, REPEAT('abcdefgh', 400000)), (2, REPEAT('x', 3000000))",
    ),
    replica:
      "UPDATE long_rows SET body = CONCAT(LEFT(body, 1500000), 'Z', SUBSTRING(body, 1500002)) WHERE id = 1",
    found: row("long_rows", "id=1", "changed", "body"),
  },
  {
    name: "NULL against empty",
    both: table(
      "nothing",
      "id INT PRIMARY KEY, a VARCHAR(9), b VARCHAR(9), n INT",
      "VALUES (1, '', 'b', 0), (2, NULL, 'b', NULL)",
    ),
    replica: "UPDATE nothing SET a = NULL WHERE id = 1",
    found: row("nothing", "id=1", "changed", "a"),
  },
  {
    name: "NULL against zero",
    replica: "UPDATE nothing SET n = 0 WHERE id = 2",
    found: row("nothing", "id=2", "changed", "n"),
  },
  {
    name: "('x0','y') against ('x','0y')",
    both: table(
      "shifted",
      "id INT PRIMARY KEY, a VARCHAR(9) NOT NULL, b VARCHAR(9) NOT NULL",
      "VALUES (1, 'x0', 'y'), (2, 'x#', 'y')",
    ),
    replica: "UPDATE shifted SET a = 'x', b = '0y' WHERE id = 1",
    found: [...row("shifted", "id=1", "changed", "a"), ...row("shifted", "id=1", "changed", "b")],
  },
  {
    name: "a separator that wanders from one value to the next",
    replica: "UPDATE shifted SET a = 'x', b = '#y' WHERE id = 2",
    found: [...row("shifted", "id=2", "changed", "a"), ...row("shifted", "id=2", "changed", "b")],
  },
  {
    name: "a space at the end",
    both: table(
      "texts",
      "id INT PRIMARY KEY, t VARCHAR(40) NOT NULL",
      "VALUES (1, 'abc'), (2, 'Straße'), (3, 'é'), (4, '€ 😀'), (5, 'x')",
    ),
    replica: "UPDATE texts SET t = 'abc ' WHERE id = 1",
    found: row("texts", "id=1", "changed", "t"),
  },
  {
    name: "upper case where its collation sees none",
    replica: "UPDATE texts SET t = 'STRAßE' WHERE id = 2",
    found: row("texts", "id=2", "changed", "t"),
  },
  {
    name: "a letter that is composed otherwise",
    replica: "UPDATE texts SET t = CONVERT(X'65CC81' USING utf8mb4) WHERE id = 3",
    found: row("texts", "id=3", "changed", "t"),
  },
  {
    name: "another emoji",
    replica: "UPDATE texts SET t = '€ 😁' WHERE id = 4",
    found: row("texts", "id=4", "changed", "t"),
  },
  {
    name: "the last digit of numbers",
    both: table(
      "numbers",
      "id BIGINT UNSIGNED PRIMARY KEY, d DECIMAL(30,10), f FLOAT, g DOUBLE, b BIT(12), e ENUM('a','b'), s SET('x','y')",
      "VALUES (18446744073709551615, 12345678901234567890.0123456789, 1.2345678, 0.1, b'101', 'a', 'x'), (2, 1, 1, 1, b'1', 'b', 'x,y')",
    ),
    replica:
      "UPDATE numbers SET d = d + 0.0000000001, f = 1.2345679, g = 0.1 + 1e-17 * 2 WHERE id = 18446744073709551615",
    found: [
      ...row("numbers", "id=18446744073709551615", "changed", "d"),
      ...row("numbers", "id=18446744073709551615", "changed", "f"),
      ...row("numbers", "id=18446744073709551615", "changed", "g"),
    ],
  },
  {
    name: "a bit, an ENUM and a SET",
    replica: "UPDATE numbers SET b = b'11', e = 'a', s = 'y' WHERE id = 2",
    found: (["b", "e", "s"] as const).flatMap((column) =>
      row("numbers", "id=2", "changed", column),
    ),
  },
  {
    name: "a row of a key of two columns",
    both: table(
      "composed",
      "a INT, b VARCHAR(20) COLLATE utf8mb4_unicode_ci, v INT NOT NULL, PRIMARY KEY (a, b)",
      "SELECT seq DIV 50, CONCAT('k', seq), seq FROM seq_1_to_3000",
    ),
    replica: "UPDATE composed SET v = -1 WHERE a = 20 AND b = 'k1024'",
    found: row("composed", "a=20, b=k1024", "changed", "v"),
  },
  {
    name: "a key of text, with quotes and a hash sign in it",
    both: table(
      "worded",
      "word VARCHAR(40) PRIMARY KEY, v INT NOT NULL",
      "VALUES ('it''s \"#1\" \\\\', 1), ('ünï', 2), ('', 3)",
    ),
    replica: "UPDATE worded SET v = 9 WHERE v = 1",
    found: row("worded", 'word=it\'s "#1" \\', "changed", "v"),
  },
  {
    name: "a key of bytes",
    both: table(
      "bytes",
      "id BINARY(4) PRIMARY KEY, v VARBINARY(9) NOT NULL",
      "VALUES (X'00FF0027', X'00'), (X'00FF0028', X'01')",
    ),
    replica: "UPDATE bytes SET v = X'0000' WHERE id = X'00FF0027'",
    found: row("bytes", "id=0x00FF0027", "changed", "v"),
  },
  {
    name: "a key of a UUID",
    both: table(
      "uuids",
      "id UUID PRIMARY KEY, v INT NOT NULL",
      "SELECT CONCAT('00000000-0000-0000-0000-', LPAD(seq, 12, '0')), seq FROM seq_1_to_2000",
    ),
    replica: "UPDATE uuids SET v = 0 WHERE v = 1234",
    found: row("uuids", "id=00000000-0000-0000-0000-000000001234", "changed", "v"),
  },
  {
    name: "a key of an address",
    both: table(
      "addresses",
      "ip INET6 PRIMARY KEY, v INT NOT NULL",
      "VALUES ('::1', 1), ('::2', 2)",
    ),
    replica: "DELETE FROM addresses WHERE v = 2",
    found: row("addresses", "ip=::2", "missing"),
  },
  {
    name: "a key that ends with an ENUM and bits",
    both: table(
      "flagged",
      "id INT, e ENUM('a','b'), b BIT(10), v INT NOT NULL, PRIMARY KEY (id, e, b)",
      "VALUES (1, 'a', b'1010', 1), (1, 'b', b'1010', 2), (1, 'b', b'1111111111', 3)",
    ),
    replica: "UPDATE flagged SET v = 0 WHERE v = 3",
    found: row("flagged", "id=1, e=b, b=1023", "changed", "v"),
  },
  {
    name: "a key of numbers with a fraction",
    both: table(
      "measured",
      "f FLOAT, d DOUBLE, v INT NOT NULL, PRIMARY KEY (f, d)",
      "VALUES (1.1, 1.5, 1), (1.1, 1.6, 2), (1.2, 1e300, 3)",
    ),
    replica: "UPDATE measured SET v = 0 WHERE v = 1",
    found: row("measured", undefined, "changed", "v"),
  },
  {
    name: "keys of times, to the microsecond and below zero",
    both: table(
      "timed",
      "at DATETIME(6), t TIME(3), y YEAR, v INT NOT NULL, PRIMARY KEY (at, t, y)",
      "VALUES ('2014-01-01 00:00:00.000001', '-01:00:00.500', 2014, 1), ('2014-01-01 00:00:00.000002', '-01:00:00.500', 2014, 2)",
    ),
    replica: "UPDATE timed SET v = 0 WHERE v = 2",
    found: row("timed", "at=2014-01-01 00:00:00.000002, t=-01:00:00.500, y=2014", "changed", "v"),
  },
  {
    name: "a key of another character set",
    both: table(
      "latin",
      "word VARCHAR(20) CHARACTER SET latin1 PRIMARY KEY, v INT NOT NULL",
      "VALUES ('Straße', 1), ('é', 2)",
    ),
    replica: "UPDATE latin SET v = 0 WHERE v = 2",
    found: row("latin", "word=0xE9", "changed", "v"),
  },
  {
    name: "a row beyond a gap of 10^9 keys",
    both: table(
      "gappy",
      "id BIGINT PRIMARY KEY, v INT NOT NULL",
      "VALUES (1, 1), (1000000001, 2), (2000000001, 3)",
    ),
    replica: "DELETE FROM gappy WHERE id = 1000000001",
    found: row("gappy", "id=1000000001", "missing"),
  },
  {
    name: "a row twice, of a table without a key",
    both: table("keyless", "a INT, b VARCHAR(9)", "VALUES (1, 'x'), (1, 'x'), (2, NULL)"),
    replica: "INSERT INTO keyless VALUES (1, 'x')",
    found: row("keyless", undefined, "extra"),
  },
  {
    name: "a row in a table that is empty on the primary",
    both: "CREATE TABLE empty_one (id INT PRIMARY KEY) ENGINE=InnoDB;",
    replica: "INSERT INTO empty_one VALUES (1)",
    found: row("empty_one", "id=1", "extra"),
  },
  {
    name: "a value of an invisible column, and of a stored generated one",
    both: table(
      "hidden",
      "id INT PRIMARY KEY, a INT NOT NULL, h INT INVISIBLE DEFAULT 1, g INT AS (a * 2) STORED",
      "(id, a) VALUES (1, 1), (2, 2)",
    ),
    replica: "UPDATE hidden SET h = 2, a = 3 WHERE id = 2",
    found: (["h", "a", "g"] as const).flatMap((column) => row("hidden", "id=2", "changed", column)),
  },
  {
    name: "many rows that are missing at the end",
    both: table(
      "ended",
      "id INT PRIMARY KEY, v INT NOT NULL",
      "SELECT seq, seq FROM seq_1_to_5000",
    ),
    replica: "DELETE FROM ended WHERE id > 4995",
    found: [4996, 4997, 4998, 4999, 5000].flatMap((id) => row("ended", `id=${id}`, "missing")),
  },
];

/** Declarations. */
const SCHEMA: PlantedFault[] = [
  {
    name: "a table that is not on the replica",
    both: "CREATE TABLE lost (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO lost VALUES (1);",
    replica: "DROP TABLE lost",
    found: [...schema("table faults.lost", "missing"), ...row("lost", undefined, "missing")],
  },
  {
    name: "a table that is on the replica only",
    replica: "CREATE TABLE stray (id INT PRIMARY KEY) ENGINE=InnoDB",
    found: [...schema("table faults.stray", "extra"), ...row("stray", undefined, "extra")],
  },
  {
    name: "a dropped index",
    both: `CREATE TABLE declared (id INT PRIMARY KEY, a INT NOT NULL DEFAULT 1, b VARCHAR(20) COLLATE utf8mb4_unicode_ci NOT NULL, c INT, KEY on_a (a)) ENGINE=InnoDB;
      INSERT INTO declared VALUES (1, 1, 'b', 1);
      CREATE TABLE child (id INT PRIMARY KEY, parent INT NOT NULL, CONSTRAINT child_parent FOREIGN KEY (parent) REFERENCES declared (id), CONSTRAINT positive CHECK (parent > 0)) ENGINE=InnoDB;
      CREATE VIEW shown AS SELECT id, a FROM declared;
      CREATE TRIGGER stamped BEFORE INSERT ON declared FOR EACH ROW SET NEW.c = 1;
      CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC NO SQL RETURN n * 2;
      CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DISABLE DO SET @x = 1;`,
    replica: "DROP INDEX on_a ON declared",
    found: schema("index faults.declared.on_a", "missing"),
  },
  {
    name: "a changed collation",
    replica: "ALTER TABLE declared MODIFY b VARCHAR(20) COLLATE utf8mb4_bin NOT NULL",
    found: schema("column faults.declared.b", "declared-otherwise", "collation"),
  },
  {
    name: "another default, and NULL allowed",
    replica: "ALTER TABLE declared MODIFY a INT NULL DEFAULT 2",
    found: [
      ...schema("column faults.declared.a", "declared-otherwise", "default"),
      ...schema("column faults.declared.a", "declared-otherwise", "nullable"),
    ],
  },
  {
    name: "a column more",
    replica: "ALTER TABLE declared ADD extra INT",
    found: [
      ...schema("column faults.declared.extra", "extra"),
      ...row("declared", undefined, "column", "extra"),
    ],
  },
  {
    name: "a dropped trigger",
    replica: "DROP TRIGGER stamped",
    found: schema("trigger faults.stamped", "missing"),
  },
  {
    name: "a routine of another text",
    replica:
      "DROP FUNCTION twice; CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC NO SQL RETURN n * 3",
    found: schema("function faults.twice", "declared-otherwise", "body"),
  },
  {
    name: "a view of another text",
    replica: "CREATE OR REPLACE VIEW shown AS SELECT id, a + 1 AS a FROM declared",
    found: schema("view faults.shown as written", "declared-otherwise", "body"),
  },
  {
    name: "a foreign key and a check that are gone",
    replica:
      "ALTER TABLE child DROP FOREIGN KEY child_parent; ALTER TABLE child DROP CONSTRAINT positive",
    found: [
      ...schema("foreign key faults.child.child_parent", "missing"),
      ...schema("check faults.positive `parent` > 0", "missing"),
    ],
  },
  {
    name: "another engine",
    both: "CREATE TABLE engined (id INT PRIMARY KEY) ENGINE=InnoDB;",
    replica: "ALTER TABLE engined ENGINE=Aria",
    found: [
      ...schema("table faults.engined", "declared-otherwise", "engine"),
      ...schema("table faults.engined", "declared-otherwise", "options"),
    ],
  },
  {
    name: "an event that is gone",
    replica: "DROP EVENT nightly",
    found: schema("event faults.nightly", "missing"),
  },
];

/** Servers. */
const HEALTH: PlantedFault[] = [
  {
    name: "another time zone of the server, which changes no TIMESTAMP",
    both: table(
      "stamps",
      "id INT PRIMARY KEY, at TIMESTAMP NOT NULL",
      "VALUES (1, '2014-06-01 12:00:00')",
    ),
    replica: "SET GLOBAL time_zone = '+09:00'",
    found: [{ check: "health", object: "time_zone", kind: "setting" }],
  },
  {
    name: "another sql_mode",
    replica: "SET GLOBAL sql_mode = 'ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH'",
    found: [{ check: "health", object: "sql_mode", kind: "setting" }],
  },
  {
    name: "a replica that takes writes",
    replica: "SET GLOBAL read_only = OFF",
    found: [{ check: "health", object: "school-replica", kind: "writable" }],
  },
];

/** References, and what belongs to rows elsewhere. */
const BELONGINGS: PlantedFault[] = [
  {
    name: "an orphan of a declared foreign key",
    both: `CREATE TABLE owners (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO owners SELECT seq FROM seq_1_to_100;
      CREATE TABLE pets (id INT PRIMARY KEY, owner INT NULL, vet INT NOT NULL, CONSTRAINT pets_owner FOREIGN KEY (owner) REFERENCES owners (id)) ENGINE=InnoDB;
      INSERT INTO pets SELECT seq, IF(seq % 7 = 0, NULL, seq % 100 + 1), seq % 101 FROM seq_1_to_2000;`,
    primary: "SET foreign_key_checks = 0; INSERT INTO pets VALUES (9001, 777, 0)",
    found: [
      {
        check: "references",
        object: "faults.pets.pets_owner",
        key: "id=9001",
        column: "owner",
        kind: "orphan",
      },
    ],
  },
  {
    name: "an orphan of a reference that is configured alone",
    primary: "UPDATE pets SET vet = 888 WHERE id = 33",
    found: [
      {
        check: "references",
        object: "faults.pets.vet → faults.owners.id",
        key: "id=33",
        column: "vet",
        kind: "orphan",
      },
    ],
  },
  {
    name: "a row whose S3 object is missing",
    both: table(
      "files",
      "id INT PRIMARY KEY, s3_key VARCHAR(90) COLLATE utf8mb4_bin NULL, size INT NULL, written DATETIME NOT NULL DEFAULT '2020-01-01'",
      "(id, s3_key, size) VALUES (1, 'faults/a b+c.mp3', 3), (2, 'faults/ü.mp3', 3), (3, 'faults/e%2F.mp3', 3), (4, NULL, NULL)",
    ),
    beside: {
      place: "objects",
      before: [
        ["a b+c.mp3", "abc"],
        ["ü.mp3", "abc"],
        ["e%2F.mp3", "abc"],
      ],
      removed: ["ü.mp3"],
    },
    found: [
      {
        check: "objects",
        object: "faults.files",
        key: "id=2",
        column: "s3_key",
        kind: "missing-object",
      },
    ],
  },
  {
    name: "an S3 object without its row",
    beside: { place: "objects", put: [["left over", "abc"]] },
    found: [{ check: "objects", key: "faults/left over", kind: "extra-object" }],
  },
  {
    name: "an S3 object of another size",
    beside: { place: "objects", put: [["e%2F.mp3", "ab"]] },
    found: [
      {
        check: "objects",
        object: "faults.files",
        key: "id=3",
        column: "size",
        kind: "other-object",
      },
    ],
  },
  {
    name: "a document without its row",
    both: table(
      "posts",
      "id INT PRIMARY KEY, updated_at DATETIME NOT NULL",
      "VALUES (1, '2014-03-10 12:00:00'), (2, '2014-03-10 12:00:00'), (3, '2014-03-10 12:00:00')",
    ),
    beside: {
      place: "search",
      before: (["1", "2", "3"] as const).map((id) => [id, "2014-03-10T12:00:00Z"] as const),
      put: [["9001", "2014-03-10T12:00:00Z"]],
    },
    found: [{ check: "search", object: "faults", key: "9001", kind: "extra-document" }],
  },
  {
    name: "a row without its document",
    beside: { place: "search", removed: ["2"] },
    found: [
      {
        check: "search",
        object: "faults.posts",
        key: "id=2",
        column: "id",
        kind: "missing-document",
      },
    ],
  },
  {
    name: "a document that is behind its row",
    beside: { place: "search", put: [["3", "2014-03-09T12:00:00Z"]] },
    found: [
      {
        check: "search",
        object: "faults.posts",
        key: "id=3",
        column: "updated_at",
        kind: "other-document",
      },
    ],
  },
  {
    name: "a row without its DynamoDB item",
    both: table(
      "lessons",
      "id VARCHAR(20) PRIMARY KEY",
      "VALUES ('lesson-1'), ('lesson-2'), ('lesson 3')",
    ),
    beside: {
      place: "items",
      before: [["lesson-1"], ["lesson-2"], ["lesson 3"]],
      removed: ["lesson-2"],
    },
    found: [
      {
        check: "items",
        object: "faults.lessons",
        key: "id=lesson-2",
        column: "id",
        kind: "missing-item",
      },
    ],
  },
  {
    name: "a row of an empty id, of which there can be no item",
    primary: "INSERT INTO lessons VALUES ('')",
    found: [{ check: "items", object: "faults.lessons", key: "id=", kind: "missing-item" }],
  },
  {
    name: "a DynamoDB item without its row",
    beside: { place: "items", put: [["lesson-9"]] },
    found: [{ check: "items", object: "faults", key: '["lesson-9"]', kind: "extra-item" }],
  },
];

/** What makes the rest of a check senseless. */
const STOPPED: PlantedFault[] = [
  {
    name: "a stopped replica",
    replica: "STOP SLAVE SQL_THREAD",
    isLast: true,
    found: [{ check: "health", object: "school-replica", kind: "stopped" }],
  },
];

export const PLANTED_FAULTS: readonly PlantedFault[] = [
  ...ROWS,
  ...SCHEMA,
  ...HEALTH,
  ...BELONGINGS,
  ...STOPPED,
];

/** What belongs to the rows, as the configuration says it, given what the lab has. */
export const FAULTS_CONFIG = {
  databases: [FAULTS],
  references: [
    { table: "pets", column: "vet", toTable: "owners", toColumn: "id", nullValues: ["0"] },
  ],
  objects: [
    {
      table: "files",
      column: "s3_key",
      prefix: `${FAULTS}/`,
      environment: "prod",
      sizeColumn: "size",
      changedColumn: "written",
      graceMinutes: 0,
    },
  ],
  search: [
    {
      table: "posts",
      column: "id",
      service: "elasticsearch",
      index: FAULTS,
      versionColumn: "updated_at",
      versionField: "updated_at",
    },
  ],
  items: [
    {
      table: "lessons",
      columns: ["id"],
      dynamoTable: FAULTS,
      region: "us-west-2",
      environment: "dev",
    },
  ],
};
