import * as z from "zod/mini";
import { name, orAbsent } from "./schema-fields.ts";

const number = (what: string, most: number) => z.int(what).check(z.gte(1, what), z.lte(most, what));

/** How many hosts are worked on together, and for how long. */
export const fleetSchema = z.strictObject({
  notify: orAbsent(z.array(name), "Who is told how commands and upgrades of the fleet have ended"),
  atOnce: orAbsent(
    number("a number of hosts from 1 to 200 is expected", 200),
    "How many hosts a command runs on at the same time; 20 when absent",
  ),
  limitSeconds: orAbsent(
    number("a number of seconds is expected", 86_400),
    "Past it a command of fleet run is no longer waited for; 600 when absent",
  ),
  maxFailures: orAbsent(
    z.int("a number of hosts is expected").check(z.gte(0, "a number of hosts is expected")),
    "So many hosts of an upgrade may fail, be unreachable or unknown before no further one is begun; 1 when absent, none of the canaries",
  ),
  reboot: orAbsent(z.boolean(), "Whether an upgrade reboots hosts that want it; false when absent"),
  upgradeMinutes: orAbsent(
    number("a number of minutes is expected", 1_440),
    "How long a host may take to upgrade, and again to come back from a reboot; 60 when absent",
  ),
  soakSeconds: orAbsent(
    z.int("a number of seconds is expected").check(z.gte(0, "a number of seconds is expected")),
    "How long upgraded hosts are left to work before their services are asked again and others follow; 30 when absent",
  ),
});
