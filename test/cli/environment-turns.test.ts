import { expect, test } from "vitest";
import { makeEnvironmentTurns } from "../../src/cli/environment-turns.ts";

/** Work that goes on until it is told to end, and what it saw of the variables when it began and when it ended. */
function makeWork(variables: NodeJS.ProcessEnv) {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const seen: (string | undefined)[] = [];
  const look = (): unknown => seen.push(variables["AWS_PROFILE"]);
  const work = async (): Promise<void> => {
    look();
    await ended;
    look();
  };
  return { work, seen, end };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("callers with other AWS variables wait for their turn, those with the same work side by side", async () => {
  const variables: NodeJS.ProcessEnv = { AWS_PROFILE: "live", AWS_REGION: "eu-west-1", HOME: "/h" };
  const withEnvironment = makeEnvironmentTurns(variables);
  const [live, alike, other] = [makeWork(variables), makeWork(variables), makeWork(variables)];
  const same = { AWS_PROFILE: "live", AWS_REGION: "eu-west-1", HOME: "/elsewhere" };
  const runs = [
    withEnvironment(same, live.work),
    withEnvironment({ AWS_PROFILE: "test" }, other.work),
    withEnvironment(same, alike.work),
  ];
  await settle();
  expect([live.seen, alike.seen, other.seen]).toEqual([["live"], ["live"], []]);
  live.end();
  await settle();
  expect(other.seen).toEqual([]);
  alike.end();
  await settle();
  expect(other.seen).toEqual(["test"]);
  // What the other caller does not have is not in force; what is not AWS's is nobody's business.
  expect(variables).toEqual({ AWS_PROFILE: "test", HOME: "/h" });
  other.end();
  await Promise.all(runs);
  expect([live.seen, alike.seen, other.seen]).toEqual([
    ["live", "live"],
    ["live", "live"],
    ["test", "test"],
  ]);
});

test("work that fails gives its turn to the next", async () => {
  const variables: NodeJS.ProcessEnv = {};
  const withEnvironment = makeEnvironmentTurns(variables);
  const failing = withEnvironment({ AWS_PROFILE: "one" }, () => Promise.reject(new Error("no")));
  const next = withEnvironment({ AWS_PROFILE: "two" }, () =>
    Promise.resolve(variables["AWS_PROFILE"]),
  );
  await expect(failing).rejects.toThrow("no");
  expect(await next).toBe("two");
});
