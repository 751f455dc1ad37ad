import * as z from "zod/mini";
import { matching, name, orAbsent, path, secret, text } from "./schema-fields.ts";

/** The fields of a line of the panel; `unkeyed` says which key it has without one. */
const shown = (unkeyed: string) => ({
  key: orAbsent(
    matching(/^[A-Za-z0-9]{1,8}$/, "a key is one to eight letters or digits"),
    `Its key on the panel; ${unkeyed}`,
  ),
  title: orAbsent(text, "Its name on the panel"),
});
const minutes = (most: number, message: string) =>
  z.number().check(z.gte(0.05, "a time above 0 is expected"), z.lte(most, message));
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
const userPort = z.int().check(z.gte(1024, "a port from 1024 to 65535"), z.lte(65535));
const megabytes = z.int().check(z.gte(128, "at least 128 MB"));

const service = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("systemd"), ...shown("absent: its number"), unit: word }),
    z.strictObject({ kind: z.literal("sysv"), ...shown("absent: its number"), script: word }),
    z.strictObject({
      kind: z.literal("php-module"),
      ...shown("absent: its number"),
      module: word,
      version: orAbsent(matching(/^\d\.\d+$/, "8.2, e.g."), "Of PHP; absent: each that serves"),
      sapi: orAbsent(z.enum(["apache2", "fpm"]), "How PHP serves; absent: both ways, as it does"),
      server,
    }),
    z.strictObject({
      kind: z.literal("apache-module"),
      ...shown("absent: its number"),
      module: word,
      server,
    }),
    z.strictObject({
      kind: z.literal("mysql-variable"),
      ...shown("absent: its number"),
      variable,
      on: orAbsent(value, "Its value when on, ON when absent"),
      off: orAbsent(value, "Its value when off, OFF when absent"),
      with: orAbsent(
        z.record(variable, value),
        "Other variables that are set while it is on, and restored",
      ),
      minutes: orAbsent(
        minutes(1440, "a day at most"),
        "Switches itself off after so many; absent: never",
      ),
      socket: orAbsent(path, "Of the server; absent: where the client looks"),
    }),
    z.strictObject({
      kind: z.literal("ram-mysql"),
      ...shown("absent: its number"),
      seed: orAbsent(path, "SQL of the data to begin with, .sql or .sql.gz; absent: no data"),
      port: orAbsent(userPort, "On 127.0.0.1; absent: it answers on its socket only"),
      folder: orAbsent(path, "On a RAM disk; absent: one of its own in /dev/shm"),
      sizeMb: orAbsent(megabytes, "Mount a RAM disk of so many MB on the folder, through sudo"),
    }),
    z.strictObject({
      kind: z.literal("command"),
      ...shown("absent: its number"),
      status: words.check(z.describe("Ends with 0 when it is on, and with 1 or 3 when off")),
      on: words,
      off: words,
      root: orAbsent(z.boolean(), "Whether on and off are run through sudo"),
    }),
  ],
  "a kind is expected: systemd, sysv, php-module, apache-module, mysql-variable, ram-mysql or command",
);

const seconds = z.number().check(z.gte(1, "a second at least"), z.lte(3600, "an hour at most"));
const percent = z.number().check(z.gte(0, "0 to 100"), z.lte(100, "0 to 100"));

const launch = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({
      kind: z.literal("jmeter"),
      ...shown("absent: its name"),
      plan: path.check(z.describe("The test plan, .jmx")),
      program: orAbsent(path, "JMeter's own; absent: jmeter"),
      properties: orAbsent(
        z.record(
          matching(/^[A-Za-z0-9_.-]{1,100}$/, "the name of a property is expected"),
          z.union([z.number(), z.boolean(), secret, text]),
        ),
        "Properties that the plan reads by ${__P(NAME)}; a value may be the reference of a secret",
      ),
      maxFailedPercent: orAbsent(percent, "More failed samples fail the test; absent: any does"),
      maxP95Ms: orAbsent(
        z.number().check(z.gte(1, "a millisecond at least")),
        "A slower 95th percentile of all samples fails the test",
      ),
      minutes: orAbsent(
        minutes(10_080, "a week at most"),
        "The test is ended after so many; absent: 60",
      ),
    }),
    z.strictObject({
      kind: z.literal("app"),
      ...shown("absent: its name"),
      run: z
        .array(text)
        .check(z.minLength(1, "a command is expected, word by word"))
        .check(z.describe("The command that stays while the app runs")),
      folder: orAbsent(path, "Where it is run; absent: the repository of the same name"),
      url: matching(/^https?:\/\/[^\s\p{Cc}@]{1,500}$/u, "an http address is expected").check(
        z.describe("Answers when the app is up"),
      ),
      seconds: orAbsent(seconds, "How long it is waited for; absent: 120"),
    }),
  ],
  "a kind is expected: jmeter or app",
);

const repository = z.strictObject({
  folder: path.check(z.describe("Where it is on this machine")),
  url: orAbsent(
    matching(
      /^(?![A-Za-z0-9+.-]+:\/\/[^/@]*:[^/@]*@|https?:\/\/[^/@]*@)[A-Za-z0-9/~.][^\s\p{Cc}]{0,500}$/u,
      "where git finds a repository is expected, without a password or token, e.g. git@example.com:team/app.git",
    ),
    "Where it comes from: cloned from there where the folder is missing, and its remote must be that",
  ),
});

/** What belongs to the developer's own machine. */
export const workstationSchema = z.strictObject({
  services: orAbsent(
    z.record(name, service),
    "What the panel shows, in its order; absent: the six of statusMachine.sh as Debian has them",
  ),
  launches: orAbsent(
    z.record(name, launch),
    "What the panel launches, in its order; absent: ja, jw and app of statusMachine.sh",
  ),
  repositories: orAbsent(z.record(name, repository), "Git repositories that are updated together"),
});

export type MachineServiceConfig = z.output<typeof service>;
export type LaunchConfig = z.output<typeof launch>;
export type JmeterConfig = Extract<LaunchConfig, { kind: "jmeter" }>;
export type AppConfig = Extract<LaunchConfig, { kind: "app" }>;
