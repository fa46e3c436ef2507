// The lines of the query: only those in sight are drawn, older ones come as one scrolls, newer ones wait while one reads.
import { Button, CloseButton } from "@mantine/core";
import { IconArrowUp, IconFileText } from "@tabler/icons-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Empty, Failed, Loading, problemOf, SkeletonRows } from "@/components/states";
import { plural } from "@/lib/format";
import { wordsOf } from "@/lib/logql";
import { type LogLine, SERVICE_FIELD, serviceOf } from "@/lib/logs";
import type { LogView } from "@/lib/logview";
import { spanSeconds } from "@/lib/timerange";
import { colorsOf } from "@/lib/traces/colors";
import { useRows } from "@/state/rows";
import { useTimeRange } from "@/state/timerange";
import { LineRow } from "./LineRow";
import type { LineActions, LinesState } from "./lines";
import { useHeld, useReading } from "./reading";
import { TailStrip } from "./TailStrip";
import classes from "./Logs.module.css";

const ROW_PX = 24;
const AHEAD_ROWS = 40;

interface LinesViewProps extends LineActions {
  state: LinesState;
  view: LogView;
  isLive: boolean;
}

export function LinesView({ state, view, isLive, ...actions }: LinesViewProps) {
  if (state.error) {
    if (problemOf(state.error).status === 400) return <div className={classes.noVolume}>No lines: see the error at the query.</div>;
    return <Failed error={state.error} onRetry={state.retry} isRetrying={state.isFetching} />;
  }
  if (!state.first) return <Loading><SkeletonRows rows={12} height={ROW_PX} /></Loading>;
  if (state.lines.length === 0) {
    return (
      <>
        {isLive && <TailStrip tail={state.tail} isReading={false} />}
        <Empty title="No lines in this window" icon={<IconFileText size={32} stroke={1.4} />}>
          {isLive ? "The query is fine. Lines stand here as soon as they come." : "The query is fine, and no line answers it between these two times. Choose a longer time range, or take a filter out of the query."}
        </Empty>
      </>
    );
  }
  return <LineList state={state} view={view} isLive={isLive} {...actions} />;
}

function LineList({ state, view, isLive, onFilter, onColumn, onContext }: LinesViewProps) {
  const area = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const reading = useReading(area, { isLive, tail: state.tail, openCount: open.size });
  const { shown, waiting } = useHeld(state, reading.isReading);
  const keys = useMemo(() => shown.map((line) => line.key), [shown]);
  const rows = useRows(area, keys, { guessPx: ROW_PX, shape: `${view.isWrapped}` });
  const words = useMemo(() => wordsOf(view.expr), [view.expr]);
  const services = useServiceColors(state.lines, view);
  const { range } = useTimeRange();
  const hasDays = spanSeconds(range) > 86_400;
  const toggle = useCallback((key: string) => setOpen((before) => (before.has(key) ? new Set([...before].filter((one) => one !== key)) : new Set([...before, key]))), []);
  const { loadMore, hasMore, moreError } = state;
  const isNearEnd = rows.to >= shown.length - AHEAD_ROWS;
  useEffect(() => {
    if (isNearEnd && hasMore && !moreError) loadMore();
    // Asked again whenever more lines have come and the end is still near.
  }, [isNearEnd, hasMore, moreError, shown.length, state.isFetching]);
  return (
    <div className={classes.frame}>
      {isLive && <TailStrip tail={state.tail} isReading={reading.isReading} />}
      {view.columns.length > 0 && (
        <div className={classes.columns}>
          {view.columns.map((name) => (
            <span key={name} className={classes.column}>
              {name}
              <CloseButton size="xs" aria-label={`Remove column ${name}`} onClick={() => onColumn(name)} />
            </span>
          ))}
        </div>
      )}
      <div className={classes.pane} {...reading.pane}>
        <div
          ref={area}
          className={classes.area}
          tabIndex={0}
          role="region"
          aria-label="Lines"
          {...reading.area}
        >
          <div className={classes.lines} style={{ height: rows.total }}>
            {shown.slice(rows.from, rows.to).map((line, index) => (
              <LineRow
                key={line.key}
                line={line}
                topPx={rows.topOf(rows.from + index)}
                measure={rows.measure}
                isOpen={open.has(line.key)}
                isWrapped={view.isWrapped}
                hasDays={hasDays}
                columns={view.columns}
                serviceColor={services?.get(serviceOf(line))}
                words={words}
                onToggle={toggle}
                actions={{ onFilter, onColumn, onContext }}
              />
            ))}
          </div>
        </div>
        {reading.isReading && !state.tail.isPaused && waiting > 0 && (
          <Button className={classes.newer} size="compact-xs" radius="xl" leftSection={<IconArrowUp size={13} />} onClick={reading.stop}>
            {plural(waiting, "newer line")}
          </Button>
        )}
      </div>
      <ListFoot state={state} count={shown.length} isNewestFirst={view.isNewestFirst} />
    </div>
  );
}

interface ListFootProps {
  state: LinesState;
  count: number;
  isNewestFirst: boolean;
}

function ListFoot({ state, count, isNewestFirst }: ListFootProps) {
  const further = isNewestFirst ? "older" : "newer";
  const parts = [
    `${plural(count, "line")} loaded`,
    state.isCut ? `of what is followed the newest ones are kept; Run shows ${further} ones` : state.isFetchingMore ? `loading ${further} ones` : state.hasMore ? `${further} ones come as you scroll` : `no ${further} ones in this window`,
  ];
  return (
    <p className={classes.foot} data-failed={state.moreError ? true : undefined}>
      {state.moreError ? (
        <>
          The {further} ones could not be loaded: {problemOf(state.moreError).detail || problemOf(state.moreError).title}{" "}
          <Button variant="default" size="compact-xs" onClick={state.loadMore}>
            Try again
          </Button>
        </>
      ) : (
        parts.join(" · ")
      )}
    </p>
  );
}

/** A colour for each service of the lines; none where all are of one, or where the service stands in a column anyway. */
function useServiceColors(lines: readonly LogLine[], view: LogView): ReadonlyMap<string, string> | null {
  const names = useMemo(() => [...new Set(lines.map(serviceOf))].sort().join("\n"), [lines]);
  const isInColumn = view.columns.includes(SERVICE_FIELD);
  return useMemo(() => {
    const services = names.split("\n");
    return services.length > 1 && !isInColumn ? colorsOf(services) : null;
  }, [names, isInColumn]);
}
