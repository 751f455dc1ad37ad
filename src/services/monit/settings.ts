import * as z from "zod/mini";
import { login, reachable, tls } from "../../config/schema-fields.ts";

export const settings = z.strictObject({ kind: z.literal("monit"), ...reachable, ...login, tls });
export type MonitConfig = z.output<typeof settings>;
