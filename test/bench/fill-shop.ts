import { spawn } from "node:child_process";
import { once } from "node:events";

/** Tables of a shop, that of the orders more than half of all, and how many rows each has: their dump has more than 500 MB. */
const TABLES = {
  orders: {
    rows: 2_500_000,
    columns: `id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, customer INT NOT NULL, placed DATETIME NOT NULL,
      state ENUM('new', 'paid', 'sent', 'returned') NOT NULL, total DECIMAL(10, 2) NOT NULL, address VARCHAR(200) NOT NULL, note TEXT,
      KEY (customer, placed), KEY (placed)`,
  },
  customers: {
    rows: 350_000,
    columns: `id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, email VARCHAR(120) NOT NULL, name VARCHAR(100) NOT NULL, address VARCHAR(200),
      joined DATETIME, latitude DOUBLE, longitude DOUBLE, UNIQUE KEY (email), KEY (name)`,
  },
  messages: {
    rows: 70_000,
    columns:
      "id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, customer INT NOT NULL, subject VARCHAR(200), body MEDIUMTEXT, KEY (customer)",
  },
  pictures: {
    rows: 3_000,
    columns:
      "id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, customer INT NOT NULL, type VARCHAR(40), content MEDIUMBLOB, KEY (customer)",
  },
} as const;
type Table = keyof typeof TABLES;

const CUSTOMERS = TABLES.customers.rows;
const STATEMENT_BYTES = 512 * 1024;

/** Given how the client is called on an empty database, make the tables there and fill them; always with the same rows. */
export async function fillShop(client: readonly string[]): Promise<void> {
  for (const table of Object.keys(TABLES) as Table[]) await fillTable(client, table);
}

async function fillTable([program = "", ...args]: readonly string[], table: Table): Promise<void> {
  const child = spawn(program, args, { stdio: ["pipe", "inherit", "inherit"] });
  const ended = once(child, "close") as Promise<[number | null]>;
  const { columns, rows } = TABLES[table];
  child.stdin.write(`CREATE TABLE ${table} (${columns}) DEFAULT CHARSET=utf8mb4;\n`);
  child.stdin.write("SET unique_checks=0, autocommit=0;\n");
  const write = makeRow(table.length);
  let values: string[] = [];
  let bytes = 0;
  for (let id = 1; id <= rows; id++) {
    const row = write[table](id);
    values.push(row);
    bytes += row.length;
    if (bytes < STATEMENT_BYTES && id < rows) continue;
    const text = `INSERT INTO ${table} VALUES ${values.join(",")};\n`;
    if (!child.stdin.write(text)) await once(child.stdin, "drain");
    values = [];
    bytes = 0;
  }
  child.stdin.end("COMMIT;\n");
  const [code] = await ended;
  if (code !== 0) throw new Error(`${program} has ended with ${code}`);
}

/** Words as a language has them, few of them often; numbers, times; and pictures, which nothing makes smaller. */
function makeRow(seed: number): Record<Table, (id: number) => string> {
  let state = seed + 12_345;
  // Numerical Recipes' generator: the same rows in every run.
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const whole = (below: number): number => Math.floor(random() * below);
  const SYLLABLES =
    "an ber co da el fo gra hin is jo ka lu mer no or pa qui ra sto tin un ver wa".split(" ");
  const some = (count: number, one: () => string): string[] => Array.from({ length: count }, one);
  const vocabulary = some(8_000, () =>
    some(1 + whole(4), () => SYLLABLES[whole(SYLLABLES.length)] ?? "").join(""),
  );
  const word = (): string => vocabulary[Math.floor(vocabulary.length * random() ** 2)] ?? "";
  const words = (count: number): string => some(count, word).join(" ");
  const time = (): string =>
    new Date(1.6e12 + random() * 1.5e11).toISOString().slice(0, 19).replace("T", " ");
  const state_ = (): string => ["new", "paid", "sent", "returned"][whole(4)] ?? "";
  return {
    orders: (id) =>
      `(${id},${whole(CUSTOMERS)},'${time()}','${state_()}',${(random() * 500).toFixed(2)},'${words(3)} ${whole(200)}','${words(4 + whole(8))}')`,
    customers: (id) =>
      `(${id},'${word()}.${word()}${id}@${word()}.example','${words(2)}','${words(4)}','${time()}',${random() * 180 - 90},${random() * 360 - 180})`,
    messages: (id) =>
      `(${id},${whole(CUSTOMERS)},'${words(5)}','${words(60 + whole(200))}, it\\'s\\n${word()}')`,
    pictures: (id) => {
      const content = Buffer.from(some(1_024 + whole(2_048), () => "    ").join(""));
      for (let at = 0; at < content.length; at += 4)
        content.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
      return `(${id},${whole(CUSTOMERS)},'image/webp',x'${content.toString("hex")}')`;
    },
  };
}
