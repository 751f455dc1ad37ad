import { type AttributePath, type AttributeValue, isSame, type Item } from "./attribute-value.ts";

/** One attribute that differs. Maps are descended; a list or a set is one whole, since its places shift. */
export interface AttributeChange {
  path: AttributePath;
  /** Absent: it was not there. */
  before?: AttributeValue;
  /** Absent: it is to be taken away. */
  after?: AttributeValue;
}

/** An attribute that another writer has changed too. */
export interface AttributeConflict extends AttributeChange {
  /** What it is now; absent: it is gone. */
  now?: AttributeValue;
}

/** Given two states of an item, return what differs. Pure. */
export function diffItems(before: Item, after: Item, path: AttributePath = []): AttributeChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.flatMap((name): AttributeChange[] => {
    const [old, young] = [before.get(name), after.get(name)];
    const here = [...path, name];
    if (isSame(old, young)) return [];
    if (old?.type === "M" && young?.type === "M") return diffItems(old.value, young.value, here);
    return [{ path: here, ...(old && { before: old }), ...(young && { after: young }) }];
  });
}

/** Given an item and a path, return what is there. Pure. */
export function lookUp(item: Item, path: AttributePath): AttributeValue | undefined {
  const [name, ...rest] = path;
  const value = name === undefined ? undefined : item.get(name);
  if (rest.length === 0) return value;
  return value?.type === "M" ? lookUp(value.value, rest) : undefined;
}

/** Given an item and a change, return the item with it made. Pure. */
export function applyChange(item: Item, { path, after }: AttributeChange): Item {
  const [name = "", ...rest] = path;
  const changed = new Map(item);
  if (rest.length > 0) {
    const inner = item.get(name);
    const map = applyChange(inner?.type === "M" ? inner.value : new Map(), {
      path: rest,
      ...(after && { after }),
    });
    changed.set(name, { type: "M", value: map });
  } else if (after) changed.set(name, after);
  else changed.delete(name);
  return changed;
}

/**
 * Given the wished changes and the item as it is now, return those that are still to be made, and those that cannot be, since
 * another writer has changed the same. What is already as wished is neither. Pure.
 */
export function mergeChanges(
  changes: readonly AttributeChange[],
  now: Item,
): { changes: AttributeChange[]; conflicts: AttributeConflict[] } {
  const merged = { changes: [] as AttributeChange[], conflicts: [] as AttributeConflict[] };
  for (const change of changes) {
    const value = lookUp(now, change.path);
    const parent = change.path.slice(0, -1);
    const hasParent = parent.length === 0 || lookUp(now, parent)?.type === "M";
    if (isSame(value, change.after) && (hasParent || change.after === undefined)) continue;
    if (hasParent && isSame(value, change.before)) merged.changes.push(change);
    else merged.conflicts.push({ ...change, ...(value && { now: value }) });
  }
  return merged;
}
