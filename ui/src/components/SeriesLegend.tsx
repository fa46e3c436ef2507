// The legend of a chart with its numbers: a click shows one curve alone, a click with Ctrl takes it in or out.
import type { MouseEvent } from "react";
import { type ChartSeries, formatUnit, type Unit } from "@/lib/chart";
import { summarize } from "@/lib/promSeries";
import classes from "./SeriesLegend.module.css";

interface SeriesLegendProps {
  series: readonly ChartSeries[];
  unit: Unit;
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
  /** How high it may become before it scrolls. */
  maxHeight?: number;
}

export function SeriesLegend({ series, unit, chosen, onChoose, maxHeight = 260 }: SeriesLegendProps) {
  return (
    <div className={classes.scroll} style={{ maxHeight }} tabIndex={0} role="region" aria-label="Legend">
      <table className={classes.legend}>
        <thead>
          <tr>
            <th scope="col">{chosen.size > 0 ? `Series (${chosen.size} of ${series.length} shown)` : "Series"}</th>
            <th scope="col" data-align="right">Last</th>
            <th scope="col" data-align="right">Min</th>
            <th scope="col" data-align="right">Max</th>
          </tr>
        </thead>
        <tbody>
          {series.map((one) => {
            const { last, min, max } = summarize(one.values);
            return (
              <tr key={one.label} data-off={(chosen.size > 0 && !chosen.has(one.label)) || undefined}>
                <td>
                  <button type="button" className={classes.key} aria-pressed={chosen.has(one.label)} onClick={(event) => onChoose(choose(chosen, one.label, event))} title={one.label}>
                    <i style={{ background: one.color }} data-dashed={one.isDashed || undefined} />
                    <span className="truncate">{one.label}</span>
                  </button>
                </td>
                <td data-align="right">{formatUnit(last, unit)}</td>
                <td data-align="right">{formatUnit(min, unit)}</td>
                <td data-align="right">{formatUnit(max, unit)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function choose(chosen: ReadonlySet<string>, label: string, event: Pick<MouseEvent, "ctrlKey" | "metaKey" | "shiftKey">): ReadonlySet<string> {
  if (event.ctrlKey || event.metaKey || event.shiftKey) {
    const next = new Set(chosen);
    if (!next.delete(label)) next.add(label);
    return next;
  }
  return chosen.size === 1 && chosen.has(label) ? new Set() : new Set([label]);
}
