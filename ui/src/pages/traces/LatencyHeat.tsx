// How long spans took over time: darker where more of them fell, with a mark where some failed. A drag or a press
// chooses cells: a part of the time and of the durations. The fields above the chart choose the same by keys.
import type { TraceLatency } from "@/api/types";
import { DeployLines } from "@/components/DeployLines";
import { formatDuration, formatNumber, plural } from "@/lib/format";
import { formatMoment } from "@/lib/time";
import { type Cells, cellsOf, rowsOf } from "@/lib/traces/heat";
import type { Part } from "@/lib/traces/search";
import { useMarks } from "@/state/marks";
import classes from "./LatencyHeat.module.css";
import { type Box, useBox } from "./useBox";

interface LatencyHeatProps {
  latency: TraceLatency;
  part: Part | null;
  min: string;
  max: string;
  onChoose: (cells: Cells) => void;
}

export function LatencyHeat({ latency, part, min, max, onChoose }: LatencyHeatProps) {
  const { columns, bounds_ns: bounds, step_ns: stepNs } = latency;
  const rows = bounds.length - 1;
  const fromMs = Date.parse(latency.started_at);
  const spanS = (columns * stepNs) / 1e9;
  const choose = (box: Box): void => onChoose(cellsOf(latency, box));
  const { box, ...handlers } = useBox(choose, ({ x, y }) => choose({ left: x, right: x, top: y, bottom: y }));
  const most = latency.spans.reduce((sum, one) => Math.max(sum, one), 1);
  const drawn = box ?? chosenBox(latency, part, min, max);
  const every = Math.ceil(rows / 10);
  const marks = useMarks(true);
  return (
    <figure className={classes.heat}>
      <div className={classes.names} aria-hidden>
        {bounds.slice(0, -1).map((bound, row) => (row % every === 0 ? <span key={bound} style={{ bottom: `${(row / rows) * 100}%` }}>{short(bound)}</span> : null))}
      </div>
      <div className={classes.frame}>
        <div className={classes.field} {...handlers} role="group" aria-label={summaryOf(latency)}>
          <svg viewBox={`0 0 ${columns} ${rows}`} preserveAspectRatio="none" aria-hidden>
            {latency.spans.map((spans, at) => {
              const [time, row, failed] = [latency.times[at] as number, latency.rows[at] as number, latency.failed[at] as number];
              const tip = `${formatMoment(new Date(fromMs + (time * stepNs) / 1e6), spanS)}, ${rowText(latency, row)}: ${plural(Math.round(spans), "span")}${failed > 0 ? `, ${formatNumber(failed)} failed` : ""}`;
              return (
                <g key={`${time}/${row}`} data-tip={tip}>
                  <rect x={time} y={rows - 1 - row} width={1} height={1} fillOpacity={0.1 + 0.9 * Math.sqrt(spans / most)} />
                  {failed > 0 && <rect className={classes.failed} x={time} y={rows - row - 0.26} width={Math.max(0.25, failed / spans)} height={0.26} />}
                </g>
              );
            })}
          </svg>
          {drawn && <span className={classes.box} style={{ left: `${drawn.left * 100}%`, top: `${drawn.top * 100}%`, width: `${(drawn.right - drawn.left) * 100}%`, height: `${(drawn.bottom - drawn.top) * 100}%` }} />}
        </div>
        <DeployLines marks={marks} fromS={fromMs / 1000} toS={fromMs / 1000 + spanS} />
      </div>
      <figcaption className={classes.axis}>
        <span>{formatMoment(new Date(fromMs), spanS)}</span>
        <span className={classes.keys}>
          <span><i className={classes.scale} /> to {formatNumber(most)} spans</span>
          <span><i className={classes.mark} /> some failed</span>
          <span className={classes.hint}>drag or press to choose</span>
        </span>
        <span>{formatMoment(new Date(fromMs + spanS * 1000), spanS)}</span>
      </figcaption>
    </figure>
  );
}

/** A bound without zeros that say nothing: "6.8 s". */
const short = (ns: number): string => formatDuration(ns / 1e9).replace(/(\.\d*?)0+(?= )/, "$1").replace(/\.(?= )/, "");

function rowText({ bounds_ns: bounds }: TraceLatency, row: number): string {
  return `${formatDuration((bounds[row] ?? 0) / 1e9)} to ${formatDuration((bounds[row + 1] ?? 0) / 1e9)}`;
}

export function summaryOf(latency: TraceLatency): string {
  if (latency.total === 0) return "No spans";
  const [p50, p95, p99] = [latency.p50_ms, latency.p95_ms, latency.p99_ms].map((ms) => formatDuration(ms === null ? null : ms / 1000));
  const share = latency.share < 1 ? `; counted from one of ${Math.round(1 / latency.share)} traces` : "";
  return `${plural(Math.round(latency.total), "span")}, ${formatNumber(Math.round(latency.total_failed))} failed; p50 ${p50}, p95 ${p95}, p99 ${p99}${share}`;
}

/** Where a choice that stands in the address lies on the chart; null where nothing is chosen. */
function chosenBox(latency: TraceLatency, part: Part | null, min: string, max: string): Box | null {
  if (!part && !min && !max) return null;
  const fromMs = Date.parse(latency.started_at);
  const spanMs = (latency.columns * latency.step_ns) / 1e6;
  const share = (value: number): number => Math.max(0, Math.min(1, value));
  const [low, high] = rowsOf(latency, min, max);
  return {
    left: part ? share((part.fromMs - fromMs) / spanMs) : 0,
    right: part ? share((part.toMs - fromMs) / spanMs) : 1,
    top: share(1 - high),
    bottom: share(1 - low),
  };
}
