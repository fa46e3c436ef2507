// Metrics that no query has read and no rule or dashboard names: what dropping them frees, and how they are dropped.
import { Button, Checkbox } from "@mantine/core";
import { IconChartLine } from "@tabler/icons-react";
import { useState } from "react";
import type { Cardinality } from "@/api/types";
import { Go } from "@/components/Go";
import { Section } from "@/components/Page";
import { Empty, Snippet } from "@/components/states";
import table from "@/components/table.module.css";
import { dropRule, metricPath } from "@/lib/cardinality";
import { formatCount, formatShare, plural } from "@/lib/format";
import { FIRST, ShowAll } from "./Tables";
import classes from "./Cardinality.module.css";

export function Unused({ report, onChoose }: { report: Cardinality; onChoose: (metric: string) => void }) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [isWhole, setWhole] = useState(false);
  const total = report.unused_total;
  if (total.metrics === 0) {
    return (
      <Section title="Unused metrics">
        <Empty isSmall title="Every metric is used">Each one was read by a query, or a rule or dashboard names it.</Empty>
      </Section>
    );
  }
  const toggle = (name: string): void => setChosen((current) => new Set(current.has(name) ? [...current].filter((one) => one !== name) : [...current, name]));
  const picked = report.unused.filter((one) => chosen.has(one.name));
  const freed = picked.reduce((sum, one) => sum + one.active, 0);
  return (
    <Section title="Unused metrics" aside="never queried, in no rule and no dashboard">
      <p className={classes.lead}>
        Dropping all {plural(total.metrics, "metric")} frees {formatCount(total.active)} of {plural(report.active, "active series", "active series")} ({formatShare(total.active, report.active)}) and in time {formatCount(total.series)} of {formatCount(report.kept)} kept.
        {picked.length === 0 ? " Choose some to see the rule that drops them." : ` The ${plural(picked.length, "chosen one", "chosen ones")} free${picked.length === 1 ? "s" : ""} ${formatCount(freed)} (${formatShare(freed, report.active)}).`}
      </p>
      {picked.length > 0 && (
        <div className={classes.rule}>
          <p className="dim">Into the job of ops/prometheus.yml that brings them; what is sent by OTLP or remote write is dropped at its sender:</p>
          <Snippet text={dropRule(picked.map((one) => one.name))} />
        </div>
      )}
      <div className={classes.choices}>
        <Button variant="default" size="compact-xs" onClick={() => setChosen(new Set(picked.length > 0 ? [] : report.unused.map((one) => one.name)))}>
          {picked.length > 0 ? "Choose none" : `Choose all ${report.unused.length}`}
        </Button>
      </div>
      <table className={`${table.table} ${table.plain}`}>
        <thead>
          <tr>
            <th className={classes.tick} />
            <th>Metric</th>
            <th data-align="right" className={classes.number}>Active</th>
            <th data-align="right" className={classes.number}>Frees</th>
            <th data-align="right" className={`${classes.number} ${classes.optional}`}>Kept</th>
            <th className={classes.go} />
          </tr>
        </thead>
        <tbody>
          {(isWhole ? report.unused : report.unused.slice(0, FIRST)).map((one) => (
            <tr key={one.name}>
              <td className={classes.tick}>
                <Checkbox size="xs" aria-label={`Choose ${one.name}`} checked={chosen.has(one.name)} onChange={() => toggle(one.name)} />
              </td>
              <td className="mono" data-tip={one.name}>
                <button type="button" className={classes.name} data-row onClick={() => onChoose(one.name)}>
                  {one.name}
                </button>
              </td>
              <td data-align="right" className="tabular">{formatCount(one.active)}</td>
              <td data-align="right" className="tabular dim">{formatShare(one.active, report.active)}</td>
              <td data-align="right" className={`${classes.optional} tabular dim`}>{formatCount(one.series)}</td>
              <td className={classes.go}>
                <Go to={metricPath(one.name)} className={classes.explore} aria-label={`Explore ${one.name}, which counts as using it`} data-tip="Explore; it then counts as used">
                  <IconChartLine size={14} />
                </Go>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {!isWhole && report.unused.length > FIRST && <ShowAll count={report.unused.length} onShow={() => setWhole(true)} />}
      {isWhole && report.unused.length < total.metrics && <p className="faint small">The {formatCount(report.unused.length)} largest of {formatCount(total.metrics)}; <code>holdfast metrics cardinality --top 1000</code> lists more.</p>}
    </Section>
  );
}
