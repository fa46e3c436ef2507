// Recent events of the log, kept current by the live stream. Shared by every list of "what changed".
import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { type EventFilter, recentEventsQuery } from "@/api/queries";
import type { EventPage, LogEvent } from "@/api/types";
import { useLiveEvents } from "./live";

/** The newest `limit` events that match, newest first; those after `freshAfter` arrived while the page was open. */
export function useRecentEvents(filter: EventFilter, limit: number): { query: UseQueryResult<LogEvent[]>; freshAfter: number } {
  const client = useQueryClient();
  const { kind = "", subject = "", service = "" } = filter;
  const options = useMemo(
    () => recentEventsQuery({ ...(kind ? { kind } : {}), ...(subject ? { subject } : {}), ...(service ? { service } : {}) }, limit),
    [kind, subject, service, limit],
  );
  const query = useQuery({ ...options, select: (page) => page.items });
  const [freshAfter, setFreshAfter] = useState(0);
  const newest = query.data?.[0]?.seq ?? 0;
  if (freshAfter === 0 && newest > 0) setFreshAfter(newest);
  useLiveEvents(
    useCallback(
      (event) => {
        if (!matchesFilter(event, { kind, subject, service })) return;
        client.setQueryData<EventPage>(options.queryKey, (page) => page && { ...page, items: withEvent(page.items, event).slice(0, limit) });
      },
      [client, options, kind, subject, service, limit],
    ),
  );
  return { query, freshAfter };
}

export function matchesFilter(event: LogEvent, filter: EventFilter): boolean {
  return (
    (!filter.kind || event.kind === filter.kind) &&
    (!filter.subject || event.subject === filter.subject) &&
    (!filter.service || event.service === filter.service)
  );
}

/** Adds an event at its place (newest first) unless it is already there: the stream repeats itself after a reconnect. */
export function withEvent(events: readonly LogEvent[], event: LogEvent): LogEvent[] {
  if (events.some((one) => one.seq === event.seq)) return [...events];
  const at = events.findIndex((one) => one.seq < event.seq);
  return at < 0 ? [...events, event] : [...events.slice(0, at), event, ...events.slice(at)];
}
