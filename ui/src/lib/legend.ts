// The rows of a legend: the numbers of each curve, in the order somebody wants them. No React here.
import type { ChartSeries } from "./chart";
import { type Summary, summarize } from "./promSeries";

export type LegendOrder = keyof Summary | null;

export interface LegendRow extends Summary {
  one: ChartSeries;
}

/** In the order of the curves, or the greatest of a number first; what has no number stands last. */
export function legendRows(series: readonly ChartSeries[], order: LegendOrder): LegendRow[] {
  const rows = series.map((one) => ({ one, ...summarize(one.values) }));
  return order === null ? rows : rows.sort((a, b) => (b[order] ?? Number.NEGATIVE_INFINITY) - (a[order] ?? Number.NEGATIVE_INFINITY));
}
