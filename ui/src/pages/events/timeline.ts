// The data behind the timeline: pages of the log within the time range, live events on top, and the pause.
import { useInfiniteQuery } from "@tanstack/react-query";
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { get } from "@/api/client";
import { EVENTS_PAGE } from "@/api/queries";
import type { EventPage, LogEvent } from "@/api/types";
import { rangeKey, resolveRange } from "@/lib/timerange";
import { matchesFilter, withEvent } from "@/state/events";
import { useLiveEvents } from "@/state/live";
import { useTimeRange } from "@/state/timerange";

interface TimelineFilter {
  areas: readonly string[];
  service: string;
}

export interface Timeline {
  query: { data: LogEvent[] | undefined; isError: boolean; error: Error | null; isFetching: boolean; refetch: () => unknown };
  area: RefObject<HTMLDivElement | null>;
  freshAfter: number;
  waiting: number;
  isPaused: boolean;
  hasOlder: boolean;
  isLoadingOlder: boolean;
  togglePause: () => void;
  showWaiting: () => void;
  loadOlder: () => void;
}

/** How many events may wait while somebody reads; older ones are fetched again when they are wanted. */
const WAITING_KEPT = 1_000;

export function useTimeline({ areas, service }: TimelineFilter): Timeline {
  const { range } = useTimeRange();
  const area = useRef<HTMLDivElement>(null);
  const kinds = useMemo(() => areas.map((one) => `${one}.`), [areas]);
  const query = useInfiniteQuery({
    queryKey: ["events", "timeline", kinds, service, rangeKey(range)],
    queryFn: ({ pageParam, signal }) => {
      const { start, end } = resolveRange(range, new Date());
      const window = { start: start.toISOString(), ...(range.kind === "fixed" ? { end: end.toISOString() } : {}) };
      return get<EventPage>("/events", { kind: kinds, service, before: pageParam, limit: EVENTS_PAGE, ...window }, signal);
    },
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next,
    refetchOnWindowFocus: false,
  });
  const [live, setLive] = useState<LogEvent[]>([]);
  const [heldAt, setHeldAt] = useState<number | null>(null);
  const loaded = useMemo(() => query.data?.pages.flatMap((page) => page.items), [query.data]);
  const newestLoaded = loaded?.[0]?.seq ?? 0;
  const all = useMemo(() => loaded && live.reduce(withEvent, loaded), [loaded, live]);
  const newest = all?.[0]?.seq ?? 0;
  const isFollowing = range.kind === "preset";
  useEffect(() => setLive([]), [kinds, service, range]);
  useLiveEvents(
    useCallback(
      (event) => {
        if (!isFollowing || !matchesFilter(event, { service }) || (kinds.length > 0 && !kinds.some((kind) => event.kind.startsWith(kind)))) return;
        setLive((current) => withEvent(current, event).slice(0, WAITING_KEPT));
        // Whoever has scrolled down is reading: nothing may move under their eyes.
        if (window.scrollY > 80) setHeldAt((current) => current ?? event.seq - 1);
      },
      [isFollowing, kinds, service],
    ),
  );
  const shown = heldAt === null ? all : all?.filter((event) => event.seq <= heldAt);
  return {
    query: { data: shown, isError: query.isError, error: query.error, isFetching: query.isFetching, refetch: query.refetch },
    area,
    freshAfter: newestLoaded,
    waiting: (all?.length ?? 0) - (shown?.length ?? 0),
    isPaused: heldAt !== null,
    hasOlder: query.hasNextPage,
    isLoadingOlder: query.isFetchingNextPage,
    togglePause: () => setHeldAt(heldAt === null ? newest : null),
    showWaiting: () => {
      setHeldAt(null);
      window.scrollTo({ top: 0 });
    },
    loadOlder: () => void query.fetchNextPage(),
  };
}
