// The steps of a run over time, as they began: attempts, pauses, waits and undoing as bars. Only rows in sight are drawn.
import { ActionIcon, Select } from "@mantine/core";
import { IconZoomIn, IconZoomOut, IconZoomReset } from "@tabler/icons-react";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import type { RunDetail, RunStep } from "@/api/types";
import { Empty } from "@/components/states";
import { isOver, STATE_WORD } from "@/lib/runs";
import { offsetText, place, rowsOf, ticksOf, type TimelineRow, type Window } from "@/lib/timeline";
import { useNow } from "@/state/now";
import { useSight } from "@/state/virtual";
import { type ItemFilter, useOpened } from "./steps";
import { StepRow } from "./StepRow";
import { useZoom } from "./zoom";
import classes from "./Timeline.module.css";

const ROW_PX = 28;
const HEAD_PX = 26;
const TICKS = 9;
/** Air behind the newest bar, so that it does not touch the edge. */
const TAIL = 1.02;

interface TimelineProps {
  run: RunDetail;
  steps: readonly RunStep[];
  chosen: string;
  onChoose: (key: string) => void;
}

export function Timeline({ run, steps, chosen, onChoose }: TimelineProps) {
  const area = useRef<HTMLDivElement>(null);
  const isLive = !isOver(run.state);
  const now = useNow((clock) => (isLive ? Math.floor(clock.getTime() / 1_000) * 1_000 : 0));
  const [filter, setFilter] = useState<ItemFilter>("");
  const { inside, toggle, loadMore } = useOpened(run.id, filter);
  const rows = useMemo(() => rowsOf(steps, inside), [steps, inside]);
  const whole = wholeOf(run, steps, now);
  const zoom = useZoom(whole, area);
  const sight = useSight(area, rows.length, ROW_PX, HEAD_PX);
  const ticks = ticksOf(zoom.window, whole.from, TICKS);
  if (steps.length === 0) return <Empty title={run.state === "queued" ? "It waits for its turn" : "No step has begun yet"} isSmall>Steps appear here the moment they begin.</Empty>;
  return (
    <div>
      <div className={classes.tools}>
        {inside.size > 0 && <Select aria-label="Which items of fan-outs" className={classes.filter} data={ITEM_FILTERS} value={filter} onChange={(value) => setFilter((value ?? "") as ItemFilter)} />}
        <span className={`${classes.hint} faint small`}>{zoom.isWhole ? "Drag over the bars to zoom in" : `${offsetText(Math.round(zoom.window.from - whole.from), 1)} to ${offsetText(Math.round(zoom.window.to - whole.from), 1)}`}</span>
        <ActionIcon aria-label="Zoom in" data-tip="Zoom in  +" onClick={zoom.zoomIn}><IconZoomIn size={16} stroke={1.7} /></ActionIcon>
        <ActionIcon aria-label="Zoom out" data-tip="Zoom out  -" onClick={zoom.zoomOut} disabled={zoom.isWhole}><IconZoomOut size={16} stroke={1.7} /></ActionIcon>
        <ActionIcon aria-label="Show the whole run" data-tip="Show all of it  0" onClick={zoom.reset} disabled={zoom.isWhole}><IconZoomReset size={16} stroke={1.7} /></ActionIcon>
      </div>
      <div ref={area} className={classes.area} {...zoom.track} role="region" aria-label="Timeline of steps" tabIndex={0}>
        <div className={classes.head}>
          <span className={classes.headName}>Step</span>
          <span className={classes.axis} data-track>
            {ticks.filter(({ at }) => place(at, zoom.window) < 95).map(({ at, label }) => (
              <span key={at} className={classes.tick} style={{ left: `${place(at, zoom.window)}%` }}>
                {label}
              </span>
            ))}
          </span>
          <span className={classes.headTook}>Duration</span>
        </div>
        <div className={classes.rows} style={{ height: rows.length * ROW_PX }} role="list">
          <Grid ticks={ticks} window={zoom.window} now={isLive ? now : null} drag={zoom.drag} />
          {rows.slice(sight.from, sight.to).map((row, index) => (
            <div key={row.type === "step" ? row.step.key : `more ${row.parent}`} role="listitem" className={classes.place} style={{ transform: `translateY(${(sight.from + index) * ROW_PX}px)` }}>
              {row.type === "step" ? (
                <StepRow row={row} window={zoom.window} now={row.step.finished_at ? 0 : now || Date.now()} isChosen={row.step.key === chosen} onChoose={onChoose} onToggle={toggle} />
              ) : (
                <MoreRow row={row} onSeen={loadMore} />
              )}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

const ITEM_FILTERS = [{ value: "", label: "All items" }, ...(["failed", "running", "waiting", "succeeded"] as const).map((value) => ({ value, label: STATE_WORD[value] }))];

function wholeOf(run: RunDetail, steps: readonly RunStep[], now: number): Window {
  const begins = steps.flatMap((step) => (step.started_at ? Date.parse(step.started_at) : []));
  const from = Math.min(Date.parse(run.started_at ?? run.created_at), ...begins);
  const ends = steps.flatMap((step) => (step.finished_at ? Date.parse(step.finished_at) : []));
  const to = run.finished_at ? Math.max(Date.parse(run.finished_at), ...ends) : Math.max(now, ...ends);
  return { from, to: from + Math.max(1, (to - from) * TAIL) };
}

interface GridProps {
  ticks: readonly { at: number }[];
  window: Window;
  now: number | null;
  drag: { left: number; width: number } | null;
}

const Grid = memo(function Grid({ ticks, window, now, drag }: GridProps) {
  const at = now === null ? null : place(now, window);
  return (
    <div className={classes.grid} aria-hidden>
      {ticks.map((tick) => (
        <span key={tick.at} className={classes.line} style={{ left: `${place(tick.at, window)}%` }} />
      ))}
      {at !== null && at >= 0 && at <= 100 && <span className={classes.now} style={{ left: `${at}%` }} />}
      {drag && <span className={classes.drag} style={{ left: `${drag.left}%`, width: `${drag.width}%` }} />}
    </div>
  );
});

function MoreRow({ row, onSeen }: { row: Extract<TimelineRow, { type: "more" }>; onSeen: (parent: string) => void }) {
  useEffect(() => onSeen(row.parent), [row.parent, onSeen]);
  return (
    <div className={classes.moreRow} style={{ paddingLeft: 12 + row.depth * 16 }}>
      Loading further items
    </div>
  );
}
