// Series as rows: in the order that was asked for, and as CSV (RFC 4180), a column for each label.
import type { VectorSeries } from "@/api/prom";

const NUMERIC = new Intl.Collator("en", { numeric: true });

/** The series by a label, or by their values where `label` is null; what is no number comes last either way. */
export function sortSeries(series: readonly VectorSeries[], label: string | null, isDown: boolean): VectorSeries[] {
  const sign = isDown ? -1 : 1;
  if (label !== null) return [...series].sort((a, b) => sign * NUMERIC.compare(a.metric[label] ?? "", b.metric[label] ?? ""));
  return series
    .map((one) => ({ one, value: numberOf(one.value?.[1] ?? one.histogram?.[1].count) }))
    .sort((a, b) => Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value)) || sign * order(a.value, b.value))
    .map(({ one }) => one);
}

/** Prometheus writes infinities as Go does. */
function numberOf(text: string | undefined): number {
  return Number(text?.replace("Inf", "Infinity"));
}

function order(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

export function seriesCsv(series: readonly VectorSeries[]): string {
  const labels = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const tail = series.some(({ histogram }) => histogram) ? ["time", "value", "count", "sum"] : ["time", "value"];
  const rows = series.map(({ metric, value, histogram }) => {
    const time = value?.[0] ?? histogram?.[0];
    const cells = [time === undefined ? "" : new Date(time * 1000).toISOString(), value?.[1] ?? "", histogram?.[1].count ?? "", histogram?.[1].sum ?? ""];
    return [...labels.map((label) => metric[label] ?? ""), ...cells.slice(0, tail.length)];
  });
  return [[...labels, ...tail], ...rows].map((row) => `${row.map(cellOf).join(",")}\r\n`).join("");
}

function cellOf(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
