// What a live tail has brought to the page: lines that are shown, lines that wait while it is paused, what was missed.
import { useCallback, useEffect, useRef, useState } from "react";
import { type LogLine, mergeLines } from "@/lib/logs";
import { LogTail, type TailNews, type TailState } from "@/state/logTail";

const MOST_LINES = 5_000;

export interface Tail {
  lines: readonly LogLine[];
  state: TailState;
  /** What the server said when it ended the tail, or did not open it. */
  why: string;
  /** When the connection was lost, in ms since the epoch; null while it is there. */
  lostSince: number | null;
  isPaused: boolean;
  /** Lines that wait while it is paused. */
  waiting: number;
  /** Lines that came faster than they could be sent. */
  dropped: number;
  togglePause: () => void;
  forgetDropped: () => void;
  retryNow: () => void;
}

interface Kept {
  key: string;
  lines: readonly LogLine[];
  held: readonly LogLine[];
  dropped: number;
}

/** Follows `expr` while `isOn`; `fromNs` is the newest line that is there already, `key` changes with the question. */
export function useTail({ expr, key, isOn, fromNs }: { expr: string; key: string; isOn: boolean; fromNs: bigint }): Tail {
  const [kept, setKept] = useState<Kept>({ key, lines: [], held: [], dropped: 0 });
  const [link, setLink] = useState<{ state: TailState; why: string; lostSince: number | null }>({ state: "connecting", why: "", lostSince: null });
  const [isPaused, setPaused] = useState(false);
  const tail = useRef<LogTail | null>(null);
  const paused = useRef(false);
  const newest = useRef(fromNs);
  if (newest.current < fromNs) newest.current = fromNs;

  const take = useCallback(
    ({ lines, dropped }: TailNews) => {
      for (const line of lines) if (line.ns > newest.current) newest.current = line.ns;
      setKept((before) => {
        const mine = before.key === key ? before : { key, lines: [], held: [], dropped: 0 };
        const name = paused.current ? "held" : "lines";
        return { ...mine, [name]: mergeLines([lines, mine[name]], true).slice(0, MOST_LINES), dropped: mine.dropped + dropped };
      });
    },
    [key],
  );

  useEffect(() => {
    if (!isOn) return undefined;
    paused.current = false;
    setPaused(false);
    const opened = new LogTail(expr, {
      onState: (state, why) =>
        setLink((before) => ({ state, why: state === "lost" ? why || before.why : "", lostSince: state === "lost" ? (before.lostSince ?? Date.now()) : null })),
      onNews: take,
      newestNs: () => newest.current,
    });
    tail.current = opened;
    return () => {
      tail.current = null;
      opened.stop();
      setLink({ state: "connecting", why: "", lostSince: null });
      // What waited is not lost because somebody stopped to follow.
      setKept((before) => ({ ...before, lines: mergeLines([before.held, before.lines], true).slice(0, MOST_LINES), held: [], dropped: 0 }));
    };
  }, [expr, isOn, take]);

  const togglePause = useCallback(() => {
    paused.current = !paused.current;
    setPaused(paused.current);
    if (!paused.current) setKept((before) => ({ ...before, lines: mergeLines([before.held, before.lines], true).slice(0, MOST_LINES), held: [] }));
  }, []);
  const forgetDropped = useCallback(() => setKept((before) => ({ ...before, dropped: 0 })), []);
  const retryNow = useCallback(() => tail.current?.retryNow(), []);
  const mine = kept.key === key ? kept : null;
  return { ...link, lines: mine?.lines ?? NONE, isPaused, waiting: mine?.held.length ?? 0, dropped: mine?.dropped ?? 0, togglePause, forgetDropped, retryNow };
}

const NONE: readonly LogLine[] = [];
