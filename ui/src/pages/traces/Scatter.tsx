// Durations over time, one mark per trace, upwards by powers of ten. A click opens a trace; dragging chooses some.
import { type PointerEvent, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";
import type { TraceSummary } from "@/api/traces";
import { formatDuration, plural } from "@/lib/format";
import { formatMoment } from "@/lib/time";
import { resolveRange } from "@/lib/timerange";
import { tracePath } from "@/lib/traces/search";
import { useCarry, useTimeRange } from "@/state/timerange";
import classes from "./Traces.module.css";

const LEAST_DRAG = 0.008;

/** Traces that began between the first two and took between the last two, all in microseconds. */
export interface Area {
  fromUs: number;
  untilUs: number;
  leastUs: number;
  mostUs: number;
}

export function isWithin(trace: TraceSummary, area: Area): boolean {
  return trace.startUs >= area.fromUs && trace.startUs <= area.untilUs && trace.durationUs >= area.leastUs && trace.durationUs <= area.mostUs;
}

interface Frame {
  fromUs: number;
  spanUs: number;
  low: number;
  high: number;
}

/** The window of time, and whole powers of ten around all durations. */
export function frameOf(traces: readonly TraceSummary[], fromUs: number, untilUs: number): Frame {
  const powers = traces.map((one) => Math.log10(Math.max(1, one.durationUs)));
  const low = Math.floor(Math.min(...powers));
  return { fromUs, spanUs: untilUs - fromUs, low, high: Math.max(low + 1, Math.ceil(Math.max(...powers) + 0.05)) };
}

const leftOf = (frame: Frame, us: number): number => (us - frame.fromUs) / frame.spanUs;
const topOf = (frame: Frame, us: number): number => 1 - (Math.log10(Math.max(1, us)) - frame.low) / (frame.high - frame.low);
const usAt = (frame: Frame, top: number): number => 10 ** (frame.low + (1 - top) * (frame.high - frame.low));

export function Scatter({ traces, area, onArea }: { traces: readonly TraceSummary[]; area: Area | null; onArea: (area: Area | null) => void }) {
  const { range } = useTimeRange();
  const navigate = useNavigate();
  const carry = useCarry();
  const frame = useMemo(() => {
    const { start, end } = resolveRange(range, new Date());
    return frameOf(traces, start.getTime() * 1000, end.getTime() * 1000);
  }, [traces, range]);
  const { box, ...handlers } = useBox((left, right, top, bottom) =>
    onArea({ fromUs: frame.fromUs + left * frame.spanUs, untilUs: frame.fromUs + right * frame.spanUs, leastUs: usAt(frame, bottom), mostUs: usAt(frame, top) }),
  );
  const drawn = box ?? (area && { left: leftOf(frame, area.fromUs), right: leftOf(frame, area.untilUs), top: topOf(frame, area.mostUs), bottom: topOf(frame, area.leastUs) });
  const powers = Array.from({ length: frame.high - frame.low + 1 }, (_, at) => frame.low + at);
  const failed = traces.filter((one) => one.errors > 0).length;
  return (
    <figure className={classes.scatter}>
      <div className={classes.field} {...handlers} role="group" aria-label={`How long ${plural(traces.length, "trace")} took over time, ${failed} with errors`}>
        {powers.map((power) => (
          <span key={power} className={classes.line} style={{ top: `${topOf(frame, 10 ** power) * 100}%` }}>
            <span>{formatDuration(10 ** power / 1e6)}</span>
          </span>
        ))}
        {traces.map((one) => (
          <i
            key={one.id}
            className={classes.dot}
            data-failed={one.errors > 0 || undefined}
            data-dim={(area !== null && !isWithin(one, area)) || undefined}
            data-tip={`${one.rootService}: ${one.rootName}, ${formatDuration(one.durationUs / 1e6)}${one.errors > 0 ? `, ${plural(one.errors, "error")}` : ""}`}
            style={{ left: `${leftOf(frame, one.startUs) * 100}%`, top: `${topOf(frame, one.durationUs) * 100}%` }}
            onClick={() => void navigate(carry(tracePath(one.id)))}
          />
        ))}
        {drawn && <span className={classes.box} style={{ left: `${drawn.left * 100}%`, top: `${drawn.top * 100}%`, width: `${(drawn.right - drawn.left) * 100}%`, height: `${(drawn.bottom - drawn.top) * 100}%` }} />}
      </div>
      <figcaption className={classes.axis}>
        <span>{formatMoment(new Date(frame.fromUs / 1000), frame.spanUs / 1e6)}</span>
        <span className={classes.keys}>
          <span><i className={classes.dot} /> without errors</span>
          <span><i className={classes.dot} data-failed /> with errors</span>
          <span className={classes.hint}>drag to choose, click to open</span>
        </span>
        <span>{formatMoment(new Date((frame.fromUs + frame.spanUs) / 1000), frame.spanUs / 1e6)}</span>
      </figcaption>
    </figure>
  );
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Dragging a box; places are shares of the field. */
function useBox(onChoose: (left: number, right: number, top: number, bottom: number) => void) {
  const begun = useRef<{ x: number; y: number } | null>(null);
  const [box, setBox] = useState<Box | null>(null);
  const place = (event: PointerEvent<HTMLElement>) => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    const share = (value: number) => Math.max(0, Math.min(1, value));
    return { x: share((event.clientX - left) / width), y: share((event.clientY - top) / height) };
  };
  return {
    box,
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button === 0) begun.current = place(event);
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const from = begun.current;
      if (!from) return;
      const to = place(event);
      if (!box && Math.hypot(to.x - from.x, to.y - from.y) < LEAST_DRAG) return;
      if (!box) event.currentTarget.setPointerCapture(event.pointerId);
      setBox({ left: Math.min(from.x, to.x), right: Math.max(from.x, to.x), top: Math.min(from.y, to.y), bottom: Math.max(from.y, to.y) });
    },
    onPointerUp: () => {
      begun.current = null;
      if (box) onChoose(box.left, box.right, box.top, box.bottom);
      setBox(null);
    },
    onPointerCancel: () => {
      begun.current = null;
      setBox(null);
    },
  };
}
