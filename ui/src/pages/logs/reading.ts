// Whether somebody reads the lines: then newer ones wait. Whoever points at a line, stands on one, has opened one or has
// scrolled away from the newest reads; the button that tells of newer lines ends it.
import { type FocusEvent, type RefObject, type UIEvent, useEffect, useRef, useState } from "react";
import type { LogLine } from "@/lib/logs";
import type { FollowedTail } from "./lines";

/** Nearer to the top than this is at the top. */
const TOP_PX = 4;

interface Reading {
  isReading: boolean;
  /** On what surrounds the lines and the button. */
  pane: { onPointerEnter: () => void; onPointerLeave: () => void };
  /** On what scrolls. */
  area: { onFocus: (event: FocusEvent) => void; onBlur: (event: FocusEvent) => void; onScroll: (event: UIEvent<HTMLElement>) => void };
  stop: () => void;
}

export function useReading(area: RefObject<HTMLElement | null>, { isLive, tail, openCount }: { isLive: boolean; tail: FollowedTail; openCount: number }): Reading {
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const [isAway, setAway] = useState(false);
  const [lookedAt, setLookedAt] = useState(0);
  // What was open when somebody asked for newer lines no longer holds them back.
  if (openCount < lookedAt) setLookedAt(openCount);
  const isReading = isLive && (isPointed || isFocused || isAway || openCount > lookedAt);
  const { hold } = tail;
  useEffect(() => {
    hold(isReading);
    return () => hold(false);
  }, [hold, isReading]);
  return {
    isReading,
    pane: { onPointerEnter: () => setPointed(true), onPointerLeave: () => setPointed(false) },
    area: {
      onFocus: ({ target, currentTarget }) => setFocused(target !== currentTarget),
      onBlur: ({ relatedTarget, currentTarget }) => !currentTarget.contains(relatedTarget) && setFocused(false),
      onScroll: ({ currentTarget }) => setAway(currentTarget.scrollTop > TOP_PX),
    },
    stop: () => {
      area.current?.scrollTo({ top: 0 });
      area.current?.focus({ preventScroll: true });
      setPointed(false);
      setFocused(false);
      setAway(false);
      setLookedAt(openCount);
    },
  };
}

/** Keeps back what is newer than the newest line at the moment in which somebody began to read, wherever it came from. */
export function useHeld({ lines, tail }: { lines: readonly LogLine[]; tail: FollowedTail }, isHeld: boolean): { shown: readonly LogLine[]; waiting: number } {
  const top = useRef<string | null>(null);
  if (!isHeld) top.current = null;
  else top.current ??= lines[0]?.key ?? null;
  const above = top.current === null ? 0 : Math.max(0, lines.findIndex((line) => line.key === top.current));
  return { shown: above > 0 ? lines.slice(above) : lines, waiting: above + tail.waiting };
}
