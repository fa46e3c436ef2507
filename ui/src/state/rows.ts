// Long lists of rows of different heights: only those in sight are rendered, and what is read stays where it is while
// rows come in above it or turn out higher than was thought.
import { type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";

const AHEAD_PX = 300;

export interface Rows {
  from: number;
  to: number;
  total: number;
  topOf: (index: number) => number;
  /** Put on each row together with `data-key`. */
  measure: (element: HTMLElement | null) => (() => void) | undefined;
}

/** `shape` changes where all heights do, as by wrapping. */
export function useRows(area: RefObject<HTMLElement | null>, keys: readonly string[], { guessPx, shape }: { guessPx: number; shape: string }): Rows {
  const heights = useRef(new Map<string, number>());
  const [version, setVersion] = useState(0);
  const [sight, setSight] = useState({ top: 0, height: 800 });
  const anchor = useRef<{ key: string; delta: number } | null>(null);
  const known = useRef(shape);
  if (known.current !== shape) {
    known.current = shape;
    heights.current = new Map();
  }

  const tops = useMemo(() => {
    const sums = new Float64Array(keys.length + 1);
    keys.forEach((key, index) => {
      sums[index + 1] = (sums[index] ?? 0) + (heights.current.get(key) ?? guessPx);
    });
    return sums;
    // The heights are in a ref; the version tells that they changed.
  }, [keys, guessPx, version, shape]);
  const latest = useRef({ tops, keys });
  latest.current = { tops, keys };

  const observer = useRef<ResizeObserver | null>(null);
  const watch = useCallback((): ResizeObserver => {
    observer.current ??= new ResizeObserver((entries) => {
      let isChanged = false;
      for (const { target } of entries) {
        const key = (target as HTMLElement).dataset["key"] ?? "";
        const height = (target as HTMLElement).offsetHeight;
        if (height === 0 || heights.current.get(key) === height) continue;
        heights.current.set(key, height);
        isChanged = true;
      }
      if (isChanged) setVersion((before) => before + 1);
    });
    return observer.current;
  }, []);
  useEffect(
    () => () => {
      observer.current?.disconnect();
      observer.current = null;
    },
    [],
  );
  const measure = useCallback(
    (element: HTMLElement | null) => {
      if (!element) return undefined;
      const observing = watch();
      observing.observe(element);
      return () => observing.unobserve(element);
    },
    [watch],
  );

  useEffect(() => {
    const element = area.current;
    if (!element) return undefined;
    let frame = 0;
    const look = (): void => {
      frame = 0;
      const top = element.scrollTop;
      const { tops: sums, keys: names } = latest.current;
      const first = indexAt(sums, top);
      const key = names[first];
      // At the very top the newest stays in sight.
      anchor.current = top > 0 && key !== undefined ? { key, delta: top - (sums[first] ?? 0) } : null;
      setSight((before) => (before.top === top && before.height === element.clientHeight ? before : { top, height: element.clientHeight || 800 }));
    };
    const later = (): void => {
      frame ||= requestAnimationFrame(look);
    };
    look();
    const sizes = new ResizeObserver(later);
    sizes.observe(element);
    element.addEventListener("scroll", later, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      sizes.disconnect();
      element.removeEventListener("scroll", later);
    };
  }, [area]);

  useLayoutEffect(() => {
    const held = anchor.current;
    const element = area.current;
    // Who has come to the top has left the row at which he was, also where that is not told yet.
    if (!held || !element || element.scrollTop === 0) return;
    const index = keys.indexOf(held.key);
    if (index < 0) return;
    const wanted = (tops[index] ?? 0) + held.delta;
    if (Math.abs(element.scrollTop - wanted) > 0.5) element.scrollTop = wanted;
  }, [area, keys, tops]);

  const from = Math.max(0, indexAt(tops, sight.top - AHEAD_PX));
  const to = Math.min(keys.length, indexAt(tops, sight.top + sight.height + AHEAD_PX) + 1);
  const topOf = useCallback((index: number) => tops[index] ?? 0, [tops]);
  return { from, to, total: tops[keys.length] ?? 0, topOf, measure };
}

/** The row at a height; of n rows the last where it is below all. */
export function indexAt(tops: Float64Array, px: number): number {
  let [low, high] = [0, Math.max(0, tops.length - 2)];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((tops[middle] ?? 0) <= px) low = middle;
    else high = middle - 1;
  }
  return low;
}
