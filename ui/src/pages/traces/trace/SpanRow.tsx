// One span: where it stands in the tree, when it ran, what of it the trace waited for, what was noted during it.
import { IconAlertCircle, IconChevronRight } from "@tabler/icons-react";
import { type CSSProperties, memo } from "react";
import { OperationName } from "@/components/OperationName";
import { formatCount, formatDuration } from "@/lib/format";
import type { Piece, Trace } from "@/lib/traces/model";
import classes from "./Waterfall.module.css";

export const ROW_PX = 26;
/** Deeper levels are not moved further to the right: the name must stay in sight. */
const DEEPEST = 14;
const MOST_MARKS = 40;
/** Parts of the width that can be told from each other. */
const FINEST = 300;

interface SpanRowProps {
  trace: Trace;
  row: number;
  place: number;
  window: Piece;
  color: string;
  /** Null where there is nothing below it. */
  isOpen: boolean | null;
  isCursor: boolean;
  isFound: boolean;
  hasPath: boolean;
  onToggle: (row: number) => void;
  onChoose: (row: number) => void;
}

export const SpanRow = memo(function SpanRow({ trace, row, place, window, color, isOpen, isCursor, isFound, hasPath, onToggle, onChoose }: SpanRowProps) {
  const depth = trace.depths[row] as number;
  const name = trace.names[row] || "unnamed";
  const took = formatDuration((trace.durations[row] as number) / 1e6);
  const own = formatDuration((trace.selfTimes[row] as number) / 1e6);
  return (
    <div
      id={`span-${row}`}
      role="treeitem"
      aria-level={depth + 1}
      aria-selected={isCursor}
      {...(isOpen === null ? {} : { "aria-expanded": isOpen })}
      className={classes.row}
      style={{ transform: `translateY(${place * ROW_PX}px)` }}
      data-cursor={isCursor || undefined}
      data-found={isFound || undefined}
      onClick={() => onChoose(row)}
    >
      <span className={classes.name} style={{ "--depth": Math.min(depth, DEEPEST) } as CSSProperties}>
        {isOpen === null ? (
          <span className={classes.toggle} />
        ) : (
          <span
            className={classes.toggle}
            data-open={isOpen || undefined}
            aria-hidden
            onClick={(event) => {
              event.stopPropagation();
              onToggle(row);
            }}
          >
            <IconChevronRight size={13} />
          </span>
        )}
        <i className={classes.swatch} style={{ background: color }} aria-hidden />
        {trace.isError[row] === 1 && (
          <span className={classes.error} data-tip="failed">
            <IconAlertCircle size={13} aria-hidden />
            <span className="visually-hidden">failed</span>
          </span>
        )}
        <OperationName name={name} service={trace.services[row] ?? ""}>{(words) => <b>{words}</b>}</OperationName>
        {isOpen === false && <span className={classes.hidden}>+{formatCount((trace.ends[row] as number) - row - 1)}</span>}
      </span>
      <Bar trace={trace} row={row} window={window} color={color} hasPath={hasPath} tip={`${took}, ${own} itself; began at ${formatDuration((trace.starts[row] as number) / 1e6)}`} />
      <span className={classes.took}>{took}</span>
      <span className={classes.own}>{own}</span>
    </div>
  );
});

function Bar({ trace, row, window: [from, until], color, hasPath, tip }: { trace: Trace; row: number; window: Piece; color: string; hasPath: boolean; tip: string }) {
  const span = until - from || 1;
  const left = (us: number): string => `${(100 * (us - from)) / span}%`;
  const width = (us: number): string => `${(100 * us) / span}%`;
  const start = trace.starts[row] as number;
  const duration = trace.durations[row] as number;
  const marks = trace.events.get(row) ?? NONE;
  return (
    <span className={classes.lane}>
      {trace.gaps.map(([begin, end]) => (
        <i key={begin} className={classes.gap} style={{ left: left(begin), width: width(end - begin) }} data-tip={`No span ran for ${formatDuration((end - begin) / 1e6)}`} />
      ))}
      <i className={classes.bar} data-failed={trace.isError[row] === 1 || undefined} style={{ left: left(start), width: width(duration), background: color }} data-tip={tip} />
      {hasPath &&
        piecesInSight(trace.critical.get(row) ?? NO_PIECES, from, until).map(([begin, end]) => <i key={begin} className={classes.critical} style={{ left: left(begin), width: width(end - begin) }} />)}
      {marks.slice(0, MOST_MARKS).map((at, number) => (
        <i key={number} className={classes.event} style={{ left: left(at) }} data-tip={`Event at ${formatDuration(at / 1e6)}`} />
      ))}
    </span>
  );
}

/** Pieces within a window, those joined that no eye would part. */
export function piecesInSight(pieces: readonly Piece[], from: number, until: number): Piece[] {
  const least = (until - from) / FINEST;
  const seen: [number, number][] = [];
  for (const [begin, end] of pieces) {
    if (end < from || begin > until) continue;
    const last = seen.at(-1);
    if (last && begin - last[1] < least) last[1] = end;
    else seen.push([begin, end]);
  }
  return seen;
}

const NONE: readonly number[] = [];
const NO_PIECES: readonly Piece[] = [];
