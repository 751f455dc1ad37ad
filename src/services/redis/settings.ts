import * as z from "zod/mini";
import { login, orAbsent, reachable, tls } from "../../config/schema-fields.ts";

export const settings = z.strictObject({
  kind: z.literal("redis"),
  ...reachable,
  ...login,
  database: orAbsent(
    z.int().check(z.gte(0, "a database has a number from 0")),
    "Number of the database, 0 when absent",
  ),
  tls,
});
export type RedisConfig = z.output<typeof settings>;
