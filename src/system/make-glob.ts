/** Given a pattern of names, return what tells whether a name matches it as a whole: `*` and `?`, nothing else, and no case. Pure. */
export function makeGlob(pattern: string): RegExp {
  const source = pattern.replace(/[\\^$.|+()[\]{}]/g, "\\$&");
  return new RegExp(`^${source.replace(/\*+/g, ".*").replaceAll("?", ".")}$`, "i");
}
