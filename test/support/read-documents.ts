import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type MarkdownPage, readMarkdown } from "./read-markdown.ts";

export const ROOT = join(import.meta.dirname, "../..");

/** Returns the paths of all files that git tracks, or would track once they are added. */
export function listFiles(): string[] {
  const words = ["ls-files", "--cached", "--others", "--exclude-standard"];
  return execFileSync("git", words, { cwd: ROOT, encoding: "utf8" })
    .split("\n")
    .filter((file) => file !== "" && existsSync(join(ROOT, file)));
}

/** Returns one document of the repository, read. */
export function readPage(path: string): MarkdownPage {
  return readMarkdown(readFileSync(join(ROOT, path), "utf8"));
}
