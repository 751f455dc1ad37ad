import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { OperatorError } from "../../system/errors.ts";

/**
 * Given what `--output` says, return the whole path of the file, or `-`. Throws `usage` where a folder, a pipe or a device stands
 * there: the file would take its place.
 */
export async function readOutputPath(output: unknown): Promise<string> {
  if (typeof output !== "string" || output === "")
    throw new OperatorError("usage", "--output needs the path of a file, or -");
  if (output === "-") return output;
  const found = await stat(output).catch(() => undefined);
  if (!found || found.isFile()) return resolve(output);
  throw new OperatorError("usage", `--output: ${output} is no file`, {
    next: found.isDirectory() ? "name a file in it" : "name a file; - is stdout",
  });
}
