import * as z from "zod/mini";
import { orAbsent } from "./schema-fields.ts";

const number = (what: string, most: number) => z.int(what).check(z.gte(1, what), z.lte(most, what));

/** How many hosts are worked on together, and for how long. */
export const fleetSchema = z.strictObject({
  atOnce: orAbsent(
    number("a number of hosts from 1 to 200 is expected", 200),
    "How many hosts a command runs on at the same time; 20 when absent",
  ),
  limitSeconds: orAbsent(
    number("a number of seconds is expected", 86_400),
    "Past it a command of fleet run is no longer waited for; 600 when absent",
  ),
});
