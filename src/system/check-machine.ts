import type { Finding } from "./finding.ts";
import { findProgram } from "./program.ts";

const PROGRAMS = [
  {
    names: ["ssh"],
    state: "warn",
    without: "the ssh settings are read by a simpler parser, without Include and Match",
    next: "install openssh-client",
  },
  {
    names: ["mariadb", "mysql"],
    state: "warn",
    without: "lcops mysql has no client to run",
    next: "install mariadb-client or mysql-client",
  },
  {
    names: ["redis-cli"],
    state: "warn",
    without: "lcops redis console is a simpler one of its own",
    next: "install redis-tools",
  },
] as const;

/** Given the environment variables, return what lcops finds on this machine: Node and the programs that it starts. */
export async function checkMachine(environment: NodeJS.ProcessEnv): Promise<Finding[]> {
  const programs = await Promise.all(
    PROGRAMS.map(async ({ names, state, without, next }): Promise<Finding> => {
      const path = await findProgram(names, environment["PATH"] ?? "");
      const name = names.join(" or ");
      return path === undefined
        ? { area: "program", name, state, detail: `not installed: ${without}`, next }
        : { area: "program", name, state: "ok", detail: path };
    }),
  );
  return [checkNode(environment), ...programs];
}

/** Node 20 reads the file at every start, whether or not it is needed (nodejs/node#40524). */
function checkNode(environment: NodeJS.ProcessEnv): Finding {
  const isSlowed = environment["NODE_EXTRA_CA_CERTS"] && process.versions.node.startsWith("20.");
  return isSlowed
    ? {
        area: "program",
        name: "node",
        state: "warn",
        detail: `${process.versions.node}, slowed at each start by NODE_EXTRA_CA_CERTS`,
        next: "use Node 22, or unset it where it is not needed",
      }
    : { area: "program", name: "node", state: "ok", detail: process.versions.node };
}
