import type { Tag } from "@aws-sdk/client-ec2";

/** Given tags, return the filters with which EC2 finds what carries them. */
export function tagFilters(
  tags: Readonly<Record<string, string>>,
): { Name: string; Values: string[] }[] {
  return Object.entries(tags).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] }));
}

/** Given the tags of a thing and those that are wanted, return whether it carries them all. EC2 takes `*` and `?` in a filter for wildcards, and a tag may hold them: what it finds is compared again. */
export function hasTags(
  tags: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>> = {},
): boolean {
  return Object.entries(wanted).every(([key, value]) => tags?.[key] === value);
}

/** Given tags as EC2 lists them, return them by key. */
export function readPairs(tags: readonly Tag[]): Record<string, string> {
  return Object.fromEntries(tags.flatMap(({ Key, Value }) => (Key ? [[Key, Value ?? ""]] : [])));
}
