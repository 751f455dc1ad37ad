import { OperatorError } from "../../system/errors.ts";
import { countOf } from "../../system/quantities.ts";

/** Past this share of the objects gone, something is wrong with the source, or with who looks at it. */
const USUAL_SHRINK_PERCENT = 30;

/** What a complete listing of the source says beside what was known. */
export interface ListingFigures {
  place: string;
  /** Objects of the listing. */
  listed: number;
  /** Objects of the source at the last run; undefined: there was none. */
  known: number | undefined;
  /** `s3.shrinkPercent` of the job. */
  shrinkPercent: number | undefined;
}

/** Given a complete listing, throw `refused` where nothing may be done by it: it is empty, or much of what was there is gone. Pure. */
export function judgeListing({ place, listed, known, shrinkPercent }: ListingFigures): void {
  const untouched = "nothing was copied, replaced or removed";
  if (listed === 0)
    throw new OperatorError("refused", `${place} is empty; ${untouched}`, {
      next: "look at the source, and at its prefix in the configuration",
    });
  const most = shrinkPercent ?? USUAL_SHRINK_PERCENT;
  if (known === undefined || listed >= known * (1 - most / 100)) return;
  const percent = Math.round((1 - listed / known) * 100);
  throw new OperatorError(
    "refused",
    `${place} has ${countOf(listed, "object")} instead of ${known}, ${percent} % fewer; ${untouched}`,
    {
      next: `look at the source; where it is meant, raise s3.shrinkPercent of the job above ${percent} for a run`,
    },
  );
}
