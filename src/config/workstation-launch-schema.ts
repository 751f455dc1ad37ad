import * as z from "zod/mini";
import { matching, orAbsent, path, secret, text } from "./schema-fields.ts";

const shown = {
  key: orAbsent(
    matching(/^[A-Za-z0-9]{1,8}$/, "a key is one to eight letters or digits"),
    "Its key on the panel; absent: its name",
  ),
  title: orAbsent(text, "Its name on the panel"),
};
const minutes = z
  .number()
  .check(z.gte(0.05, "a time above 0 is expected"), z.lte(10_080, "a week at most"));
const seconds = z.number().check(z.gte(1, "a second at least"), z.lte(3600, "an hour at most"));
const percent = z.number().check(z.gte(0, "0 to 100"), z.lte(100, "0 to 100"));

/** What the panel of the developer's own machine starts: load tests, and the app. */
export const workstationLaunchSchema = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({
      kind: z.literal("jmeter"),
      ...shown,
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
      minutes: orAbsent(minutes, "The test is ended after so many; absent: 60"),
    }),
    z.strictObject({
      kind: z.literal("app"),
      ...shown,
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

export type LaunchConfig = z.output<typeof workstationLaunchSchema>;
export type JmeterConfig = Extract<LaunchConfig, { kind: "jmeter" }>;
export type AppConfig = Extract<LaunchConfig, { kind: "app" }>;
