// The spans of a trace, one line each: the tree on the left, time on the right. Of 100,000 spans only those in sight are
// drawn. Arrows walk, expand and collapse; Enter opens a span; "n" and "N" go through what was found.
import { ActionIcon, Button, Checkbox } from "@mantine/core";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { type KeyboardEvent, type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { FilterInput } from "@/components/FilterInput";
import { formatCount, formatDuration } from "@/lib/format";
import type { Piece, Trace } from "@/lib/traces/model";
import { rowOf } from "@/lib/traces/model";
import { carryRows, collapseBelow, findRows, hasChildren, openRows, placeOf, reveal } from "@/lib/traces/rows";
import { useKeys } from "@/state/shortcuts";
import { useUrlFilter } from "@/state/timerange";
import { useSight } from "@/state/virtual";
import { MiniMap } from "./MiniMap";
import { ROW_PX, SpanRow } from "./SpanRow";
import classes from "./Waterfall.module.css";

const TICKS = 5;

interface WaterfallProps {
  trace: Trace;
  colors: ReadonlyMap<string, string>;
  /** The id of the span that is open. */
  chosen: string;
  onChoose: (span: string) => void;
  hasPath: boolean;
  onPath: (isShown: boolean) => void;
}

export function Waterfall({ trace, colors, chosen, onChoose, hasPath, onPath }: WaterfallProps) {
  const area = useRef<HTMLDivElement>(null);
  const [collapsed, setCollapsed] = useState<ReadonlySet<number>>(() => new Set());
  const [zoom, setZoom] = useState<Piece | null>(null);
  const [cursor, setCursor] = useState(() => Math.max(0, rowOf(trace, chosen)));
  const [known, setKnown] = useState(trace);
  if (known !== trace) {
    // Spans have come meanwhile: what was chosen and folded are the same spans in other rows.
    const [at = 0, ...folded] = carryRows(known, trace, [cursor, ...collapsed]);
    setKnown(trace);
    setCursor(Math.max(0, at));
    setCollapsed(new Set(folded.filter((row) => row >= 0)));
  }
  const rows = useMemo(() => openRows(trace, collapsed), [trace, collapsed]);
  const sight = useSight(area, rows.length, ROW_PX);
  const window = useMemo<Piece>(() => zoom ?? [0, trace.durationUs], [zoom, trace]);
  const wanted = useScroll(area, trace, rows);
  const show = (row: number): void => {
    setCursor(row);
    const open = reveal(trace, collapsed, row);
    if (open === collapsed) return scrollTo(area.current, placeOf(rows, row));
    // There is no room to scroll to what is still folded.
    wanted.current = row;
    setCollapsed(open);
  };
  const find = useFind(trace, cursor, show);
  const toggle = useCallback((row: number): void => setCollapsed((before) => flip(before, row)), []);
  const shown = useChosen(trace, chosen, show);
  const latestChoose = useRef(onChoose);
  useEffect(() => {
    latestChoose.current = onChoose;
  });
  // While one scrolls, rows that stay in sight are not rendered again: what they are given stays the same.
  const choose = useCallback(
    (row: number): void => {
      setCursor(row);
      // It is in sight already: what is pointed at stays where it is.
      shown.current = trace.ids[row] ?? "";
      latestChoose.current(shown.current);
    },
    [trace, shown],
  );
  const onKeyDown = (event: KeyboardEvent): void => {
    const move = step(event.key, { trace, rows, collapsed, cursor });
    if (event.key === "Enter") onChoose(trace.ids[cursor] ?? "");
    else if (move === "toggle") toggle(cursor);
    else if (move !== null) show(move);
    else return;
    event.preventDefault();
  };
  return (
    <div className={classes.waterfall}>
      <div className={classes.tools}>
        <FilterInput name="q" placeholder="Find spans" />
        {find.text && (
          <span className={classes.found}>
            {find.matches.length === 0 ? "none" : `${formatCount(find.at + 1)} of ${formatCount(find.matches.length)}`}
            <ActionIcon size="sm" aria-label="The one before" data-tip="The one before  N" disabled={find.matches.length === 0} onClick={find.previous}><IconChevronUp size={14} /></ActionIcon>
            <ActionIcon size="sm" aria-label="The next one" data-tip="The next one  n" disabled={find.matches.length === 0} onClick={find.next}><IconChevronDown size={14} /></ActionIcon>
          </span>
        )}
        <span className={classes.grow} />
        <Checkbox size="xs" label="Critical path" checked={hasPath} onChange={(event) => onPath(event.currentTarget.checked)} />
        <Button size="compact-xs" variant="default" onClick={() => setCollapsed(collapseBelow(trace, 1))}>Collapse</Button>
        <Button size="compact-xs" variant="default" onClick={() => setCollapsed(new Set())}>Expand</Button>
      </div>
      <div className={classes.head}>
        <span className={classes.headName}>{rows.length === trace.count ? `${formatCount(trace.count)} spans` : `${formatCount(rows.length)} of ${formatCount(trace.count)} spans`}</span>
        <div>
          <MiniMap trace={trace} colors={colors} window={window} onZoom={setZoom} sight={[sight.from / Math.max(1, rows.length), sight.to / Math.max(1, rows.length)]} />
          <Ticks window={window} />
        </div>
        <span className={classes.headTook}>took</span>
        <span className={classes.headOwn} data-tip="Time in which none of its children ran">itself</span>
      </div>
      <div ref={area} className={classes.area} style={{ height: `min(${rows.length * ROW_PX + 2}px, max(320px, calc(100dvh - 330px)))` }} tabIndex={0} role="tree" aria-label="Spans" aria-activedescendant={`span-${cursor}`} onKeyDown={onKeyDown}>
        <div role="presentation" className={classes.rows} style={{ height: rows.length * ROW_PX }}>
          {Array.from(rows.subarray(sight.from, sight.to), (row, at) => (
            <SpanRow
              key={row}
              trace={trace}
              row={row}
              place={sight.from + at}
              window={window}
              color={colors.get(trace.services[row] as string) ?? ""}
              isOpen={hasChildren(trace, row) ? !collapsed.has(row) : null}
              isCursor={row === cursor}
              isFound={find.isMatch(row)}
              hasPath={hasPath}
              onToggle={toggle}
              onChoose={choose}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

function Ticks({ window: [from, until] }: { window: Piece }) {
  return (
    <div className={classes.ticks} aria-hidden>
      {Array.from({ length: TICKS }, (_, at) => (
        <span key={at}>{formatDuration((from + ((until - from) * at) / (TICKS - 1)) / 1e6)}</span>
      ))}
    </div>
  );
}

interface Standing {
  trace: Trace;
  rows: Int32Array;
  collapsed: ReadonlySet<number>;
  cursor: number;
}

/** Where a key leads: a row, opening or closing the one under the cursor, or nowhere. */
function step(key: string, { trace, rows, collapsed, cursor }: Standing): number | "toggle" | null {
  const place = placeOf(rows, cursor);
  const at = (wanted: number): number => rows[Math.max(0, Math.min(rows.length - 1, wanted))] as number;
  const isParent = hasChildren(trace, cursor);
  const parent = trace.parents[cursor] as number;
  switch (key) {
    case "ArrowDown": return at(place + 1);
    case "ArrowUp": return at(place - 1);
    case "PageDown": return at(place + 20);
    case "PageUp": return at(place - 20);
    case "Home": return at(0);
    case "End": return at(rows.length - 1);
    case "ArrowRight": return isParent ? (collapsed.has(cursor) ? "toggle" : at(place + 1)) : null;
    case "ArrowLeft": return isParent && !collapsed.has(cursor) ? "toggle" : parent >= 0 ? parent : null;
    default: return null;
  }
}

function flip(collapsed: ReadonlySet<number>, row: number): ReadonlySet<number> {
  const next = new Set(collapsed);
  if (!next.delete(row)) next.add(row);
  return next;
}

function scrollTo(area: HTMLElement | null, place: number): void {
  if (!area) return;
  const top = place * ROW_PX;
  const height = area.clientHeight;
  if (top < area.scrollTop) area.scrollTop = Math.max(0, top - 2 * ROW_PX);
  else if (top + ROW_PX > area.scrollTop + height) area.scrollTop = top - height + 3 * ROW_PX;
}

/** Keeps the span at the top where it is when the trace has come anew; gives where to note a row that is to be scrolled to once it is there. */
function useScroll(area: RefObject<HTMLElement | null>, trace: Trace, rows: Int32Array): RefObject<number | null> {
  const wanted = useRef<number | null>(null);
  const before = useRef({ trace, rows });
  useLayoutEffect(() => {
    const old = before.current;
    before.current = { trace, rows };
    const element = area.current;
    if (element && old.trace !== trace && element.scrollTop > 0) {
      const top = Math.floor(element.scrollTop / ROW_PX);
      const [row = -1] = carryRows(old.trace, trace, [old.rows[top] ?? -1]);
      if (row >= 0) element.scrollTop += (placeOf(rows, row) - top) * ROW_PX;
    }
    if (wanted.current !== null) scrollTo(element, placeOf(rows, wanted.current));
    wanted.current = null;
  }, [area, trace, rows]);
  return wanted;
}

/** A span that was opened elsewhere (a link, a warning, a log line) comes into sight, once; gives which one has. */
function useChosen(trace: Trace, chosen: string, show: (row: number) => void): RefObject<string> {
  const shown = useRef("");
  const latest = useRef(show);
  useEffect(() => {
    latest.current = show;
  });
  useEffect(() => {
    const row = chosen && chosen !== shown.current ? rowOf(trace, chosen) : -1;
    if (row >= 0) latest.current(row);
    if (row >= 0 || chosen === "") shown.current = chosen;
  }, [trace, chosen]);
  return shown;
}

function useFind(trace: Trace, cursor: number, show: (row: number) => void) {
  const [text] = useUrlFilter("q");
  const matches = useMemo(() => findRows(trace, text), [trace, text]);
  const set = useMemo(() => new Set(matches), [matches]);
  const latest = useRef(show);
  useEffect(() => {
    latest.current = show;
  });
  const sought = useRef("");
  useEffect(() => {
    // The same words in a trace that has come anew move nobody.
    if (sought.current === text) return;
    sought.current = text;
    if (matches.length > 0) latest.current(matches[0] as number);
  }, [matches, text]);
  const next = (): void => {
    if (matches.length > 0) show((matches.find((row) => row > cursor) ?? matches[0]) as number);
  };
  const previous = (): void => {
    if (matches.length > 0) show((matches.findLast((row) => row < cursor) ?? matches.at(-1)) as number);
  };
  useKeys({ n: next, N: previous });
  return { text, matches, at: matches.length > 0 ? placeOf(matches, cursor) : 0, isMatch: (row: number) => set.has(row), next, previous };
}
