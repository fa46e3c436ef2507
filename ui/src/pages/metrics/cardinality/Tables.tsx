// The top lists: metrics, labels, senders. A metric opens what it is made of.
import { Button } from "@mantine/core";
import { IconChartLine } from "@tabler/icons-react";
import { useState } from "react";
import type { Cardinality, LabelCount, MetricCount } from "@/api/types";
import { Go } from "@/components/Go";
import { Meter } from "@/components/Meter";
import { Section } from "@/components/Page";
import { Empty } from "@/components/states";
import table from "@/components/table.module.css";
import { labelPath, metricPath, senderOf, shareOf } from "@/lib/cardinality";
import { formatCount, formatShare } from "@/lib/format";
import { Sender } from "./Sender";
import classes from "./Cardinality.module.css";

const PLAIN = `${table.table} ${table.plain}`;

type Order = "active" | "kept" | "new_in_hour" | "new_in_day";

export function MetricTable({ report, onChoose }: { report: Cardinality; onChoose: (metric: string) => void }) {
  const [order, setOrder] = useState<Order>("active");
  const [isWhole, setWhole] = useState(false);
  const sorted = order === "active" ? report.metrics : [...report.metrics].sort((a, b) => b[order] - a[order]);
  const shown = isWhole ? sorted : sorted.slice(0, FIRST);
  const head = (by: Order, label: string, className?: string) => (
    <th data-align="right" className={className} aria-sort={order === by ? "descending" : undefined}>
      <button type="button" className={table.sort} data-active={order === by || undefined} onClick={() => setOrder(by)}>
        {label}
        {order === by && <span aria-hidden>↓</span>}
      </button>
    </th>
  );
  return (
    <Section title="Metrics" aside={"a click shows what a metric is made of"}>
      <table className={`${PLAIN} ${classes.metrics}`}>
        <thead>
          <tr>
            <th>Metric</th>
            {head("active", "Active", classes.number)}
            <th data-align="right" className={classes.share} data-tip="metrics.max_series_per_metric">
              Of {formatCount(report.metric_limit)}
            </th>
            {head("kept", "Kept", `${classes.number} ${classes.optional}`)}
            {head("new_in_hour", "New in 1 h", `${classes.number} ${classes.optional}`)}
            {head("new_in_day", "New in 1 d", `${classes.number} ${classes.optional}`)}
            <th className={classes.go} />
          </tr>
        </thead>
        <tbody>
          {shown.map((one) => (
            <MetricRow key={one.name} one={one} limit={report.metric_limit} onChoose={onChoose} />
          ))}
        </tbody>
      </table>
      {shown.length < sorted.length && <ShowAll count={sorted.length} onShow={() => setWhole(true)} />}
    </Section>
  );
}

/** So many rows stand there before somebody asks for the others. */
export const FIRST = 15;

export function ShowAll({ count, onShow }: { count: number; onShow: () => void }) {
  return (
    <Button variant="default" size="compact-xs" className={classes.more} onClick={onShow}>
      Show all {formatCount(count)}
    </Button>
  );
}

function MetricRow({ one, limit, onChoose }: { one: MetricCount; limit: number; onChoose: (metric: string) => void }) {
  return (
    <tr>
      <td className="mono" data-tip={one.name}>
        <button type="button" className={classes.name} data-row onClick={() => onChoose(one.name)}>
          {one.name}
        </button>
      </td>
      <td data-align="right" className={`${classes.number} tabular`}>{formatCount(one.active)}</td>
      <td data-align="right" className={classes.share}>
        <Meter share={shareOf(one.active, limit)} text={formatShare(one.active, limit)} />
      </td>
      <td data-align="right" className={`${classes.number} ${classes.optional} tabular dim`}>{formatCount(one.kept)}</td>
      <td data-align="right" className={`${classes.number} ${classes.optional} tabular dim`}>{formatCount(one.new_in_hour)}</td>
      <td data-align="right" className={`${classes.number} ${classes.optional} tabular dim`}>{formatCount(one.new_in_day)}</td>
      <td className={classes.go}>
        <Go to={metricPath(one.name)} className={classes.explore} aria-label={`Explore ${one.name}`} data-tip="Explore">
          <IconChartLine size={14} />
        </Go>
      </td>
    </tr>
  );
}

export function LabelTable({ labels }: { labels: readonly LabelCount[] }) {
  return (
    <Section title="Labels" aside="by different values among active series">
      {labels.length === 0 ? (
        <Empty isSmall title="No labels">No active series bears one.</Empty>
      ) : (
        <table className={PLAIN}>
          <thead>
            <tr>
              <th>Label</th>
              <th data-align="right" className={classes.number}>Values</th>
              <th data-align="right" className={classes.number}>Series</th>
            </tr>
          </thead>
          <tbody>
            {labels.slice(0, FIRST).map((one) => (
              <tr key={one.name}>
                <td data-tip={one.name}>
                  <Go to={labelPath(one.name)} className="link bare mono" data-row>
                    {one.name}
                  </Go>
                </td>
                <td data-align="right" className="tabular">{formatCount(one.values)}</td>
                <td data-align="right" className="tabular dim">{formatCount(one.series)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

export function SenderTable({ report }: { report: Cardinality }) {
  return (
    <Section title="Senders" aside="targets, jobs that push, programs">
      {report.origins.length === 0 ? (
        <Empty isSmall title="Nobody sends now">Series that are kept in the store came earlier, or through another process.</Empty>
      ) : (
        <table className={PLAIN}>
          <thead>
            <tr>
              <th>Sender</th>
              <th data-align="right" className={classes.number}>Active</th>
              <th data-align="right" className={classes.share} data-tip="metrics.max_series_per_origin">
                Of {formatCount(report.origin_limit)}
              </th>
            </tr>
          </thead>
          <tbody>
            {report.origins.slice(0, FIRST).map((one) => (
              <tr key={one.origin}>
                <td>
                  <Sender sender={senderOf(one.origin)} />
                </td>
                <td data-align="right" className={`${classes.number} tabular`}>{formatCount(one.active)}</td>
                <td data-align="right" className={classes.share}>
                  <Meter share={shareOf(one.active, report.origin_limit)} text={formatShare(one.active, report.origin_limit)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}
