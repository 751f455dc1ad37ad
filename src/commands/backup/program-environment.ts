import type { Context } from "../command.ts";

/** What opens an account of AWS (AWS CLI user guide, environment variables); lcops alone speaks to it. */
const KEYS_OF_AWS = new Set([
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
]);

/** Given a context, return the environment of the programs that read, pack and restore data: no secret is in it. */
export async function programEnvironment(context: Context): Promise<NodeJS.ProcessEnv> {
  const all = Object.entries(await context.childEnvironment());
  return Object.fromEntries(all.filter(([name]) => !KEYS_OF_AWS.has(name)));
}
