// Long lists of rows of one height: only those in sight are rendered.
import { type RefObject, useEffect, useState } from "react";

const AHEAD = 8;

export interface Sight {
  from: number;
  to: number;
}

/** Which rows of `count` are in sight of the scrolling element, with some before and behind. */
export function useSight(area: RefObject<HTMLElement | null>, count: number, rowPx: number, headPx = 0): Sight {
  const [sight, setSight] = useState<Sight>({ from: 0, to: 60 });
  useEffect(() => {
    const element = area.current;
    if (!element) return undefined;
    let frame = 0;
    const measure = (): void => {
      frame = 0;
      const height = element.clientHeight || 600;
      const from = Math.max(0, Math.floor((element.scrollTop - headPx) / rowPx) - AHEAD);
      const to = Math.ceil((element.scrollTop + height) / rowPx) + AHEAD;
      setSight((before) => (before.from === from && before.to === to ? before : { from, to }));
    };
    const later = (): void => {
      frame ||= requestAnimationFrame(measure);
    };
    measure();
    const observer = new ResizeObserver(later);
    observer.observe(element);
    element.addEventListener("scroll", later, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      element.removeEventListener("scroll", later);
    };
  }, [area, rowPx, headPx]);
  return { from: Math.min(sight.from, Math.max(0, count - 1)), to: Math.min(sight.to, count) };
}
