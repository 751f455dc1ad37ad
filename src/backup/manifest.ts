import { createHash } from "node:crypto";
import type { BackupWarning } from "../services/backup-driver.ts";
import type { ByteDigest, SetContent } from "../services/set-content.ts";

export const FORMAT = "lcops-set/1";

/** What a set is; written last, once, and never changed. Nothing secret, and no path of a machine, stands in it. */
export interface Manifest extends SetContent {
  format: typeof FORMAT;
  /** Of the service. */
  service: string;
  environment?: string;
  /** `incomplete`: what is in `skipped` is missing. */
  result: "complete" | "incomplete";
  startedAt: string;
  finishedAt: string;
  tool: { lcops: string; node: string; programs: Readonly<Record<string, string>> };
  /** Public keys for which the parts are encrypted. */
  recipients: readonly string[];
  restoreText: ByteDigest;
  warnings: readonly BackupWarning[];
  /** Of its own parts; what stands in earlier sets is counted apart. */
  totals: {
    parts: number;
    plainBytes: number;
    storedBytes: number;
    rows?: number;
    referred?: { parts: number; storedBytes: number };
  };
}

/** Given a manifest, return it as it is stored; its own SHA-256 is its last member. Pure. */
export function formatManifest(manifest: Manifest): string {
  const body = JSON.stringify(manifest);
  const selfSha256 = createHash("sha256").update(body).digest("hex");
  return `${body.slice(0, -1)},"selfSha256":"${selfSha256}"}\n`;
}

/**
 * Given the text of a manifest and where it should belong, return it. Throws an error that says what is wrong with it: not of this
 * format, of another set, or changed in any byte since it was written.
 */
export function parseManifest(text: string, job: string, setId: string): Manifest {
  const parsed = parseJson(text);
  if (parsed === undefined) throw new Error("the manifest is damaged: it is no JSON");
  const { selfSha256, ...body } = parsed;
  if (typeof body["format"] === "string" && body["format"] !== FORMAT)
    throw new Error(
      `the manifest has the format ${body["format"]}, and this lcops reads ${FORMAT}`,
    );
  const manifest = body as unknown as Manifest;
  // Every byte counts: what another would have written otherwise was changed.
  if (selfSha256 === undefined || formatManifest(manifest) !== text)
    throw new Error("the manifest is damaged: it is not as it was written");
  if (manifest.job !== job || manifest.setId !== setId)
    throw new Error(`the manifest is that of the set ${manifest.setId} of ${manifest.job}`);
  return manifest;
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
