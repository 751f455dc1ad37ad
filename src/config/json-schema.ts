import { toJSONSchema } from "zod/mini";
import { type Kinds, makeConfigSchema } from "./schema.ts";

/** Returns the JSON Schema of a configuration file with these kinds of service, in draft 7, which editors know best. */
export function makeJsonSchema(kinds: Kinds): Record<string, unknown> {
  return {
    title: "lcops.config.json",
    ...toJSONSchema(makeConfigSchema(kinds), { io: "input", target: "draft-7" }),
  };
}
