// Failed spans by operation and error, where an error began first; slow ones by operation and statement, those first
// that cost the most time.
import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type GroupKind, groupsQuery } from "@/api/findingQueries";
import { isAskable } from "@/api/traceQueries";
import type { SpanGroup, SpanGroups } from "@/api/types";
import { Go } from "@/components/Go";
import { OperationName } from "@/components/OperationName";
import { Page } from "@/components/Page";
import { ShareBar } from "@/components/ShareBar";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import table from "@/components/table.module.css";
import { When } from "@/components/When";
import { formatDuration, formatNumber, formatPercent, plural } from "@/lib/format";
import { addAttribute, searchPath, tracePath, type TraceWish, writeNs } from "@/lib/traces/search";
import { useTimeRange, useUrlFilter } from "@/state/timerange";
import { SearchForm } from "../SearchForm";
import { Spanless } from "../Spanless";
import { TracesTabs } from "../TracesTabs";
import { useWish } from "../useWish";
import classes from "./Groups.module.css";

const KINDS = [
  { value: "failed", label: "Failed" },
  { value: "slow", label: "Slow" },
];

export function Groups() {
  const [ofText, setOf] = useUrlFilter("of");
  const of: GroupKind = ofText === "slow" ? "slow" : "failed";
  const { wish, write } = useWish();
  const { range } = useTimeRange();
  const query = useQuery(groupsQuery(of, wish, range));
  return (
    <Page title="Slow and failed" name="Slow and failed spans" subtitle={query.data ? summary(query.data, of, wish) : "\u00a0"}>
      <TracesTabs />
      <Spanless>
        {(services) => (
          <>
            <div className={classes.ask}>
              <SegmentedControl size="xs" aria-label="Which spans" value={of} onChange={(value) => setOf(value === "slow" ? value : "")} data={KINDS} />
              <SearchForm wish={wish} services={services} onWrite={write} isList={false} hasStatus={of === "slow"} />
            </div>
            {isAskable(wish) && (
              <QueryView query={query} skeleton={<SkeletonRows rows={8} />}>
                {(found) => (found.items.length === 0 ? <Nothing of={of} /> : <List groups={found.items} of={of} wish={wish} />)}
              </QueryView>
            )}
          </>
        )}
      </Spanless>
    </Page>
  );
}

function Nothing({ of }: { of: GroupKind }) {
  return of === "failed" ? (
    <Empty title="No span failed">A span fails when its status is an error. Choose a longer time range at the top right, or ask for less above.</Empty>
  ) : (
    <Empty title="No span is slow">Without a duration above, slow is what takes longer than 95 of 100 spans of its operation, of 20 at least. Choose a longer time range, or name a duration.</Empty>
  );
}

function List({ groups, of, wish }: { groups: readonly SpanGroup[]; of: GroupKind; wish: TraceWish }) {
  const isFailed = of === "failed";
  const most = Math.max(...groups.map((each) => (isFailed ? each.spans : each.lost_ms)), 1e-9);
  return (
    <table className={`${table.table} ${classes.list}`}>
      <thead>
        <tr>
          <th>Operation</th>
          <th className={classes.says}>{isFailed ? "Error" : "Statement"}</th>
          <th className={classes.many} data-align="right">{isFailed ? "Spans" : "Time lost"}</th>
          {isFailed && <th className={classes.began} data-align="right" data-tip="Spans below which no other failed: the error began there, the others pass it on">Began here</th>}
          <th className={classes.share} data-align="right" data-tip="Of all spans of the operation">Of calls</th>
          <th className={classes.time} data-align="right">p95</th>
          <th className={classes.time} data-align="right" data-tip="The median of all spans of the operation">Usual</th>
          <th className={classes.when} data-align="right">Last</th>
          <th className={classes.example}>Examples</th>
        </tr>
      </thead>
      <tbody>
        {groups.map((each) => (
          <tr key={`${each.service}/${each.operation}/${each.kind}/${each.error}/${each.pattern}`}>
            <td>
              <OperationName name={each.operation} service={each.service}>
                {(name) => <Go to={searchOf(each, of, wish)} className={table.rowLink ?? ""} data-row>{name}</Go>}
              </OperationName>
            </td>
            <td className={classes.says} data-tip={saysOf(each) || undefined}>
              {each.error && <strong>{each.error}</strong>} <span className="mono">{each.pattern}</span>
              {!saysOf(each) && <span className="faint">{isFailed ? "says nothing" : ""}</span>}
            </td>
            <td className={classes.many}>
              <ShareBar share={(isFailed ? each.spans : each.lost_ms) / most} text={isFailed ? formatNumber(each.spans) : formatDuration(each.lost_ms / 1000)} isFailed={isFailed} />
            </td>
            {isFailed && <td className={classes.began} data-align="right">{each.origins > 0 ? formatNumber(each.origins) : <span className="faint">0</span>}</td>}
            <td className={classes.share} data-align="right">{formatPercent((100 * each.spans) / Math.max(each.calls, 1))}</td>
            <td className={classes.time} data-align="right">{formatDuration(each.p95_ms / 1000)}</td>
            <td className={classes.time} data-align="right"><span className="dim">{formatDuration(each.usual_ms / 1000)}</span></td>
            <td className={classes.when} data-align="right"><When at={each.last_at} /></td>
            <td className={classes.example}>
              <span className={`${table.above ?? ""} ${classes.examples}`}>
                {each.examples.map((one, at) => (
                  <Go key={one.span_id} to={tracePath(one.trace_id, one.span_id)} className="link bare" data-tip={`${formatDuration(one.duration_ns / 1e9)}, trace ${one.trace_id}`} aria-label={`example ${at + 1} of ${each.operation}`}>
                    {at + 1}
                  </Go>
                ))}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const saysOf = (each: SpanGroup): string => [each.error, each.pattern].filter(Boolean).join(": ");

/** The search that finds the spans of a group, as near as a search can name them. */
function searchOf(each: SpanGroup, of: GroupKind, wish: TraceWish): string {
  const spans = each.kind === "unspecified" ? "" : each.kind;
  const common = { service: each.service, operation: each.operation, spans, attributes: wish.attributes } as const;
  if (of === "slow") return searchPath({ ...common, min: wish.min || writeNs(Math.round(Math.max(each.usual_ms, each.p50_ms) * 1e6)), max: wish.max });
  const http = /^HTTP (\d+)$/.exec(each.error)?.[1];
  return searchPath({ ...common, status: "error", attributes: http && !wish.attributes ? addAttribute("", "http.response.status_code", http) : wish.attributes });
}

function summary(found: SpanGroups, of: GroupKind, wish: TraceWish): string {
  const share = found.share < 1 ? `, counted from one of ${Math.round(1 / found.share)} traces` : "";
  const what = of === "failed" ? "failed" : wish.min ? `took ${wish.min} or more` : "took longer than 95 of 100 of their operation";
  return `${plural(Math.round(found.spans), "span")} ${what}, in ${plural(found.items.length, "group")}${share}.`;
}
