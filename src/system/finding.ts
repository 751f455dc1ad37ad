/** What a check found of one thing. */
export interface Finding {
  /** `program`, `host`, `service`, … */
  area: string;
  name: string;
  state: "ok" | "warn" | "fail";
  /** What was seen, one line; not yet printable. */
  detail: string;
  /** How to mend it. */
  next?: string;
}
