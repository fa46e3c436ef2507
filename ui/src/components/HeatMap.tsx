// A heat map: time to the right, buckets upwards, darker where more fell. Dragging over it zooms, as on every chart.
import { type MouseEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import { formatNumber } from "@/lib/format";
import type { ChartMark } from "@/lib/marks";
import type { Heat, HeatRow } from "@/lib/heat";
import { DOUBLE_MS } from "@/lib/pick";
import { formatMoment } from "@/lib/time";
import { zoomOut } from "@/lib/timerange";
import { useTimeRange } from "@/state/timerange";
import { DeployLines } from "./DeployLines";
import classes from "./HeatMap.module.css";

const LABEL_PX = 14;
const FOOT_PX = 20;
const LEAST_DRAG = 0.01;

interface HeatMapProps {
  heat: Heat;
  height: number;
  /** Says what it shows, for those who cannot see it. */
  label: string;
  /** A bound as people read it. */
  bound: (text: string) => string;
  /** Somebody chose a moment, in seconds since the epoch, by a click. */
  onPick?: (atS: number) => void;
  marks?: readonly ChartMark[];
}

const NO_MARKS: readonly ChartMark[] = [];

export function HeatMap({ heat, height, label, bound, onPick, marks = NO_MARKS }: HeatMapProps) {
  const { rows, times, min, max } = heat;
  const [first = 0, last = 0] = [times[0], times[times.length - 1]];
  const span = last - first;
  const every = Math.max(1, Math.ceil(rows.length / Math.max(1, Math.floor((height - FOOT_PX) / LABEL_PX))));
  const { drag, ...handlers } = useZoom(first, last, (share) => onPick?.(times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? first));
  return (
    <div className={classes.heat} style={{ height }}>
      <div className={classes.names} aria-hidden>
        {[...rows].reverse().map((row, down) => (
          <span key={row.label} className="truncate" title={rowText(row, heat, bound)}>
            {(rows.length - 1 - down) % every === 0 ? bound(row.label) : ""}
          </span>
        ))}
      </div>
      <div className={classes.frame}>
        <div className={classes.field} data-pickable={onPick !== undefined || undefined} {...handlers}>
          <svg viewBox={`0 0 ${times.length} ${rows.length}`} preserveAspectRatio="none" className={classes.map} role="img" aria-label={label}>
            {rows.map((row, up) =>
              row.values.map((value, at) =>
                value || (value === 0 && min < 0) ? (
                  <rect
                    key={`${row.label}/${times[at]}`}
                    x={at}
                    y={rows.length - 1 - up}
                    width={1}
                    height={1}
                    fillOpacity={0.08 + 0.92 * Math.sqrt((value - min) / (max - min || 1))}
                    data-tip={`${formatMoment(new Date((times[at] ?? 0) * 1000), span)}, ${rowText(row, heat, bound)}: ${formatNumber(value)}`}
                  />
                ) : null,
              ),
            )}
          </svg>
          {drag && <span className={classes.drag} style={{ left: `${drag.from * 100}%`, width: `${(drag.to - drag.from) * 100}%` }} />}
        </div>
        <DeployLines marks={marks} fromS={first} toS={last} />
      </div>
      <span />
      <div className={classes.foot}>
        <span>{formatMoment(new Date(first * 1000), span)}</span>
        <span className={classes.scale}>
          {formatNumber(min)} <i aria-hidden /> {formatNumber(max)}
        </span>
        <span>{formatMoment(new Date(last * 1000), span)}</span>
      </div>
    </div>
  );
}

function rowText({ label, low }: HeatRow, { isBuckets }: Heat, bound: (text: string) => string): string {
  if (!isBuckets) return label;
  if (label === "+Inf" && low !== null) return `above ${bound(low)}`;
  return low === null || low === "-Inf" ? `up to ${bound(label)}` : `${bound(low)} to ${bound(label)}`;
}

interface Drag {
  from: number;
  to: number;
}

/** Dragging writes the time range, a double click widens it, a single one chooses. Places are shares of the width. */
function useZoom(first: number, last: number, onChoose: (share: number) => void) {
  const { range, setRange } = useTimeRange();
  const [begun, setBegun] = useState<number | null>(null);
  const [now, setNow] = useState(0);
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  const wasDrag = useRef(false);
  useEffect(() => () => clearTimeout(waiting.current), []);
  const placeOf = ({ clientX, currentTarget }: MouseEvent): number => {
    const { left, width } = currentTarget.getBoundingClientRect();
    return Math.max(0, Math.min(1, (clientX - left) / width));
  };
  const drag: Drag | null = begun === null || Math.abs(now - begun) < LEAST_DRAG ? null : { from: Math.min(begun, now), to: Math.max(begun, now) };
  return {
    drag,
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0 || event.pointerType === "touch") return;
      setBegun(placeOf(event));
      setNow(placeOf(event));
    },
    onPointerMove: (event: PointerEvent) => begun !== null && setNow(placeOf(event)),
    onPointerLeave: () => setBegun(null),
    onPointerUp: () => {
      setBegun(null);
      wasDrag.current = drag !== null;
      const at = (share: number): Date => new Date((first + share * (last - first)) * 1000);
      if (drag && last > first) setRange({ kind: "fixed", from: at(drag.from), to: at(drag.to) });
    },
    onClick: (event: MouseEvent) => {
      clearTimeout(waiting.current);
      const share = placeOf(event);
      if (!wasDrag.current && event.detail === 1) waiting.current = setTimeout(() => onChoose(share), DOUBLE_MS);
      wasDrag.current = false;
    },
    onDoubleClick: () => setRange(zoomOut(range, new Date())),
  };
}
