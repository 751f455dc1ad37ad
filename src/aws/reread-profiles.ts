import { loadSharedConfigFiles } from "@smithy/shared-ini-file-loader";

/** Have ~/.aws/config and credentials read again: the SDK keeps them for the life of the process, which outlives most credentials. */
export async function rereadProfiles(): Promise<void> {
  await loadSharedConfigFiles({ ignoreCache: true });
}
