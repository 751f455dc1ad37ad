import type { HostResult } from "./run-on-hosts.ts";

/** Hosts on which a command has ended and said the same. */
export interface FoldedResult {
  hosts: readonly string[];
  /** Of the first of them, which stands for all. */
  result: HostResult;
}

/**
 * Given results, return them folded: hosts that have ended in the same way, with the same output byte for byte, are one. What is done
 * comes first, the larger groups before the smaller; what is not done comes last, nearest to the prompt. Pure.
 */
export function foldResults(results: readonly HostResult[]): FoldedResult[] {
  const groups = new Map<string, { hosts: string[]; result: HostResult }>();
  for (const result of results) {
    const { state, code, signal, why, stdout, stderr } = result;
    // Every reason that is told names its host.
    const key = JSON.stringify([state, code, signal, why, stdout?.hash, stderr?.hash]);
    const group = groups.get(key);
    if (group) group.hosts.push(result.host);
    else groups.set(key, { hosts: [result.host], result });
  }
  const isDone = ({ result }: FoldedResult): number => (result.state === "done" ? 0 : 1);
  return [...groups.values()].toSorted(
    (left, right) => isDone(left) - isDone(right) || right.hosts.length - left.hosts.length,
  );
}
