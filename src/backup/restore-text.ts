import type { BackupDriver } from "../services/backup-driver.ts";
import type { PartRecord } from "../services/set-content.ts";
import type { Manifest } from "./manifest.ts";

/** Within single quotes nothing is special to a POSIX shell but the quote itself. */
const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** Given a set and its driver, return what its RESTORE.txt says: how to restore it where there is no lcops. Pure. */
export function formatRestoreText(
  manifest: Omit<Manifest, "restoreText">,
  driver: Pick<BackupDriver, "describeRestore">,
): string {
  const decode = ({ codec, ...part }: PartRecord): string => {
    const path = part.in === undefined ? part.path : `../${part.in}/${part.path}`;
    const [first = "cat", ...rest] = codec
      .toReversed()
      .map(
        (step) => ({ age: "age -d -i KEYFILE", zstd: "zstd -q -d -c", gzip: "gzip -d -c" })[step],
      );
    return [`${first} < ${quote(path)}`, ...rest].join(" | ");
  };
  return [
    `The set ${manifest.setId} of the job ${manifest.job}, ${manifest.consistency.at}.`,
    `Read from ${manifest.source.engine} ${manifest.source.version}; ${manifest.result}.`,
    "",
    "To restore it without lcops, in a POSIX shell, in the folder of this file:",
    ...(manifest.recipients.length > 0
      ? ["", "KEYFILE is a file with the private age key of one of:", ...manifest.recipients]
      : []),
    "",
    ...driver.describeRestore(manifest, decode),
    "",
  ].join("\n");
}
