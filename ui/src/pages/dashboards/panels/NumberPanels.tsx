// Panels of the last value: a number, a gauge, bars, a table. Status by thresholds is icon and word beside the colour.
import type { CSSProperties } from "react";
import type { DashboardPanel } from "@/api/types";
import { StatusIconLabelled } from "@/components/StatusMark";
import table from "@/components/table.module.css";
import { panelValue, statusOf } from "@/lib/dashboards";
import { legendName, parseValue, splitLabels, vectorOf } from "@/lib/promSeries";
import { labeller } from "@/pages/metrics/results";
import type { PanelData } from "./data";
import type { PictureProps } from "./data";
import { NoData } from "./NoData";
import { Rest } from "./Rest";
import classes from "./Panel.module.css";

interface Row {
  key: string;
  label: string;
  metric: Record<string, string>;
  value: number | null;
}

/** How many a panel shows; each fits no more with the eye. */
const MOST = { stat: 60, gauge: 24, row: 200 };

function rowsOf({ answers }: PanelData): Row[] {
  return answers.flatMap(({ legend, answer }, query) => {
    const series = answer ? vectorOf(answer.data) : [];
    const plain = labeller(series.map((one) => one.metric), "", "");
    return series.map((one): Row => ({
      key: `${query}/${JSON.stringify(one.metric)}`,
      label: legend ? legendName(legend, one.metric) : plain.name(one.metric),
      metric: one.metric,
      value: parseValue(one.value?.[1] ?? one.histogram?.[1].count),
    }));
  });
}

function Value({ value, panel }: { value: number | null; panel: DashboardPanel }) {
  const status = statusOf(value, panel);
  const text = panelValue(value, panel);
  return (
    <span className={classes.figure} data-status={status ?? undefined} style={{ "--letters": text.length + (status ? 3 : 0) } as CSSProperties}>
      {status && <StatusIconLabelled verdict={status} size={18} />}
      <span>{text}</span>
    </span>
  );
}

export function StatPanel({ panel, data }: PictureProps) {
  const rows = rowsOf(data);
  if (rows.length === 0) return <NoData />;
  return (
    <>
      <div className={`${classes.stats} edges`} tabIndex={0} data-many={rows.length > 1 || undefined}>
        {rows.slice(0, MOST.stat).map((row) => (
          <div key={row.key} className={classes.stat}>
            <Value value={row.value} panel={panel} />
            {rows.length > 1 && <span className="faint small truncate" dir="auto" title={row.label}>{row.label}</span>}
          </div>
        ))}
      </div>
      <Rest shown={MOST.stat} count={rows.length} />
    </>
  );
}

/** The ends of a gauge: those that are given, those of a percentage, or as far as the last threshold. */
function endsOf(panel: DashboardPanel, rows: readonly Row[]): [number, number] {
  const [min, max] = [panel.options?.["min"], panel.options?.["max"]];
  const usual = panel.unit === "ratio" ? 1 : panel.unit === "percent" ? 100 : Math.max(0, ...panel.thresholds.map((one) => one.value * 1.25), ...rows.map((row) => row.value ?? 0));
  return [typeof min === "number" ? min : 0, typeof max === "number" ? max : usual || 1];
}

/** How wide a gauge must be for its number: as wide as the longest of its words, with its status. */
function leastWidth(panel: DashboardPanel, rows: readonly Row[]): number {
  const letters = Math.max(...rows.flatMap(({ value }) => panelValue(value, panel).split(" ").map((word) => word.length)));
  return Math.max(LEAST_GAUGE_PX, letters * LETTER_PX + (panel.thresholds.length > 0 ? STATUS_PX : 0));
}

const LEAST_GAUGE_PX = 66;
const LETTER_PX = 7.5;
const STATUS_PX = 26;
const ARC = "M 12 62 A 48 48 0 0 1 108 62";
const ARC_LENGTH = Math.PI * 48;

export function GaugePanel({ panel, data }: PictureProps) {
  const rows = rowsOf(data);
  if (rows.length === 0) return <NoData />;
  const [low, high] = endsOf(panel, rows);
  return (
    <>
      <div className={`${classes.gauges} edges`} tabIndex={0} style={{ "--least": `${leastWidth(panel, rows)}px` } as CSSProperties}>
        {rows.slice(0, MOST.gauge).map((row) => {
          const share = Math.max(0, Math.min(1, ((row.value ?? low) - low) / (high - low || 1)));
          return (
            <div key={row.key} className={classes.gauge}>
              <svg viewBox="0 0 120 68" role="img" aria-label={`${row.label || panel.title}: ${panelValue(row.value, panel)} of ${panelValue(high, panel)}`}>
                <path d={ARC} className={classes.track} />
                <path d={ARC} className={classes.level} data-status={statusOf(row.value, panel) ?? undefined} strokeDasharray={`${share * ARC_LENGTH} ${ARC_LENGTH}`} />
              </svg>
              <Value value={row.value} panel={panel} />
              {rows.length > 1 && <span className="faint small truncate" dir="auto" title={row.label}>{row.label}</span>}
            </div>
          );
        })}
      </div>
      <Rest shown={MOST.gauge} count={rows.length} />
    </>
  );
}

export function BarPanel({ panel, data }: PictureProps) {
  const rows = rowsOf(data).sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  if (rows.length === 0) return <NoData />;
  const [, high] = endsOf(panel, rows);
  return (
    <>
      <div className={`${classes.bars} edges`} tabIndex={0}>
        {rows.slice(0, MOST.row).map((row) => (
          <div key={row.key} className={classes.bar}>
            <span className="truncate" dir="auto" title={row.label}>{row.label || panel.title}</span>
            <span className={classes.rail}>
              <span className={classes.fill} data-status={statusOf(row.value, panel) ?? undefined} style={{ width: `${Math.max(0, Math.min(100, (100 * (row.value ?? 0)) / (high || 1)))}%` }} />
            </span>
            <span className={classes.amount}>{panelValue(row.value, panel)}</span>
          </div>
        ))}
      </div>
      <Rest shown={MOST.row} count={rows.length} />
    </>
  );
}

const COLUMNS = 5;

export function TablePanel({ panel, data }: PictureProps) {
  const rows = rowsOf(data);
  if (rows.length === 0) return <NoData />;
  const { varying } = splitLabels(rows.map((row) => row.metric));
  const columns = (rows.length === 1 ? Object.keys(rows[0]?.metric ?? {}) : varying).filter((name) => name !== "__name__").slice(0, COLUMNS);
  const hasLegend = data.answers.some((one) => one.legend) || columns.length === 0;
  return (
    <>
      <div className={`${classes.scroll} edges`} tabIndex={0} role="region" aria-label={`Rows of ${panel.title || "the panel"}`}>
        <table className={`${table.table} ${table.plain} ${table.ended}`}>
          <thead>
            <tr>
              {hasLegend ? <th scope="col">Series</th> : columns.map((name) => <th key={name} scope="col">{name}</th>)}
              <th scope="col" data-align="right">Value</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MOST.row).map((row) => (
              <tr key={row.key}>
                {hasLegend ? <td title={row.label}>{row.label || "value"}</td> : columns.map((name) => <td key={name} title={row.metric[name]}>{row.metric[name] ?? "–"}</td>)}
                <td data-align="right">{panelValue(row.value, panel)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Rest shown={MOST.row} count={rows.length} />
    </>
  );
}
