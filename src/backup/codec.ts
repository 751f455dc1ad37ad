import { Readable } from "node:stream";
import type { PartRecord } from "../services/set-content.ts";
import { compress, decompress } from "../system/compress.ts";
import { OperatorError } from "../system/errors.ts";
import { findProgram } from "../system/program.ts";
import { streamThrough } from "../system/stream-through.ts";

type Step = PartRecord["codec"][number];
type Bytes = AsyncIterable<Uint8Array>;

export interface CodecOptions {
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/** How the parts of a set are packed on their way to the destinations. */
export interface Encoder {
  /** From the plain bytes outwards. */
  steps: readonly Step[];
  /** What the names of the parts end in: `.zst.age`. */
  suffix: string;
  /** Programs that it uses, for their versions. */
  programs: readonly string[];
  encode(content: Bytes): Bytes;
}

const SUFFIX: Record<Step, string> = { zstd: ".zst", gzip: ".gz", age: ".age" };

/**
 * Given the public keys for which is encrypted (none: not at all), return the encoder. zstd where its program is, else gzip of Node's own;
 * age by its program, which works on another core, else by the library of its author.
 */
export async function makeEncoder(
  recipients: readonly string[],
  { environment, signal }: CodecOptions,
): Promise<Encoder> {
  const path = environment["PATH"] ?? "";
  const [zstd, age] = await Promise.all([findProgram(["zstd"], path), findProgram(["age"], path)]);
  const packing = zstd === undefined ? "gzip" : "zstd";
  const steps: Step[] = [packing, ...(recipients.length > 0 ? (["age"] as const) : [])];
  const pack = (content: Bytes): Bytes => compress(content, packing, { environment, signal });
  const encrypt = (content: Bytes): Bytes =>
    age === undefined
      ? encryptInside(content, recipients)
      : // Public keys are no secret.
        streamThrough(
          age,
          recipients.flatMap((key) => ["-r", key]),
          content,
          { environment, signal },
        );
  return {
    steps,
    suffix: steps.map((step) => SUFFIX[step]).join(""),
    programs: [
      ...(zstd === undefined ? [] : ["zstd"]),
      ...(age !== undefined && recipients.length > 0 ? ["age"] : []),
    ],
    encode: (content) => (recipients.length > 0 ? encrypt(pack(content)) : pack(content)),
  };
}

async function* encryptInside(content: Bytes, recipients: readonly string[]): Bytes {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  for (const key of recipients) encrypter.addRecipient(key);
  const encrypted = await encrypter.encrypt(toWeb(content));
  yield* fromWeb(encrypted);
}

async function* decryptInside(content: Bytes, identities: readonly string[]): Bytes {
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  yield* fromWeb(await decrypter.decrypt(toWeb(content)));
}

const toWeb = (content: Bytes): ReadableStream<Uint8Array> =>
  Readable.toWeb(Readable.from(content, { objectMode: false })) as ReadableStream<Uint8Array>;

async function* fromWeb(stream: ReadableStream<Uint8Array>): Bytes {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/**
 * Given a part's steps and stored bytes, return its plain bytes; `identities` are the private keys, asked for only where they are needed.
 * They never leave this process. The iteration throws where the bytes are damaged, and `access` where no key opens them.
 */
export async function* decode(
  steps: readonly Step[],
  content: Bytes,
  identities: () => Promise<readonly string[]>,
  options: CodecOptions,
): Bytes {
  const missing = new OperatorError(
    "missing",
    "the set is packed with zstd, which is not installed here",
    { next: "install zstd" },
  );
  let bytes = content;
  for (const step of steps.toReversed()) {
    bytes =
      step === "age"
        ? openAge(bytes, await identities())
        : decompress(bytes, step, { ...options, missing });
  }
  yield* bytes;
}

async function* openAge(content: Bytes, identities: readonly string[]): Bytes {
  if (identities.length === 0) {
    throw new OperatorError("access", "the set is encrypted, and there is no private key for it", {
      next: "name one under backups.identities of the configuration",
    });
  }
  try {
    yield* decryptInside(content, identities);
  } catch (error) {
    if (error instanceof Error && /no identity matched/.test(error.message)) {
      throw new OperatorError("access", "none of backups.identities opens the set", {
        next: "it needs the private key of one of its recipients",
      });
    }
    throw error;
  }
}
