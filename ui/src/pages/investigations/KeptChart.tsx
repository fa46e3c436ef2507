// A kept graph: fixed in its time, whatever the page's time range is, so it is drawn without the shared charts.
import { useMemo } from "react";
import type { KeptSeries } from "@/lib/cells";
import { formatNumber } from "@/lib/format";
import { seriesColor } from "@/lib/seriesColor";
import { formatClock } from "@/lib/time";
import { labeller } from "@/pages/metrics/results";
import classes from "./Investigation.module.css";

const WIDTH = 720;
const HEIGHT = 150;
const LEGEND = 8;

export function KeptChart({ kept }: { kept: KeptSeries }) {
  const { paths, low, high, steps } = useMemo(() => draw(kept), [kept]);
  const { name, shared } = useMemo(() => labeller(kept.series.map((one) => one.labels), ""), [kept]);
  const end = kept.startMs + (steps - 1) * kept.stepMs;
  return (
    <figure className={classes.chart}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${kept.series.length} series from ${formatClock(new Date(kept.startMs))} to ${formatClock(new Date(end))}`}>
        {paths.map((path, at) => (
          <path key={at} d={path} style={{ stroke: seriesColor(at) }} />
        ))}
      </svg>
      <span className={classes.top}>{formatNumber(high)}</span>
      <span className={classes.bottom}>{formatNumber(low)}</span>
      <div className={classes.axis} aria-hidden>
        <span>{formatClock(new Date(kept.startMs))}</span>
        <span>{formatClock(new Date(end))}</span>
      </div>
      <figcaption className={classes.legend}>
        {kept.series.slice(0, LEGEND).map((one, at) => (
          <span key={at} className="truncate" dir="auto" title={name(one.labels)}>
            <i style={{ background: seriesColor(at) }} aria-hidden />
            {name(one.labels)}
          </span>
        ))}
        {shared && <span className="faint truncate" title={shared}>All have {shared}</span>}
        {kept.series.length > LEGEND && <span className="faint">and {kept.series.length - LEGEND} more</span>}
      </figcaption>
    </figure>
  );
}

function draw({ series }: KeptSeries): { paths: string[]; low: number; high: number; steps: number } {
  const known = series.flatMap(({ values }) => values.filter((value) => value !== null));
  const high = Math.max(...known, 0);
  const low = Math.min(...known, 0);
  const steps = Math.max(...series.map(({ values }) => values.length), 1);
  const x = (at: number): string => ((at / Math.max(steps - 1, 1)) * WIDTH).toFixed(1);
  const y = (value: number): string => (HEIGHT - 4 - ((value - low) / (high - low || 1)) * (HEIGHT - 8)).toFixed(1);
  const paths = series.map(({ values }) => {
    let isDrawing = false;
    const parts: string[] = [];
    values.forEach((value, at) => {
      if (value === null) {
        isDrawing = false;
        return;
      }
      parts.push(`${isDrawing ? "L" : "M"}${x(at)} ${y(value)}${isDrawing || values[at + 1] !== null ? "" : "h0.1"}`);
      isDrawing = true;
    });
    return parts.join("");
  });
  return { paths, low, high, steps };
}
