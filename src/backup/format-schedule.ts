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
    "CRON_TZ=UTC",
    ...entries.map(({ cron, command }) => `${cron} ${command.replaceAll("%", "\\%")}`),
  ];
}

/** Given what is scheduled, return the files of its timers: path below /etc/systemd/system, and lines. Pure. */
export function formatTimers(entries: readonly Scheduled[]): { path: string; lines: string[] }[] {
  return entries.flatMap(({ name, cron, command }) => [
    {
      path: `lcops-${name}.service`,
      lines: [
        "[Unit]",
        `Description=lcops ${name}`,
        "[Service]",
        "Type=oneshot",
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
 * are given cron takes either: they are two calendars then. Pure.
 */
export function toCalendar(cron: string): string[] {
  const [minute = "*", hour = "*", day = "*", month = "*", weekday = "*"] = cron.split(" ");
  const time = `${field(hour)}:${field(minute)}:00 UTC`;
  const onDay = `*-${field(month)}-${field(day)} ${time}`;
  if (weekday === "*") return [onDay];
  const onWeekday = `${weekday.split(",").map(nameDays).join(",")} *-${field(month)}-* ${time}`;
  return day === "*" ? [onWeekday] : [onDay, onWeekday];
}

/** `1-5/2,7` as `1..5/2,07`. */
function field(text: string): string {
  return text
    .split(",")
    .map((one) => {
      const [range = "*", step] = one.split("/");
      const [from = "", to] = range.split("-");
      const begin = from === "*" ? (step === undefined ? "*" : "00") : from.padStart(2, "0");
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
