// What a live tail has brought to the page: lines that are shown, lines that wait while it is paused, what was missed.
import { useCallback, useEffect, useRef, useState } from "react";
import { type LogLine, mergeLines } from "@/lib/logs";
import { LogTail, type TailNews, type TailState } from "@/state/logTail";

const MOST_LINES = 5_000;
const NONE: readonly LogLine[] = [];

export interface Tail {
  lines: readonly LogLine[];
  /** What waits while it is paused or somebody reads, and how many more were let go meanwhile. */
  held: readonly LogLine[];
  heldGone: number;
  /** Whether older lines were let go, because more have come than are kept. */
  isCut: boolean;
  state: TailState;
  /** What the server said when it ended the tail, or did not open it. */
  why: string;
  /** When the connection was lost, in ms since the epoch; null while it is there. */
  lostSince: number | null;
  isPaused: boolean;
  /** Lines that came faster than they could be sent. */
  dropped: number;
  togglePause: () => void;
  /** Lets newer lines wait for as long as somebody reads. */
  hold: (isHeld: boolean) => void;
  forgetDropped: () => void;
  retryNow: () => void;
}

interface Kept {
  key: string;
  lines: readonly LogLine[];
  held: readonly LogLine[];
  heldGone: number;
  isCut: boolean;
  dropped: number;
}

const nothing = (key: string): Kept => ({ key, lines: NONE, held: NONE, heldGone: 0, isCut: false, dropped: 0 });
const NOTHING = nothing("");

/** Follows `expr` while `isOn`; `fromNs` is the newest line that is there already, `key` changes with the question. */
export function useTail({ expr, key, isOn, fromNs }: { expr: string; key: string; isOn: boolean; fromNs: bigint }): Tail {
  const [kept, setKept] = useState<Kept>(() => nothing(key));
  const [link, setLink] = useState<{ state: TailState; why: string; lostSince: number | null }>({ state: "connecting", why: "", lostSince: null });
  const [isPaused, setPaused] = useState(false);
  const tail = useRef<LogTail | null>(null);
  const waits = useRef({ isPaused: false, isHeld: false });
  const newest = useRef({ key, ns: fromNs });
  if (newest.current.key !== key || newest.current.ns < fromNs) newest.current = { key, ns: fromNs };

  const take = useCallback(
    ({ lines, dropped }: TailNews) => {
      for (const line of lines) if (line.ns > newest.current.ns) newest.current.ns = line.ns;
      setKept((before) => {
        const mine = before.key === key ? before : nothing(key);
        const told = { ...mine, dropped: mine.dropped + dropped };
        return waits.current.isPaused || waits.current.isHeld ? withHeld(told, lines) : withLines(told, lines);
      });
    },
    [key],
  );
  const change = useCallback((part: Partial<typeof waits.current>) => {
    Object.assign(waits.current, part);
    if (!waits.current.isPaused && !waits.current.isHeld) setKept(released);
  }, []);

  useEffect(() => {
    if (!isOn) return undefined;
    waits.current.isPaused = false;
    setPaused(false);
    const opened = new LogTail(expr, {
      onState: (state, why) =>
        setLink((before) => ({ state, why: state === "lost" ? why || before.why : "", lostSince: state === "lost" ? (before.lostSince ?? Date.now()) : null })),
      onNews: take,
      newestNs: () => newest.current.ns,
    });
    tail.current = opened;
    return () => {
      tail.current = null;
      opened.stop();
      setLink({ state: "connecting", why: "", lostSince: null });
      // What waited is not lost because somebody stopped to follow.
      setKept((before) => ({ ...released(before), dropped: 0 }));
    };
  }, [expr, isOn, take]);

  const togglePause = useCallback(() => {
    const isNext = !waits.current.isPaused;
    setPaused(isNext);
    change({ isPaused: isNext });
  }, [change]);
  const hold = useCallback((isHeld: boolean) => change({ isHeld }), [change]);
  const forgetDropped = useCallback(() => setKept((before) => ({ ...before, dropped: 0 })), []);
  const retryNow = useCallback(() => tail.current?.retryNow(), []);
  const { lines, held, heldGone, isCut, dropped } = kept.key === key ? kept : NOTHING;
  return { ...link, lines, held, heldGone, isCut, dropped, isPaused, togglePause, hold, forgetDropped, retryNow };
}

function withLines(kept: Kept, more: readonly LogLine[]): Kept {
  const all = mergeLines([more, kept.lines], true);
  return { ...kept, lines: all.slice(0, MOST_LINES), isCut: kept.isCut || all.length > MOST_LINES };
}

function withHeld(kept: Kept, more: readonly LogLine[]): Kept {
  const all = mergeLines([more, kept.held], true);
  return { ...kept, held: all.slice(0, MOST_LINES), heldGone: kept.heldGone + Math.max(0, all.length - MOST_LINES) };
}

/** What waited stands with the others. */
function released(kept: Kept): Kept {
  if (kept.held.length === 0) return kept;
  return { ...withLines(kept, kept.held), held: NONE, heldGone: 0 };
}
