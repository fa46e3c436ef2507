// One signal hour by hour: a bar of what was stored, with what was left out on top of it.
import type { Intake } from "@/api/types";
import { formatBytes, formatCount, formatNumber } from "@/lib/format";
import { formatAbsolute, formatClock, formatMoment } from "@/lib/time";
import { barsOf, type IntakeBar } from "@/lib/usage";
import classes from "./CameIn.module.css";

const WORDS: Record<string, string> = { logs: "records", metrics: "samples", traces: "spans" };
const DAY_S = 86_400;

export function SignalBars({ intake, signal }: { intake: Intake; signal: string }) {
  const bars = barsOf(intake, signal);
  const most = Math.max(...bars.map((bar) => bar.stored + bar.dropped), 1);
  const words = WORDS[signal] ?? "records";
  const sum = (of: (bar: IntakeBar) => number) => bars.reduce((total, bar) => total + of(bar), 0);
  const dropped = sum((bar) => bar.dropped);
  const spanS = (new Date(intake.end).getTime() - new Date(intake.start).getTime()) / 1000;
  const marks = [0, Math.floor(bars.length / 2)].map((place) => bars[place]?.start).filter((at) => at !== undefined);
  return (
    <figure className={classes.bars}>
      <figcaption className={classes.caption}>
        <span className={classes.title}>{signal.charAt(0).toUpperCase() + signal.slice(1)}</span>
        <span className="dim tabular" data-tip={formatCount(sum((bar) => bar.stored))}>
          {formatNumber(sum((bar) => bar.stored))} {words}, {formatBytes(sum((bar) => bar.bytes))}
          {dropped > 0 && `, ${formatNumber(dropped)} left out`}
        </span>
      </figcaption>
      <ol className={classes.plot} aria-label={`${signal} by time`}>
        {bars.map((bar) => (
          <li key={bar.start.toISOString()} className={classes.bar} data-tip={barText(bar, words)} aria-label={barText(bar, words)} tabIndex={0}>
            <span className={classes.stored} data-some={bar.stored > 0 || undefined} style={{ height: `${(100 * bar.stored) / most}%` }} />
            <span className={classes.dropped} data-some={bar.dropped > 0 || undefined} style={{ height: `${(100 * bar.dropped) / most}%` }} />
          </li>
        ))}
      </ol>
      <div className={classes.axis} aria-hidden>
        {marks.map((at) => (
          <span key={at.toISOString()}>{formatMoment(at, Math.max(spanS, DAY_S + 1))}</span>
        ))}
        <span>now</span>
      </div>
    </figure>
  );
}

function barText(bar: IntakeBar, words: string): string {
  const left = bar.dropped > 0 ? `; ${formatCount(bar.dropped)} left out` : "";
  return `${formatAbsolute(bar.start)} to ${formatClock(bar.end)}: ${formatCount(bar.stored)} ${words}, ${formatBytes(bar.bytes)}${left}`;
}
