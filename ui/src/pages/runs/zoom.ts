// The window of time that the timeline shows: all of the run (which grows while it lasts), or a part that stands still.
import { type PointerEvent, type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { shift, type Window, zoom } from "@/lib/timeline";
import { useKeys } from "@/state/shortcuts";

const CLICK_PX = 4;

export interface Zoom {
  window: Window;
  isWhole: boolean;
  /** What is being dragged over, in percent of the track. */
  drag: { left: number; width: number } | null;
  zoomIn: () => void;
  zoomOut: () => void;
  reset: () => void;
  track: {
    onPointerDown: (event: PointerEvent<HTMLElement>) => void;
    onPointerMove: (event: PointerEvent<HTMLElement>) => void;
    onPointerUp: (event: PointerEvent<HTMLElement>) => void;
    onPointerCancel: () => void;
    onDoubleClick: () => void;
  };
}

export function useZoom(whole: Window, area: RefObject<HTMLElement | null>): Zoom {
  const [part, setPart] = useState<Window | null>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const window = part ?? whole;
  const latest = useRef({ window, whole });
  useEffect(() => {
    latest.current = { window, whole };
  });
  const scale = useCallback((factor: number, around = 0.5) => {
    const { window: shown, whole: all } = latest.current;
    const next = zoom(shown, all, factor, around);
    setPart(next.to - next.from >= all.to - all.from ? null : next);
  }, []);
  const pan = useCallback((share: number) => {
    const { window: shown, whole: all } = latest.current;
    const by = (shown.to - shown.from) * share;
    setPart((before) => before && shift({ from: shown.from + by, to: shown.to + by }, all));
  }, []);
  const zoomIn = useCallback(() => scale(0.5), [scale]);
  const zoomOut = useCallback(() => scale(2), [scale]);
  const reset = useCallback(() => setPart(null), []);
  useKeys({ "+": zoomIn, "=": zoomIn, "-": zoomOut, "0": reset, ArrowLeft: () => pan(-0.25), ArrowRight: () => pan(0.25) });
  useWheel(area, scale, pan);
  const shareAt = (event: PointerEvent<HTMLElement>): number | null => {
    const track = area.current?.querySelector("[data-track]")?.getBoundingClientRect();
    if (!track || event.clientX < track.left || event.clientX > track.right) return null;
    return (event.clientX - track.left) / track.width;
  };
  return {
    window,
    isWhole: part === null,
    drag: drag && { left: Math.min(drag.from, drag.to) * 100, width: Math.abs(drag.to - drag.from) * 100 },
    zoomIn,
    zoomOut,
    reset,
    track: {
      onPointerDown: (event) => {
        const share = event.button === 0 && event.pointerType === "mouse" ? shareAt(event) : null;
        if (share !== null) setDrag({ from: share, to: share });
      },
      onPointerMove: (event) => {
        const share = drag && shareAt(event);
        if (typeof share === "number") setDrag((before) => before && { ...before, to: share });
      },
      onPointerUp: () => {
        const width = area.current?.querySelector("[data-track]")?.getBoundingClientRect().width ?? 1;
        if (drag && Math.abs(drag.to - drag.from) * width > CLICK_PX) {
          const span = window.to - window.from;
          setPart({ from: window.from + Math.min(drag.from, drag.to) * span, to: window.from + Math.max(drag.from, drag.to) * span });
        }
        setDrag(null);
      },
      onPointerCancel: () => setDrag(null),
      onDoubleClick: reset,
    },
  };
}

/** Ctrl and wheel zoom around the pointer, Shift and wheel pan; the wheel alone scrolls, as everywhere. */
function useWheel(area: RefObject<HTMLElement | null>, scale: (factor: number, around: number) => void, pan: (share: number) => void): void {
  useEffect(() => {
    const element = area.current;
    if (!element) return undefined;
    const onWheel = (event: WheelEvent): void => {
      const track = element.querySelector("[data-track]")?.getBoundingClientRect();
      if (!track || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
      event.preventDefault();
      const delta = event.deltaY || event.deltaX;
      if (event.shiftKey) pan(Math.sign(delta) * 0.12);
      else scale(delta > 0 ? 1.25 : 0.8, Math.min(1, Math.max(0, (event.clientX - track.left) / track.width)));
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [area, scale, pan]);
}
