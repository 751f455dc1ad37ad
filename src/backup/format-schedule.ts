/** What is to be run, and when. */
export interface Scheduled {
  /** `backup-school`, as a unit of systemd is called. */
  name: string;
  /** Five fields of a crontab, in UTC. */
  cron: string;
  /** As it is typed, quoted for a shell. */
  command: string;
}

/** Given what is scheduled, return the lines of a crontab. Pure. */
export function formatCrontab(entries: readonly Scheduled[]): string[] {
  // In a crontab a % ends the command (crontab(5)).
  return [
    "# CRON_TZ is known to cronie alone: with Debian's cron these times are those of the machine; where that is not in UTC, use the timers",
    "CRON_TZ=UTC",
    ...entries.map(({ cron, command }) => `${cron} ${command.replaceAll("%", "\\%")}`),
  ];
}

/**
 * Given what is scheduled and the user whose configuration, keys and records it needs, return the files of its timers: path below
 * /etc/systemd/system, and lines. Pure.
 */
export function formatTimers(
  entries: readonly Scheduled[],
  user: string,
): { path: string; lines: string[] }[] {
  return entries.flatMap(({ name, cron, command }) => [
    {
      path: `lcops-${name}.service`,
      lines: [
        "[Unit]",
        `Description=lcops ${name}`,
        "[Service]",
        "Type=oneshot",
        `User=${user}`,
        // systemd expands % itself (systemd.unit(5)), and $ (systemd.service(5)).
        `ExecStart=/bin/sh -c ${quoteForUnit(`exec ${command}`)}`,
      ],
    },
    {
      path: `lcops-${name}.timer`,
      lines: [
        "[Unit]",
        `Description=lcops ${name}`,
        "[Timer]",
        ...toCalendar(cron).map((calendar) => `OnCalendar=${calendar}`),
        "Persistent=true",
        "[Install]",
        "WantedBy=timers.target",
      ],
    },
  ]);
}

function quoteForUnit(command: string): string {
  const escaped = command.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return `"${escaped.replaceAll("%", "%%").replaceAll("$", "$$$$")}"`;
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/**
 * Given five fields of a crontab in UTC, return the same as calendars of systemd (systemd.time(7)). Where both a day of the month and a day of the week
 * are given, neither with a *, cron takes either (crontab(5)): they are two calendars then. Pure.
 */
export function toCalendar(cron: string): string[] {
  const [minute = "*", hour = "*", day = "*", month = "*", weekday = "*"] = cron.split(" ");
  const time = `${field(hour, "00")}:${field(minute, "00")}:00 UTC`;
  const names = `${weekday.split(",").map(nameDays).join(",")} `;
  const onDay = `*-${field(month, "01")}-${field(day, "01")} ${time}`;
  if (weekday === "*") return [onDay];
  const isEither = !day.startsWith("*") && !weekday.startsWith("*");
  return isEither ? [onDay, `${names}*-${field(month, "01")}-* ${time}`] : [`${names}${onDay}`];
}

/** `1-5/2,7` as `01..05/2,07`; `first` is where a star begins to step. */
function field(text: string, first: string): string {
  return text
    .split(",")
    .map((one) => {
      const [range = "*", step] = one.split("/");
      const [from = "", to] = range.split("-");
      const begin = from === "*" ? (step === undefined ? "*" : first) : from.padStart(2, "0");
      const span = to === undefined ? begin : `${begin}..${to.padStart(2, "0")}`;
      return step === undefined ? span : `${span}/${step}`;
    })
    .join(",");
}

function nameDays(text: string): string {
  const [range = "", step] = text.split("/");
  const [from = "0", to = from] = (range === "*" ? "0-6" : range).split("-");
  const days: string[] = [];
  for (let day = Number(from); day <= Number(to); day += Number(step ?? 1))
    days.push(DAYS[day] ?? "");
  return days.join(",");
}
