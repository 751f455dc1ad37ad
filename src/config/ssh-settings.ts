import SSHConfig from "ssh-config";
import { describeError, OperatorError } from "../system/errors.ts";
import { runProgram } from "../system/program.ts";
import { expandHome, sshHome, userName } from "./folders.ts";
import { readSshConfigFile } from "./ssh-hosts.ts";

/** What the operator's own ssh settings say of one host, tokens and `~` expanded. */
export interface SshSettings {
  hostName: string;
  port: number;
  user: string;
  hostKeyAlias?: string;
  identityFiles: string[];
  identitiesOnly: boolean;
  agentSocket?: string;
  knownHostsFiles: string[];
  /** What only `ssh` itself can use; absent where it says nothing of that. */
  forProgram?: { certificateFiles: string[]; pkcs11Provider?: string; gssapi: boolean };
  /** `[user@]host[:port]` of each jump host, outermost first. */
  proxyJump: string[];
  proxyCommand?: string;
  /** Why the settings are only what a simpler reader made of them, where `ssh` could not be asked. */
  note?: string;
}

export interface SshSettingsQuery {
  /** The name that `Host` patterns see. */
  name: string;
  /** What lcops knows better than the user's settings. */
  address?: string;
  port?: number;
  user?: string;
  /** Instead of the user's ~/.ssh/config. */
  configFile?: string;
  /** For SSH_AUTH_SOCK. */
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/**
 * Given a host, return the user's ssh settings for it. `ssh -G` answers, as it knows Include, Match and canonical names;
 * where there is no `ssh`, or it refuses the file, a parser does that follows neither `Include` nor `Match exec`, and says so.
 */
export async function resolveSshSettings(query: SshSettingsQuery): Promise<SshSettings> {
  if (query.name.startsWith("-")) throw new OperatorError("usage", `${query.name} is no host name`);
  const answer = await askSsh(query);
  const keywords = answer.keywords ?? parseConfigFile(query);
  return {
    ...readKeywords(keywords, query),
    ...(answer.note !== undefined && { note: answer.note }),
  };
}

/** Keyword in lower case → its values, one for each line. */
type Keywords = Map<string, string[]>;

async function askSsh(query: SshSettingsQuery): Promise<{ keywords?: Keywords; note?: string }> {
  const args = [
    "-G",
    ...(query.configFile === undefined ? [] : ["-F", expandHome(query.configFile)]),
    ...(query.address === undefined
      ? []
      : ["-o", `HostName=${query.address.replaceAll("%", "%%")}`]),
    ...(query.user === undefined ? [] : ["-l", query.user]),
    ...(query.port === undefined ? [] : ["-p", String(query.port)]),
    "--",
    query.name,
  ];
  try {
    const result = await runProgram("ssh", args, { signal: query.signal });
    if (result.code !== 0) {
      const reason = result.stderr.trim().split("\n").at(-1) ?? "";
      return {
        note: `ssh -G ${query.name} failed (${reason}); Include and Match were passed over`,
      };
    }
    const keywords: Keywords = new Map();
    for (const line of result.stdout.split("\n")) {
      const space = line.indexOf(" ");
      if (space > 0) append(keywords, line.slice(0, space), line.slice(space + 1));
    }
    return { keywords };
  } catch (error) {
    query.signal.throwIfAborted();
    return {
      note: `${describeError(error)}; Include and Match of the ssh settings were passed over`,
    };
  }
}

function parseConfigFile(query: SshSettingsQuery): Keywords {
  const keywords: Keywords = new Map();
  let computed: ReturnType<SSHConfig["compute"]>;
  try {
    computed = SSHConfig.parse(readSshConfigFile(query.configFile)).compute(query.name, {
      ignoreCase: true,
      matchExec: false,
    });
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    // Neither `ssh` nor the parser can read it; the note says that `ssh` could not.
    computed = {};
  }
  for (const [keyword, value] of Object.entries(computed)) {
    for (const one of Array.isArray(value) ? value : [value])
      append(keywords, keyword.toLowerCase(), one);
  }
  // ssh_config(5): HostName knows %h, the name as given, and %%.
  const hostName = keywords.get("hostname")?.[0];
  if (query.address !== undefined) keywords.set("hostname", [query.address]);
  else if (hostName !== undefined)
    keywords.set("hostname", [
      hostName.replace(/%([h%])/g, (_, token) => (token === "h" ? query.name : "%")),
    ]);
  return keywords;
}

function append(keywords: Keywords, keyword: string, value: string): void {
  keywords.set(keyword, [...(keywords.get(keyword) ?? []), value]);
}

function readKeywords(keywords: Keywords, query: SshSettingsQuery): SshSettings {
  const one = (keyword: string): string | undefined => {
    const value = keywords.get(keyword)?.[0];
    return value === undefined || value.toLowerCase() === "none" ? undefined : value;
  };
  const hostName = one("hostname") ?? query.address ?? query.name;
  const given = Number(one("port"));
  const port = query.port ?? (Number.isInteger(given) && given > 0 && given < 65_536 ? given : 22);
  const user = query.user ?? one("user") ?? userName();
  // ssh_config(5), TOKENS.
  const tokens: Record<string, string> = {
    "%": "%",
    d: sshHome(),
    h: hostName,
    i: String(process.getuid?.() ?? ""),
    n: query.name,
    p: String(port),
    r: user,
    u: userName(),
    k: one("hostkeyalias") ?? hostName,
  };
  const expand = (value: string): string =>
    value.replace(/%(.)/g, (whole, token: string) => tokens[token] ?? whole);
  const expandPath = (value: string): string => expand(expandHome(value, sshHome()));
  const files = (keyword: string, defaults: string[]): string[] =>
    (keywords.get(keyword)?.flatMap((line) => line.split(" ")) ?? defaults)
      .filter((file) => file !== "none")
      .map(expandPath);
  const hostKeyAlias = one("hostkeyalias");
  const agentSocket = findAgent(keywords.get("identityagent")?.[0], query.environment);
  const proxyCommand = one("proxycommand");
  const certificateFiles = (keywords.get("certificatefile") ?? []).map(expandPath);
  const pkcs11Provider = one("pkcs11provider");
  const gssapi = one("gssapiauthentication") === "yes";
  if (proxyCommand !== undefined) refuseShellText({ hostName, user, name: query.name });
  return {
    hostName,
    port,
    user,
    identityFiles: (keywords.get("identityfile") ?? DEFAULT_IDENTITIES)
      .filter((file) => file !== "none")
      .map(expandPath),
    identitiesOnly: one("identitiesonly") === "yes",
    knownHostsFiles: [
      ...files("userknownhostsfile", ["~/.ssh/known_hosts"]),
      ...files("globalknownhostsfile", ["/etc/ssh/ssh_known_hosts"]),
    ],
    proxyJump: one("proxyjump")?.split(",") ?? [],
    ...((certificateFiles.length > 0 || pkcs11Provider !== undefined || gssapi) && {
      forProgram: {
        certificateFiles,
        gssapi,
        ...(pkcs11Provider !== undefined && { pkcs11Provider: expandPath(pkcs11Provider) }),
      },
    }),
    ...(hostKeyAlias !== undefined && { hostKeyAlias: expand(hostKeyAlias) }),
    ...(agentSocket !== undefined && { agentSocket: expandPath(agentSocket) }),
    ...(proxyCommand !== undefined && { proxyCommand: expand(proxyCommand) }),
  };
}

const DEFAULT_IDENTITIES = ["~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519"];

/** `IdentityAgent` wins over the environment: a path, `SSH_AUTH_SOCK`, or the name of another variable behind a `$`. */
function findAgent(
  identityAgent: string | undefined,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  if (identityAgent?.toLowerCase() === "none") return undefined;
  if (identityAgent === undefined || identityAgent === "SSH_AUTH_SOCK")
    return environment["SSH_AUTH_SOCK"] || undefined;
  if (identityAgent.startsWith("$"))
    return environment[identityAgent.replace(/^\$\{?(\w+)\}?$/, "$1")] || undefined;
  return identityAgent;
}

/** A ProxyCommand crosses a shell, and its tokens can come from instance tags: plain words only (CVE-2023-51385). */
function refuseShellText(values: Record<string, string>): void {
  for (const value of Object.values(values)) {
    if (!/^[A-Za-z0-9_:[][A-Za-z0-9._:@%[\]-]*$/.test(value)) {
      throw new OperatorError(
        "refused",
        `${JSON.stringify(value)} cannot go into the ProxyCommand's shell line`,
        {
          next: "give the host a plain name and address",
        },
      );
    }
  }
}
