import * as z from "zod/mini";
import { matching, name, orAbsent, path, text } from "./schema-fields.ts";

const shown = {
  key: orAbsent(
    matching(/^[A-Za-z0-9]{1,8}$/, "a key is one to eight letters or digits"),
    "Its key on the panel; absent: its number",
  ),
  title: orAbsent(text, "Its name on the panel"),
};
const word = matching(
  /^[A-Za-z0-9_][A-Za-z0-9_.@:-]{0,100}$/,
  "a name as the system writes it is expected, e.g. apache2",
);
const variable = matching(/^[a-z][a-z0-9_]{0,63}$/, "a variable of MySQL is expected");
const value = z.union([
  z.number(),
  matching(/^[A-Za-z0-9_.,:/-]{0,200}$/, "a value of a MySQL variable is expected"),
]);
const words = z.array(text).check(z.minLength(1, "a command is expected, word by word"));
const server = orAbsent(
  name,
  "The service of the panel that loads it, and is restarted; absent: apache, and PHP's FPM",
);
const minutes = z
  .number()
  .check(z.gte(0.05, "a time above 0 is expected"), z.lte(1440, "a day at most"));
const port = z.int().check(z.gte(1024, "a port from 1024 to 65535"), z.lte(65535));
const megabytes = z.int().check(z.gte(128, "at least 128 MB"));

/** What the panel of the developer's own machine shows and toggles. */
export const workstationServiceSchema = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("systemd"), ...shown, unit: word }),
    z.strictObject({ kind: z.literal("sysv"), ...shown, script: word }),
    z.strictObject({
      kind: z.literal("php-module"),
      ...shown,
      module: word,
      version: orAbsent(matching(/^\d\.\d+$/, "8.2, e.g."), "Of PHP; absent: each that serves"),
      sapi: orAbsent(z.enum(["apache2", "fpm"]), "How PHP serves; absent: both ways, as it does"),
      server,
    }),
    z.strictObject({ kind: z.literal("apache-module"), ...shown, module: word, server }),
    z.strictObject({
      kind: z.literal("mysql-variable"),
      ...shown,
      variable,
      on: orAbsent(value, "Its value when on, ON when absent"),
      off: orAbsent(value, "Its value when off, OFF when absent"),
      with: orAbsent(
        z.record(variable, value),
        "Other variables that are set while it is on, and restored",
      ),
      minutes: orAbsent(minutes, "Switches itself off after so many; absent: never"),
      socket: orAbsent(path, "Of the server; absent: where the client looks"),
    }),
    z.strictObject({
      kind: z.literal("ram-mysql"),
      ...shown,
      seed: orAbsent(path, "SQL of the data to begin with, .sql or .sql.gz; absent: no data"),
      port: orAbsent(port, "On 127.0.0.1; absent: it answers on its socket only"),
      folder: orAbsent(path, "On a RAM disk; absent: one of its own in /dev/shm"),
      sizeMb: orAbsent(megabytes, "Mount a RAM disk of so many MB on the folder, through sudo"),
    }),
    z.strictObject({
      kind: z.literal("command"),
      ...shown,
      status: words.check(z.describe("Ends with 0 when it is on, and with 1 or 3 when off")),
      on: words,
      off: words,
      root: orAbsent(z.boolean(), "Whether on and off are run through sudo"),
    }),
  ],
  "a kind is expected: systemd, sysv, php-module, apache-module, mysql-variable, ram-mysql or command",
);

export type MachineServiceConfig = z.output<typeof workstationServiceSchema>;
