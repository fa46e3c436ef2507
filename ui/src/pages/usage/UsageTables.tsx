// The tables of usage: services and streams, limits with how close each is, and who reads.
import { Button } from "@mantine/core";
import { useState } from "react";
import type { LimitUse, UsageReport, Use } from "@/api/types";
import { Go } from "@/components/Go";
import { Meter } from "@/components/Meter";
import { Section } from "@/components/Page";
import { Empty } from "@/components/states";
import table from "@/components/table.module.css";
import { shareOf } from "@/lib/cardinality";
import { NOTHING, formatBytes, formatCount, formatNumber, formatShare } from "@/lib/format";
import { costText, diskOf, logsPath, selectorOf } from "@/lib/usage";
import classes from "./Usage.module.css";

const PLAIN = `${table.table} ${table.plain}`;
const FIRST = 10;

type Order = "disk" | "bytes" | "spans" | "read";
const VALUE: Record<Order, (use: Use) => number> = { disk: diskOf, bytes: (use) => use.bytes, spans: (use) => use.spans, read: (use) => use.read_bytes };

interface UseTableProps {
  title: string;
  aside?: string | undefined;
  uses: readonly Use[];
  currency: string;
  isService?: boolean;
}

export function UseTable({ title, aside, uses, currency, isService = false }: UseTableProps) {
  const [order, setOrder] = useState<Order>("disk");
  const [isWhole, setWhole] = useState(false);
  const sorted = [...uses].sort((a, b) => VALUE[order](b) - VALUE[order](a));
  const shown = isWhole ? sorted : sorted.slice(0, FIRST);
  const total = uses.reduce((sum, use) => sum + diskOf(use), 0);
  const head = (by: Order, label: string, className: string) => (
    <th data-align="right" className={className} aria-sort={order === by ? "descending" : undefined}>
      <button type="button" className={table.sort} data-active={order === by || undefined} onClick={() => setOrder(by)}>
        {label}
        {order === by && <span aria-hidden>↓</span>}
      </button>
    </th>
  );
  return (
    <Section title={title} aside={aside}>
      <div className={table.scroll} tabIndex={0} role="region" aria-label={title}>
        <table className={`${PLAIN} ${classes.uses}`}>
          <thead>
            <tr>
              <th>{isService ? "Service" : "Stream"}</th>
              {head("disk", "On the disk", classes.number ?? "")}
              <th data-align="right" className={classes.share}>Share</th>
              {head("bytes", "Log lines", classes.number ?? "")}
              {isService && head("spans", "Spans", classes.number ?? "")}
              {head("read", "Read", classes.number ?? "")}
              <th data-align="right" className={classes.cost}>Cost</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((use) => (
              <UseRow key={selectorOf(use.labels)} use={use} total={total} currency={currency} isService={isService} />
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < sorted.length && (
        <Button variant="default" size="compact-xs" className={classes.more} onClick={() => setWhole(true)}>
          Show all {formatCount(sorted.length)}
        </Button>
      )}
    </Section>
  );
}

function UseRow({ use, total, currency, isService }: { use: Use; total: number; currency: string; isService: boolean }) {
  const name = isService ? (use.labels["service_name"] ?? "") : selectorOf(use.labels);
  return (
    <tr>
      <td className={isService ? undefined : "mono"} data-tip={name}>
        <Go to={logsPath(use.labels)} className={table.rowLink} data-row>
          {name || "(no longer known)"}
        </Go>
      </td>
      <td data-align="right" className="tabular">{formatBytes(diskOf(use))}</td>
      <td data-align="right">
        <Meter share={shareOf(diskOf(use), total)} text={formatShare(diskOf(use), total)} />
      </td>
      <td data-align="right" className="tabular" data-tip={`${formatCount(use.records)} records`}>{formatBytes(use.bytes)}</td>
      {isService && <td data-align="right" className="tabular dim">{formatNumber(use.spans)}</td>}
      <td data-align="right" className="tabular dim" data-tip={`${formatCount(use.read_records)} records`}>{formatBytes(use.read_bytes)}</td>
      <td data-align="right" className="tabular dim">{costText(use.cost, currency)}</td>
    </tr>
  );
}

export function LimitTable({ limits }: { limits: readonly LimitUse[] }) {
  const text = (value: number, unit: string) => (unit === "bytes" ? formatBytes(value) : formatNumber(value));
  return (
    <Section title="Limits">
      <div className={table.scroll} tabIndex={0} role="region" aria-label="Limits">
      <table className={`${PLAIN} ${classes.limits}`}>
        <thead>
          <tr>
            <th>Limit</th>
            <th data-align="right" className={classes.number}>Used</th>
            <th data-align="right" className={classes.number}>Of</th>
            <th data-align="right" className={classes.share}>Share</th>
          </tr>
        </thead>
        <tbody>
          {limits.map((limit) => (
            <tr key={limit.setting}>
              <td data-tip={limit.setting}>{limit.name}</td>
              <td data-align="right" className="tabular">{limit.limit > 0 || limit.used > 0 ? text(limit.used, limit.unit) : <span className="faint">{NOTHING}</span>}</td>
              <td data-align="right" className="tabular dim">{limit.limit > 0 ? text(limit.limit, limit.unit) : "no limit"}</td>
              <td data-align="right">{limit.limit > 0 ? <Meter share={shareOf(limit.used, limit.limit)} text={formatShare(limit.used, limit.limit)} /> : <span className="faint">{NOTHING}</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      </div>
    </Section>
  );
}

export function ReaderTable({ readers }: { readers: UsageReport["readers"] }) {
  return (
    <Section title="Who reads">
      {readers.length === 0 ? (
        <Empty isSmall title="Nobody has read a log line in these days">Users and tokens appear here by their names once they ask for logs.</Empty>
      ) : (
        <table className={PLAIN}>
          <thead>
            <tr>
              <th>User or token</th>
              <th data-align="right" className={classes.number}>Records</th>
              <th data-align="right" className={classes.number}>Log lines</th>
            </tr>
          </thead>
          <tbody>
            {readers.map((reader) => (
              <tr key={reader.reader}>
                <td>{reader.reader}</td>
                <td data-align="right" className="tabular dim">{formatCount(reader.records)}</td>
                <td data-align="right" className="tabular">{formatBytes(reader.bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}
