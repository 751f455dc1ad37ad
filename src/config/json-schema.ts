import { toJSONSchema } from "zod/mini";
import { configSchema } from "./schema.ts";

/** Return the JSON Schema of the configuration file, draft 7, which editors know best. */
export function makeJsonSchema(): Record<string, unknown> {
  return {
    title: "lcops.config.json",
    ...toJSONSchema(configSchema, { io: "input", target: "draft-7" }),
  };
}
