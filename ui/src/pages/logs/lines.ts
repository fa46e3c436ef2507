// The lines of a query: a page at a time backwards (or forwards), and with `isLive` what came since.
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { fetchLines, type LinesPage, type LinesWish, PAGE_LINES } from "@/api/logQueries";
import { type LogLine, mergeLines } from "@/lib/logs";
import { rangeKey, resolveRange, type TimeRange } from "@/lib/timerange";

const LIVE_MS = 2_000;
/** Lines may come in this much out of order and are still seen. */
const LATE_NS = 10_000_000_000n;
const MOST_NEWER = 5_000;

export interface LinesState {
  lines: readonly LogLine[];
  first: LinesPage | undefined;
  error: Error | null;
  liveError: Error | null;
  isLoading: boolean;
  isFetching: boolean;
  hasMore: boolean;
  isFetchingMore: boolean;
  moreError: Error | null;
  loadMore: () => void;
  retry: () => void;
}

interface LinesQuestion {
  expr: string;
  range: TimeRange;
  isNewestFirst: boolean;
  isLive: boolean;
  isAsked: boolean;
}

export function useLines({ expr, range, isNewestFirst, isLive, isAsked }: LinesQuestion): LinesState {
  const client = useQueryClient();
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
  const newerKey = ["logs", "newer", ...key];
  const newer = useQuery({
    queryKey: newerKey,
    enabled: isAsked && isLive && first !== undefined,
    queryFn: async ({ signal }) => {
      const before = client.getQueryData<LogLine[]>(newerKey) ?? [];
      const newest = before[0]?.ns ?? first?.lines[0]?.ns ?? first?.wish.endNs ?? nowNs();
      const { lines } = await fetchLines({ expr, startNs: newest - LATE_NS, endNs: nowNs() + LATE_NS, isNewestFirst: true, limit: PAGE_LINES * 2 }, signal);
      return mergeLines([before, lines], true).slice(0, MOST_NEWER);
    },
    refetchInterval: LIVE_MS,
    structuralSharing: false,
  });
  const lines = useMemo(() => mergeLines([newer.data ?? [], ...(pages.data?.pages ?? []).map((page) => page.lines)], isNewestFirst), [newer.data, pages.data, isNewestFirst]);
  const isMoreFailed = pages.isFetchNextPageError;
  return {
    lines,
    first,
    error: first ? null : pages.error,
    liveError: isLive ? newer.error : null,
    isLoading: pages.isLoading,
    isFetching: pages.isFetching,
    hasMore: pages.hasNextPage,
    isFetchingMore: pages.isFetchingNextPage,
    moreError: isMoreFailed ? pages.error : null,
    loadMore: () => void (pages.hasNextPage && !pages.isFetching && pages.fetchNextPage()),
    retry: () => void pages.refetch(),
  };
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

function nowNs(): bigint {
  return nsOf(new Date());
}
