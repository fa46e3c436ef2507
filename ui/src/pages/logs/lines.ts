// The lines of a query: a page at a time backwards (or forwards), and with `isLive` what comes.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { fetchLines, type LinesPage, type LinesWish, PAGE_LINES } from "@/api/logQueries";
import type { FieldFilter } from "@/lib/logql";
import { type LogLine, mergeLines } from "@/lib/logs";
import { rangeKey, resolveRange, type TimeRange } from "@/lib/timerange";
import { type Tail, useTail } from "./tail";

/** With how many of the lines that wait are not there yet. */
export type FollowedTail = Tail & { waiting: number };

export interface LinesState {
  lines: readonly LogLine[];
  first: LinesPage | undefined;
  error: Error | null;
  tail: FollowedTail;
  isLoading: boolean;
  isFetching: boolean;
  hasMore: boolean;
  /** So many lines came while they were followed that older ones were let go: what the pages hold is no longer next to them. */
  isCut: boolean;
  isFetchingMore: boolean;
  moreError: Error | null;
  loadMore: () => void;
  retry: () => void;
}

/** What can be done with a line. */
export interface LineActions {
  onFilter: (filter: FieldFilter) => void;
  onColumn: (name: string) => void;
  onContext: (line: LogLine) => void;
}

interface LinesQuestion {
  expr: string;
  range: TimeRange;
  isNewestFirst: boolean;
  isLive: boolean;
  isAsked: boolean;
}

export function useLines({ expr, range, isNewestFirst, isLive, isAsked }: LinesQuestion): LinesState {
  const key = [expr, rangeKey(range), isNewestFirst] as const;
  const pages = useInfiniteQuery({
    queryKey: ["logs", "lines", ...key],
    enabled: isAsked,
    initialPageParam: null as LinesWish | null,
    queryFn: ({ pageParam, signal }) => fetchLines(pageParam ?? firstWish(expr, range, isNewestFirst), signal),
    getNextPageParam: nextWish,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const first = pages.data?.pages[0];
  const tail = useTail({ expr, key: key.join("\n"), isOn: isAsked && isLive && first !== undefined, fromNs: first?.lines[0]?.ns ?? first?.wish.endNs ?? 0n });
  const oldest = tail.lines.at(-1);
  const isCut = tail.isCut && first !== undefined && oldest !== undefined && first.wish.endNs <= oldest.ns;
  const lines = useMemo(() => mergeLines([tail.lines, ...(isCut ? [] : (pages.data?.pages ?? [])).map((page) => page.lines)], isNewestFirst), [tail.lines, pages.data, isNewestFirst, isCut]);
  const waiting = useMemo(() => countUnknown(tail.held, lines) + tail.heldGone, [tail.held, tail.heldGone, lines]);
  const isMoreFailed = pages.isFetchNextPageError;
  return {
    lines,
    first,
    error: first ? null : pages.error,
    tail: { ...tail, waiting },
    isLoading: pages.isLoading,
    isFetching: pages.isFetching,
    hasMore: pages.hasNextPage && !isCut,
    isCut,
    isFetchingMore: pages.isFetchingNextPage,
    moreError: isMoreFailed ? pages.error : null,
    loadMore: () => void (pages.hasNextPage && !pages.isFetching && pages.fetchNextPage()),
    retry: () => void pages.refetch(),
  };
}

/** After an outage lines come once more. */
function countUnknown(some: readonly LogLine[], lines: readonly LogLine[]): number {
  if (some.length === 0) return 0;
  const known = new Set(lines.map((line) => line.key));
  return some.filter((line) => !known.has(line.key)).length;
}

function firstWish(expr: string, range: TimeRange, isNewestFirst: boolean): LinesWish {
  const { start, end } = resolveRange(range, new Date());
  return { expr, startNs: nsOf(start), endNs: nsOf(end), isNewestFirst };
}

/** What follows a page; its last moment is asked for again, for more lines of it may be there. */
export function nextWish({ lines, wish }: LinesPage): LinesWish | undefined {
  const [head, last] = [lines[0], lines.at(-1)];
  if (!head || !last || lines.length < (wish.limit ?? PAGE_LINES)) return undefined;
  const isOneMoment = head.ns === last.ns;
  if (wish.isNewestFirst) return { ...wish, endNs: isOneMoment ? last.ns : last.ns + 1n };
  return { ...wish, startNs: isOneMoment ? last.ns + 1n : last.ns };
}

export function nsOf(date: Date): bigint {
  return BigInt(date.getTime()) * 1_000_000n;
}
