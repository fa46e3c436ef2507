// A heat map: time to the right, buckets upwards, darker where more fell.
import { useMemo } from "react";
import { panelValue } from "@/lib/dashboards";
import { heatOf } from "@/lib/heat";
import { formatMoment } from "@/lib/time";
import { matrixOf } from "@/lib/promSeries";
import { formatNumber } from "@/lib/format";
import { NoData, type PictureProps } from "./PanelView";
import classes from "./Panel.module.css";

const ROWS = 40;

export function HeatPanel({ panel, data, height }: PictureProps) {
  const heat = useMemo(() => heatOf(data.answers.flatMap(({ answer }) => (answer ? matrixOf(answer.data) : []))), [data.answers]);
  const rows = heat.rows.slice(0, ROWS);
  if (rows.length === 0 || heat.times.length === 0) return <NoData />;
  const [first = 0, last = 0] = [heat.times[0], heat.times[heat.times.length - 1]];
  const span = last - first;
  const label = (text: string): string => (text === "+Inf" || !Number.isFinite(Number(text)) ? text : panelValue(Number(text), panel));
  return (
    <div className={classes.heat} style={{ height }}>
      <div className={classes.heatNames}>
        {[...rows].reverse().map((row) => (
          <span key={row.label} className="truncate" title={label(row.label)}>{label(row.label)}</span>
        ))}
      </div>
      <svg viewBox={`0 0 ${heat.times.length} ${rows.length}`} preserveAspectRatio="none" className={classes.heatMap} role="img" aria-label={`${panel.title}: ${rows.length} buckets over time`}>
        {rows.map((row, up) =>
          row.values.map((value, at) =>
            value ? (
              <rect
                key={`${row.label}/${heat.times[at]}`}
                x={at}
                y={rows.length - 1 - up}
                width={1}
                height={1}
                fillOpacity={0.08 + 0.92 * Math.sqrt(value / (heat.max || 1))}
                data-tip={`${formatMoment(new Date((heat.times[at] ?? 0) * 1000), span)}, up to ${label(row.label)}: ${formatNumber(value)}`}
              />
            ) : null,
          ),
        )}
      </svg>
      <span />
      <div className={classes.heatTimes}>
        <span>{formatMoment(new Date(first * 1000), span)}</span>
        <span>{formatMoment(new Date(last * 1000), span)}</span>
      </div>
    </div>
  );
}
