// What the check found, run by run; all of it or only what was not up.
import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { historyQuery } from "@/api/queries";
import type { CheckResult, Verdict } from "@/api/types";
import { Section } from "@/components/Page";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import { StatusMark } from "@/components/StatusMark";
import table from "@/components/table.module.css";
import { When } from "@/components/When";
import { formatDuration } from "@/lib/format";
import { formatMoment } from "@/lib/time";
import { spanSeconds } from "@/lib/timerange";
import { useTimeRange, useUrlFilter } from "@/state/timerange";
import { factText } from "@/components/Facts";
import { PhaseStrip } from "./Waterfall";
import classes from "./HistorySection.module.css";

const FAILURES: readonly Verdict[] = ["down", "degraded", "unknown"];
const ALL: readonly Verdict[] = [];

export function HistorySection({ name }: { name: string }) {
  const { range } = useTimeRange();
  const [shown, setShown] = useUrlFilter("results");
  const query = useQuery(historyQuery(name, range, shown === "failures" ? FAILURES : ALL));
  return (
    <Section
      title="History"
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Which results"
          value={shown || "all"}
          onChange={(value) => setShown(value === "all" ? "" : value)}
          data={[{ value: "all", label: "All results" }, { value: "failures", label: "Failures" }]}
        />
      }
    >
      <QueryView query={query} skeleton={<SkeletonRows rows={8} height={32} />}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty isSmall title={shown === "failures" ? "No failure in this window" : "No result in this window"}>Choose a longer time range above to look further back.</Empty>
          ) : (
            <>
              <HistoryTable results={items} spanS={spanSeconds(range)} />
              {(next || items.length >= 100) && <p className={classes.more}>The newest {items.length} are shown. Narrow the time range to see older ones.</p>}
            </>
          )
        }
      </QueryView>
    </Section>
  );
}

function HistoryTable({ results, spanS }: { results: readonly CheckResult[]; spanS: number }) {
  return (
    <table className={`${table.table} ${table.plain} ${classes.history}`}>
      <thead>
        <tr>
          <th className={classes.status}>Status</th>
          <th className={classes.time}>Time</th>
          <th className={classes.result}>Result</th>
          <th className={classes.phases}>Phases</th>
          <th className={classes.tries} data-align="right">
            Tries
          </th>
          <th className={classes.took} data-align="right">
            Took
          </th>
        </tr>
      </thead>
      <tbody>
        {results.map((result) => (
          <tr key={result.at}>
            <td className={classes.status}>
              <StatusMark verdict={result.verdict} size={15} />
            </td>
            <td className={`${classes.time} dim`}>
              {formatMoment(new Date(result.at), Math.max(spanS, 60))} <span className="faint small"><When at={result.at} /></span>
            </td>
            <td className={`${classes.result} dim`} data-tip={resultTip(result)}>
              {result.message}
            </td>
            <td className={classes.phases}>
              <PhaseStrip phases={result.phases} />
            </td>
            <td className={`${classes.tries} faint`} data-align="right">
              {result.attempts}
            </td>
            <td className={classes.took} data-align="right">
              {formatDuration(result.duration_s)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function resultTip(result: CheckResult): string | undefined {
  const facts = Object.entries(result.facts).map(([name, value]) => `${name.replaceAll("_", " ")}: ${factText(value)}`);
  return [result.message, ...facts].filter(Boolean).join("\n") || undefined;
}
