// The legend of a chart with its numbers: a click shows one curve alone, a click with Ctrl takes it in or out; pointing at
// a row lets the other curves fade, a click on a heading puts the greatest first.
import { type MouseEvent, useMemo, useState } from "react";
import { type ChartSeries, formatUnit, type Unit } from "@/lib/chart";
import { type LegendOrder, legendRows } from "@/lib/legend";
import table from "./table.module.css";
import classes from "./SeriesLegend.module.css";

interface SeriesLegendProps {
  series: readonly ChartSeries[];
  unit: Unit;
  choice: SeriesChoice;
  /** How high it may become before it scrolls. */
  maxHeight?: number;
}

export interface SeriesChoice {
  chosen: ReadonlySet<string>;
  choose: (chosen: ReadonlySet<string>) => void;
  focused: string | null;
  focus: (label: string | null) => void;
}

/** Which curves somebody wants to see, and the curves with those hidden that are not among them. */
export function useSeriesChoice<T extends ChartSeries>(series: readonly T[]): { choice: SeriesChoice; visible: readonly T[] } {
  const [chosen, choose] = useState<ReadonlySet<string>>(new Set());
  const [focused, focus] = useState<string | null>(null);
  const visible = useMemo(() => {
    const isKnown = series.some((one) => chosen.has(one.label));
    return isKnown ? series.map((one) => (chosen.has(one.label) ? one : { ...one, isHidden: true })) : series;
  }, [series, chosen]);
  return { choice: { chosen, choose, focused, focus }, visible };
}

const NUMBERS = [["last", "Last"], ["min", "Min"], ["max", "Max"]] as const;

export function SeriesLegend({ series, unit, choice: { chosen, choose, focus }, maxHeight = 260 }: SeriesLegendProps) {
  const [order, setOrder] = useState<LegendOrder>(null);
  const rows = useMemo(() => legendRows(series, order), [series, order]);
  return (
    <div className={`${classes.scroll} edges`} style={{ maxHeight }} tabIndex={0} role="region" aria-label="Legend" onPointerLeave={() => focus(null)}>
      <table className={classes.legend}>
        <thead>
          <tr>
            <th scope="col">{chosen.size > 0 ? `Series (${chosen.size} of ${series.length} shown)` : "Series"}</th>
            {NUMBERS.map(([name, text]) => (
              <th key={name} scope="col" data-align="right" aria-sort={order === name ? "descending" : "none"}>
                <button type="button" className={table.sort} data-active={order === name || undefined} onClick={() => setOrder(order === name ? null : name)}>
                  {text}
                  {order === name && <span aria-hidden>↓</span>}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ one, last, min, max }, at) => (
            <tr key={`${one.label}/${at}`} data-off={(chosen.size > 0 && !chosen.has(one.label)) || undefined} onPointerEnter={() => focus(one.label)}>
              <td>
                <button type="button" className={classes.key} aria-pressed={chosen.has(one.label)} onClick={(event) => choose(nextChoice(chosen, one.label, event))} onFocus={() => focus(one.label)} onBlur={() => focus(null)} title={one.label}>
                  <i style={{ background: one.color }} data-dashed={one.isDashed || undefined} />
                  <span className="truncate" dir="auto">{one.label}</span>
                </button>
              </td>
              <td data-align="right">{formatUnit(last, unit)}</td>
              <td data-align="right">{formatUnit(min, unit)}</td>
              <td data-align="right">{formatUnit(max, unit)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function nextChoice(chosen: ReadonlySet<string>, label: string, event: Pick<MouseEvent, "ctrlKey" | "metaKey" | "shiftKey">): ReadonlySet<string> {
  if (event.ctrlKey || event.metaKey || event.shiftKey) {
    const next = new Set(chosen);
    if (!next.delete(label)) next.add(label);
    return next;
  }
  return chosen.size === 1 && chosen.has(label) ? new Set() : new Set([label]);
}
