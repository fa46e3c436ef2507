// Traces as lines: what began it, how long it took beside the others, what it holds.
import { IconAlertCircle } from "@tabler/icons-react";
import { useState } from "react";
import type { TraceSummary } from "@/api/traces";
import { Go } from "@/components/Go";
import { OperationName } from "@/components/OperationName";
import { ShareBar } from "@/components/ShareBar";
import table from "@/components/table.module.css";
import { When } from "@/components/When";
import { formatCount, formatDuration, plural } from "@/lib/format";
import { tracePath } from "@/lib/traces/search";
import classes from "./Traces.module.css";

type Order = "newest" | "longest" | "spans" | "errors";

const ORDERS: Record<Order, (one: TraceSummary) => number> = { newest: (one) => one.startUs, longest: (one) => one.durationUs, spans: (one) => one.spans, errors: (one) => one.errors };

export function TraceList({ traces, colors }: { traces: readonly TraceSummary[]; colors: ReadonlyMap<string, string> }) {
  const [order, setOrder] = useState<Order>("newest");
  const sorted = [...traces].sort((a, b) => ORDERS[order](b) - ORDERS[order](a));
  const longest = Math.max(1, ...traces.map((one) => one.durationUs));
  const head = (name: Order, text: string) => (
    <button type="button" className={table.sort} data-active={order === name || undefined} onClick={() => setOrder(name)}>
      {text}
    </button>
  );
  return (
    <table className={`${table.table} ${classes.list}`}>
      <thead>
        <tr>
          <th>Root</th>
          <th className={classes.took} data-align="right" aria-sort={order === "longest" ? "descending" : "none"}>{head("longest", "Took")}</th>
          <th className={classes.spans} data-align="right" aria-sort={order === "spans" ? "descending" : "none"}>{head("spans", "Spans")}</th>
          <th className={classes.errors} data-align="right" aria-sort={order === "errors" ? "descending" : "none"}>{head("errors", "Errors")}</th>
          <th className={classes.services}>Services</th>
          <th className={classes.when} data-align="right" aria-sort={order === "newest" ? "descending" : "none"}>{head("newest", "Began")}</th>
        </tr>
      </thead>
      <tbody>
        {sorted.map((one) => (
          <tr key={one.id}>
            <td>
              <OperationName name={one.rootName} service={one.rootService}>
                {(name) => (
                  <Go to={tracePath(one.id)} className={table.rowLink ?? ""} data-row>
                    {name}
                  </Go>
                )}
              </OperationName>
            </td>
            <td className={classes.took}>
              <ShareBar share={one.durationUs / longest} text={formatDuration(one.durationUs / 1e6)} isFailed={one.errors > 0} />
            </td>
            <td className={classes.spans} data-align="right">{formatCount(one.spans)}</td>
            <td className={classes.errors} data-align="right">
              {one.errors > 0 ? (
                <span className={classes.failed}>
                  <IconAlertCircle size={13} aria-hidden /> {formatCount(one.errors)}
                  <span className="visually-hidden">{plural(one.errors, "error")}</span>
                </span>
              ) : (
                <span className="faint">0</span>
              )}
            </td>
            <td className={classes.services}>
              <ServiceBars services={one.services} colors={colors} />
            </td>
            <td className={classes.when} data-align="right">
              <When at={new Date(one.startUs / 1000).toISOString()} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Each service as wide as its share of the spans. */
function ServiceBars({ services, colors }: { services: Record<string, number>; colors: ReadonlyMap<string, string> }) {
  const parts = Object.entries(services).sort((a, b) => b[1] - a[1]);
  const text = parts.map(([name, count]) => `${name} ${count}`).join(", ");
  return (
    <span className={classes.parts} data-tip={text}>
      {parts.map(([name, count]) => (
        <i key={name} style={{ flexGrow: count, background: colors.get(name) }} />
      ))}
      <span className="visually-hidden">{text}</span>
    </span>
  );
}
