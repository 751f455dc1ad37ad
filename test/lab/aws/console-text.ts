/** The console of an instance at its first boot, as cloud-init writes it there. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const HASHES = "#############################################################";

export type ConsoleOptions = {
  /** The hash of the fingerprints: SHA256 since cloud-init 0.7.7, MD5 before. */
  hash?: "sha256" | "md5";
  /** Which of the two blocks it has. */
  blocks?: ("fingerprints" | "keys")[];
  /** What stands before each line of the fingerprints. */
  prefix?: string;
};

/** Takes private host key files with their public halves beside them; returns the console's text, fingerprints by ssh-keygen. */
export function writeConsole(keyFiles: readonly string[], options: ConsoleOptions = {}): string {
  const { hash = "sha256", blocks = ["fingerprints", "keys"], prefix = "ec2: " } = options;
  const fingerprints = keyFiles.map((file) =>
    execFileSync("ssh-keygen", ["-l", "-E", hash, "-f", `${file}.pub`], {
      encoding: "utf8",
    }).trimEnd(),
  );
  const keys = keyFiles.map((file) => readFileSync(`${file}.pub`, "utf8").trimEnd());
  return [
    "[    0.000000] Linux version 5.15.0-1028-aws (buildd@lcy02-amd64-033)",
    "[   12.118734] cloud-init[412]: Cloud-init v. 22.4.2 running 'modules:config'",
    ...(blocks.includes("fingerprints")
      ? [
          "",
          HASHES,
          "-----BEGIN SSH HOST KEY FINGERPRINTS-----",
          ...fingerprints,
          "-----END SSH HOST KEY FINGERPRINTS-----",
          HASHES,
        ].map((line) => `${prefix}${line}`)
      : []),
    ...(blocks.includes("keys")
      ? ["-----BEGIN SSH HOST KEY KEYS-----", ...keys, "-----END SSH HOST KEY KEYS-----"]
      : []),
    "Ubuntu 22.04.2 LTS ip-10-0-0-7 ttyS0",
    "",
    "ip-10-0-0-7 login: ",
  ].join("\r\n");
}
