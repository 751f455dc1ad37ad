import { encodePartName } from "../part-name.ts";

/**
 * Given the key of an object, return the path of its file, relative to the folder of the objects. Any key has one, no two have the same, and none
 * leads out: each level is encoded as the name of a part is. Since `a` and `a/b` are both keys and one name cannot be both a file and a folder,
 * files have a dot in their names and folders have none; what is otherwise ends in a bare `%`, which no encoding does. Pure.
 */
export function mapKey(key: string): string {
  const levels = key.split("/");
  return levels
    .map((level, index) => {
      const isFile = index === levels.length - 1;
      const name = level === "" ? "%_" : encodePartName(level);
      return level.includes(".") === isFile ? name : `${name}%`;
    })
    .join("/");
}
