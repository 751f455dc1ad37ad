import { findExpired, readBaseline } from "../consistency/baseline.ts";
import { expandHome } from "../config/folders.ts";
import type { Config } from "../config/schema.ts";
import { describeError } from "../system/errors.ts";
import type { Finding } from "../system/finding.ts";
import { countOf } from "../system/quantities.ts";

/** Given the configuration and the time, look at the baseline of each check of consistency: one that cannot be read fails the check, one that is over lets it find again what was known. */
export async function checkBaselines(config: Config, now: Date): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, { baseline }] of Object.entries(config.consistency ?? {})) {
    if (baseline === undefined) continue;
    const about = { area: "consistency", name };
    try {
      const known = await readBaseline(expandHome(baseline));
      const expired = findExpired(known, now);
      findings.push(
        expired.length === 0
          ? {
              ...about,
              state: "ok",
              detail: `${countOf(known.length, "known finding is", "known findings are")} borne`,
            }
          : {
              ...about,
              state: "warn",
              detail: `${expired.length} of ${known.length} known findings are borne no longer: ${expired.map(({ id, owner, until }) => `${id} (${owner}, until ${until})`).join("; ")}`,
              next: `mend them, or give them another day in ${baseline}`,
            },
      );
    } catch (error) {
      findings.push({ ...about, state: "fail", detail: describeError(error) });
    }
  }
  return findings;
}
