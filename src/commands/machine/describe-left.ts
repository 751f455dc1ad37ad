/** Given the name of a launch and the processes of it that this user could not end, return what is said of them. Pure. */
export function describeLeft(name: string, pids: readonly number[]): string {
  const [those, run, end] =
    pids.length === 1
      ? ["process", "runs on: it is another user's, or does", "ends it"]
      : ["processes", "run on: they are another user's, or do", "ends them"];
  return `lcops: ${name}: ${those} ${pids.join(", ")} still ${run} not end; sudo kill ${pids.join(" ")} ${end}`;
}
