import { homedir, userInfo } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/** Where lcops keeps what is its own; XDG base directory specification 0.8. */
export interface Folders {
  config: string;
  state: string;
  cache: string;
  /** For sockets and records of what runs. Not $XDG_RUNTIME_DIR: cron has none, and it goes with the last login, which tunnels outlive. */
  runtime: string;
}

/** Given the environment variables, return lcops' folders; relative values of XDG variables are ignored, as the specification says. */
export function findFolders(environment: NodeJS.ProcessEnv): Folders {
  const home = homedir();
  const folder = (variable: string, fallback: string): string => {
    const value = environment[variable];
    return join(value && isAbsolute(value) ? value : fallback, "lcops");
  };
  const state = folder("XDG_STATE_HOME", join(home, ".local", "state"));
  return {
    config: folder("XDG_CONFIG_HOME", join(home, ".config")),
    state,
    cache: folder("XDG_CACHE_HOME", join(home, ".cache")),
    runtime: join(state, "run"),
  };
}

/**
 * Given what the command line and the environment say, return the path of the configuration file: `--config`,
 * then `$LCOPS_CONFIG`, then the user's configuration folder. It may not exist.
 */
export function findConfigPath(
  flag: string | undefined,
  environment: NodeJS.ProcessEnv,
  folders: Folders,
): string {
  return resolve(
    flag ?? (environment["LCOPS_CONFIG"] || join(folders.config, "lcops.config.json")),
  );
}

/** Return the home folder that `ssh` uses for `~`: the one of the user database, whatever $HOME says. */
export function sshHome(): string {
  return readUser()?.homedir ?? homedir();
}

/** Return the name under which this user logs in elsewhere; its number where the user database does not know it, as in some containers. */
export function userName(): string {
  return readUser()?.username ?? String(process.getuid?.() ?? "");
}

function readUser(): { username: string; homedir: string } | undefined {
  try {
    return userInfo();
  } catch {
    return undefined;
  }
}

/** Given a path as an operator writes it, return it with a leading `~/` resolved against `home`. */
export function expandHome(path: string, home = homedir()): string {
  return path === "~" || path.startsWith("~/") ? join(home, path.slice(1)) : path;
}
