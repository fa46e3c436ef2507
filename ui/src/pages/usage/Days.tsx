// How logs grow: what came on each day and what was read on it, as two bars a day. Days, not moments: no time range.
import type { UsageReport } from "@/api/types";
import { Section } from "@/components/Page";
import { formatBytes, formatCount } from "@/lib/format";
import classes from "./Usage.module.css";

type Day = UsageReport["days"][number];

export function Days({ days }: { days: UsageReport["days"] }) {
  const most = Math.max(...days.map((day) => Math.max(day.bytes, day.read_bytes)), 0);
  if (days.length < 2 || most === 0) return null;
  const every = Math.ceil(days.length / 10);
  return (
    <Section title="Logs by day" aside={`up to ${formatBytes(most)} a day; by the time of the records, UTC`}>
      <ol className={classes.days} aria-label="Logs by day">
        {days.map((day, place) => (
          <li key={day.day} className={classes.day} data-tip={dayText(day)} tabIndex={0} aria-label={dayText(day)}>
            <span className={classes.bars} aria-hidden>
              <span className={classes.came} style={{ transform: `scaleY(${day.bytes / most})` }} />
              <span className={classes.read} style={{ transform: `scaleY(${day.read_bytes / most})` }} />
            </span>
            <span className={classes.date} aria-hidden>{place % every === 0 ? shortDay(day.day) : ""}</span>
          </li>
        ))}
      </ol>
      <div className={classes.legend}>
        <span data-kind="came">log lines that came</span>
        <span data-kind="read">log lines that were read</span>
      </div>
    </Section>
  );
}

function dayText(day: Day): string {
  return `${day.day}: ${formatBytes(day.bytes)} in ${formatCount(day.records)} records, ${formatBytes(day.disk_bytes)} on the disk; ${formatBytes(day.read_bytes)} read`;
}

function shortDay(day: string): string {
  return new Date(day).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
}
