import { describeMegabytes } from "../system/quantities.ts";
import type { Answer } from "./ask-host.ts";

/** What an upgrade would do to a host. */
export interface HostPlan {
  /** `openssl [1.1] (1.2 Debian:12 [amd64])`, as apt-get says it, sorted. */
  packages: readonly string[];
  held: readonly string[];
  /** Free kB by folder. */
  freeKb: Readonly<Record<string, number>>;
  /** Who holds a lock of dpkg or apt; the upgrade waits for it up to ten minutes. */
  locks: readonly string[];
  /** Whether it waits for a reboot already. */
  wantsReboot: boolean;
  failedUnits: readonly string[];
  /** Why it is left out; absent: nothing stands in the way. */
  blocked?: string;
}

/** Below it an upgrade is not begun; /boot counts where a kernel comes. */
const LEAST_FREE_KB = { "/": 300_000, "/var": 300_000, "/boot": 100_000 };

/** Given what the plan's script has said, return the plan of the host. Pure. */
export function readHostPlan(answer: Answer): HostPlan {
  const all = (key: string): readonly string[] => answer.get(key) ?? [];
  const packages = all("package").toSorted();
  const freeKb = Object.fromEntries(
    all("free").flatMap((line) => {
      const [folder = "", kb = ""] = line.split(" ");
      return kb === "" ? [] : [[folder, Number(kb)]];
    }),
  );
  const plan = {
    packages,
    held: all("held"),
    freeKb,
    locks: [...new Set(all("lock"))],
    wantsReboot: answer.has("reboot"),
    failedUnits: all("failedUnit"),
  };
  const blocked =
    all("blocked")[0] ??
    (answer.has("end") ? findShortage(plan) : "its plan was not said to the end");
  return { ...plan, ...(blocked !== undefined && { blocked }) };
}

function findShortage({ packages, freeKb }: Pick<HostPlan, "packages" | "freeKb">) {
  if (packages.length === 0) return undefined;
  const hasKernel = packages.some((line) => line.startsWith("linux-image"));
  const short = Object.entries(LEAST_FREE_KB).find(
    ([folder, least]) => (folder !== "/boot" || hasKernel) && (freeKb[folder] ?? least) < least,
  );
  if (!short) return undefined;
  const [folder, least] = short;
  const mb = (kb: number): string => describeMegabytes(kb * 1000, { round: Math.floor });
  return `${folder} has ${mb(freeKb[folder] ?? 0)} free, and ${mb(least)} are needed`;
}
