/** Does work with somebody's variables in force; see `makeEnvironmentTurns`. */
export type WithEnvironment = <T>(
  environment: NodeJS.ProcessEnv,
  work: () => Promise<T>,
) => Promise<T>;

/**
 * The AWS SDK reads the process's own variables, and one supervisor works for several callers: return what does work with the
 * AWS variables of one of them in force. Work with the same variables goes on side by side, other work waits for its turn.
 */
export function makeEnvironmentTurns(processEnvironment: NodeJS.ProcessEnv): WithEnvironment {
  let inForce = pickAws(processEnvironment);
  let users = 0;
  let waiting: (() => void)[] = [];
  const putInForce = (variables: Map<string, string>): void => {
    for (const name of inForce.keys()) delete processEnvironment[name];
    Object.assign(processEnvironment, Object.fromEntries(variables));
    inForce = variables;
  };
  return async (environment, work) => {
    const wanted = pickAws(environment);
    while (users > 0 && !isSame(wanted, inForce))
      await new Promise<void>((resolve) => waiting.push(resolve));
    if (!isSame(wanted, inForce)) putInForce(wanted);
    users++;
    try {
      return await work();
    } finally {
      users--;
      const due = waiting;
      waiting = [];
      for (const go of due) go();
    }
  };
}

function pickAws(environment: NodeJS.ProcessEnv): Map<string, string> {
  return new Map(
    Object.entries(environment).flatMap(([name, value]) =>
      name.startsWith("AWS_") && value !== undefined ? [[name, value] as const] : [],
    ),
  );
}

function isSame(one: Map<string, string>, other: Map<string, string>): boolean {
  return one.size === other.size && [...one].every(([name, value]) => other.get(name) === value);
}
