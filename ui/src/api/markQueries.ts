// Which events stand as marks on the charts of a time. Key: ["events","marks",...].
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { deployedAt } from "@/lib/deploys";
import { rangeKey, resolveRange, type TimeRange } from "@/lib/timerange";
import { get } from "./client";
import type { EventPage, LogEvent } from "./types";

const FOLLOW_MS = 15_000;
const MOST_MARKS = 200;

const isBetween = (atMs: number, start: Date, end: Date): boolean => atMs >= start.getTime() && atMs < end.getTime();

/** What may explain a bend: configuration, health of services, deploys; the newest of each. Deploys are asked for by themselves, so that services that flap leave them in. */
export const marksQuery = (range: TimeRange) =>
  queryOptions({
    queryKey: ["events", "marks", rangeKey(range)],
    queryFn: async ({ signal }): Promise<LogEvent[]> => {
      const { start, end } = resolveRange(range, new Date());
      const within = { start: start.toISOString(), end: end.toISOString() };
      const read = async (kind: string[], time: { start: string; end?: string }): Promise<LogEvent[]> => (await get<EventPage>("/events", { kind, ...time, limit: MOST_MARKS }, signal)).items;
      const [others, deploys, later] = await Promise.all([
        read(["ops.", "service."], within),
        read(["deploy."], within),
        // What is recorded afterwards may have been within this time.
        range.kind === "preset" ? [] : read(["deploy.recorded"], { start: within.end }),
      ]);
      return [...others, ...deploys, ...later.filter((event) => isBetween(Date.parse(deployedAt(event)), start, end))];
    },
    refetchInterval: range.kind === "preset" ? FOLLOW_MS : false,
    placeholderData: keepPreviousData,
  });
