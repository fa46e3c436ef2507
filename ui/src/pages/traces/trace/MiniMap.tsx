// The whole trace in a strip: every span a line in its service's colour. Dragging zooms into a window, a double click
// shows all of it again.
import { useComputedColorScheme } from "@mantine/core";
import { type PointerEvent, useEffect, useRef, useState } from "react";
import { cssColor } from "@/lib/cssColor";
import { formatDuration } from "@/lib/format";
import type { Piece, Trace } from "@/lib/traces/model";
import classes from "./Waterfall.module.css";

const HEIGHT_PX = 64;
const LEAST_DRAG = 0.005;

interface MiniMapProps {
  trace: Trace;
  colors: ReadonlyMap<string, string>;
  window: Piece;
  onZoom: (window: Piece | null) => void;
  /** Rows in sight of the waterfall below, as shares of all. */
  sight: readonly [number, number];
}

export function MiniMap({ trace, colors, window: [from, until], onZoom, sight }: MiniMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme("light");
  useEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const paint = (): void => draw(element, trace, colors);
    paint();
    const observer = new ResizeObserver(paint);
    observer.observe(element);
    return () => observer.disconnect();
  }, [trace, colors, scheme]);
  const share = (us: number): number => (trace.durationUs > 0 ? us / trace.durationUs : 0);
  const { drag, ...handlers } = useDrag((left, right) => onZoom([left * trace.durationUs, right * trace.durationUs]));
  const isZoomed = from > 0 || until < trace.durationUs;
  return (
    <div className={classes.mini} {...handlers} onDoubleClick={() => onZoom(null)} data-tip={isZoomed ? `${formatDuration(from / 1e6)} to ${formatDuration(until / 1e6)}; double click shows all` : undefined}>
      <canvas ref={canvas} className={classes.canvas} role="img" aria-label="The whole trace" />
      <span className={classes.seen} style={{ top: `${sight[0] * 100}%`, height: `${Math.max(2, (sight[1] - sight[0]) * 100)}%` }} />
      {isZoomed && (
        <>
          <span className={classes.shade} style={{ left: 0, width: `${share(from) * 100}%` }} />
          <span className={classes.shade} style={{ left: `${share(until) * 100}%`, right: 0 }} />
        </>
      )}
      {drag && <span className={classes.drag} style={{ left: `${drag[0] * 100}%`, width: `${(drag[1] - drag[0]) * 100}%` }} />}
    </div>
  );
}

/** Neighbouring spans that fall on one line of pixels are one stroke: what is drawn does not grow with the trace. */
function draw(element: HTMLCanvasElement, trace: Trace, colors: ReadonlyMap<string, string>): void {
  const context = element.getContext("2d");
  if (!context) return;
  const ratio = window.devicePixelRatio || 1;
  const width = element.clientWidth * ratio;
  const height = HEIGHT_PX * ratio;
  element.width = width;
  element.height = height;
  const inks = new Map([...colors].map(([service, color]) => [service, cssColor(color)]));
  const failed = cssColor("var(--down-fill)");
  const thick = Math.max(ratio, Math.min(6 * ratio, height / trace.count - ratio * 0.5));
  const scale = width / (trace.durationUs || 1);
  const drawn = new Set<number>();
  for (let row = 0; row < trace.count; row += 1) {
    const y = Math.floor((row / trace.count) * height);
    const x = Math.floor((trace.starts[row] as number) * scale);
    const length = Math.max(ratio, (trace.durations[row] as number) * scale);
    const place = (y * 4_096 + x) * 8_192 + Math.round(length);
    if (drawn.has(place) && !trace.isError[row]) continue;
    drawn.add(place);
    context.fillStyle = trace.isError[row] ? failed : (inks.get(trace.services[row] as string) ?? "gray");
    context.fillRect(x, y, length, thick);
  }
}

/** Shares of the width between which somebody drags. */
function useDrag(onDrag: (left: number, right: number) => void) {
  const begun = useRef<number | null>(null);
  const [drag, setDrag] = useState<Piece | null>(null);
  const place = (event: PointerEvent<HTMLElement>): number => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - left) / width));
  };
  const end = (): void => {
    begun.current = null;
    setDrag(null);
  };
  return {
    drag,
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      begun.current = place(event);
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      if (begun.current === null) return;
      const at = place(event);
      setDrag([Math.min(at, begun.current), Math.max(at, begun.current)]);
    },
    onPointerUp: () => {
      if (drag && drag[1] - drag[0] > LEAST_DRAG) onDrag(...drag);
      end();
    },
    onPointerCancel: end,
  };
}
