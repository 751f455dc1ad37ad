import { access } from "node:fs/promises";
import ssh2, { type ParsedKey, type SigningRequestOptions } from "ssh2";
import { describeError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import { fingerprint, keyType } from "./key-blob.ts";
import { type AgentKey, readAgentKeys } from "./read-agent-keys.ts";
import { decryptKey, type KeyFile, readKeyFile } from "./read-key-file.ts";
import type { Hop } from "./route.ts";

/** Long enough for a person to confirm the use of a key (`ssh-add -c`). */
const agentLimitMs = 30_000;

/** A key that can be offered to a server. */
export interface Identity {
  /** For messages: `/home/a/.ssh/id_rsa`, `agent key a@b (SHA256:…)`. */
  label: string;
  /** Of its public half, where that is known without asking. */
  fingerprint: string | undefined;
  /** The public half; asks for the passphrase where nothing else tells it. Throws the reason why the key is of no use. */
  publicKey(): Promise<ParsedKey>;
  /** A signature by the private half; asks for the passphrase of an encrypted key, so only once the server wants that key. Throws as above. */
  sign(data: Buffer, options: SigningRequestOptions): Promise<Buffer>;
}

/** Given the file of an encrypted key, return its passphrase, or undefined when nobody can or will give it. */
export type AskPassphrase = (file: string) => Promise<string | undefined>;

/** What there is to log in to a hop with. */
interface Identities {
  identities: Identity[];
  /** A line for everything that cannot be offered, with its reason. */
  passedOver: string[];
  /** What only the `ssh` program can offer: `~/.ssh/id-cert.pub is a certificate`. */
  forProgram: string[];
}

/**
 * Given a hop, return what can be offered to it, in OpenSSH's order (pubkey_prepare in sshconnect2.c): agent keys that
 * `identityFiles` name, the agent's other keys unless `identitiesOnly`, then key files that the agent does not hold; behind those
 * that are named the key with the fingerprint `last` comes first. Throws nothing.
 */
export async function collectIdentities(
  hop: Hop,
  askPassphrase: AskPassphrase,
  last?: string,
): Promise<Identities> {
  const passedOver: string[] = [];
  const forProgram = await findCertificates(hop);
  const agentKeys = await readAgent(hop.agentSocket, passedOver);
  const files = (await Promise.all(hop.identityFiles.map(readKeyFile))).filter(
    (file) => file !== undefined,
  );
  const isOf = (key: AgentKey, file: KeyFile): boolean => file.blob?.equals(key.blob) ?? false;

  const named = files.flatMap((file) => agentKeys.filter((key) => isOf(key, file)));
  const others = hop.identitiesOnly ? [] : agentKeys.filter((key) => !named.includes(key));
  const identities: Identity[] = [];
  const rest: Identity[] = [];
  for (const key of new Set([...named, ...others])) {
    const parsed = ssh2.utils.parseKey(key.blob);
    const label = `agent key ${printable(key.comment)} (${fingerprint(key.blob)})`;
    if (!(parsed instanceof Error)) {
      const identity = agentIdentity(hop.agentSocket ?? "", parsed, label);
      (named.includes(key) ? identities : rest).push(identity);
      continue;
    }
    const kind = describeKind(keyType(key.blob) ?? "unknown");
    passedOver.push(`${label}: ${kind}, which lcops cannot use itself`);
    forProgram.push(`${label} is ${kind}`);
  }
  for (const file of files) {
    if (agentKeys.some((key) => isOf(key, file))) continue;
    if (file.problem) passedOver.push(`${file.file}: ${printable(file.problem)}`);
    else rest.push(fileIdentity(file, askPassphrase));
    const type = file.blob && keyType(file.blob);
    if (file.problem && type?.startsWith("sk-"))
      forProgram.push(`${file.file} is ${describeKind(type)}`);
  }
  const isLast = (identity: Identity): boolean =>
    last !== undefined && identity.fingerprint === last;
  identities.push(...rest.filter(isLast), ...rest.filter((identity) => !isLast(identity)));
  return { identities, passedOver, forProgram };
}

/** Beside a key file or named by the user's settings; ssh2 knows none (mscdex/ssh2#551). */
async function findCertificates({ identityFiles, forProgram }: Hop): Promise<string[]> {
  const candidates = [
    ...identityFiles.map((file) => `${file}-cert.pub`),
    ...(forProgram?.certificateFiles ?? []),
  ];
  const found = await Promise.all(
    candidates.map((file) =>
      access(file).then(
        () => [`${file} is a certificate`],
        () => [],
      ),
    ),
  );
  const provider = forProgram?.pkcs11Provider;
  return [
    ...found.flat(),
    ...(provider === undefined ? [] : [`PKCS11Provider ${provider} is set`]),
  ];
}

async function readAgent(
  agentSocket: string | undefined,
  passedOver: string[],
): Promise<AgentKey[]> {
  if (agentSocket === undefined) return [];
  try {
    const keys = await readAgentKeys(agentSocket);
    if (keys.length === 0)
      passedOver.push(`agent ${agentSocket}: it shows no keys; it may be locked (ssh-add -X)`);
    return keys;
  } catch (error) {
    passedOver.push(`agent ${agentSocket}: ${describeError(error)}`);
    return [];
  }
}

function describeKind(type: string): string {
  if (type.includes("-cert-v01@")) return "a certificate";
  if (type.startsWith("sk-")) return "a FIDO key";
  return `a key of type ${printable(type)}`;
}

function agentIdentity(agentSocket: string, key: ParsedKey, label: string): Identity {
  return {
    label,
    fingerprint: fingerprint(key.getPublicSSH()),
    publicKey: () => Promise.resolve(key),
    sign: (data, options) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error("the agent did not sign in time")),
          agentLimitMs,
        );
        new ssh2.OpenSSHAgent(agentSocket).sign(key, data, options, (error, signature) => {
          clearTimeout(timer);
          if (signature) resolve(signature);
          else reject(error ?? new Error("the agent did not sign"));
        });
      }),
  };
}

function fileIdentity(file: KeyFile, askPassphrase: AskPassphrase): Identity {
  let unlocked: Promise<ParsedKey> | undefined;
  const unlock = async (): Promise<ParsedKey> => {
    if (file.key) return file.key;
    const passphrase = await askPassphrase(file.file);
    if (!passphrase)
      throw new Error("encrypted, and no passphrase was given (ssh-add keeps it open)");
    const key = decryptKey(file.encrypted ?? "", passphrase);
    if (!key) throw new Error("wrong passphrase");
    return key;
  };
  const privateKey = (): Promise<ParsedKey> => (unlocked ??= unlock());
  return {
    label: file.file,
    fingerprint: file.blob && fingerprint(file.blob),
    publicKey: async () => {
      const parsed = file.blob && ssh2.utils.parseKey(file.blob);
      return parsed && !(parsed instanceof Error) ? parsed : privateKey();
    },
    sign: async (data, options) => {
      const signature: Buffer | Error = (await privateKey()).sign(data, options.hash);
      if (signature instanceof Error) throw signature;
      return signature;
    },
  };
}
