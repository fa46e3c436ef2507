// What is kept, read, refused and scrubbed, and what the store is made of. Keys: ["usage",...].
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, post } from "./client";
import type { Intake, ScrubReport, ScrubTrial, StorageReport, UsageReport } from "./types";

const DAY_MS = 86_400_000;

export const usageQuery = (days: number) =>
  queryOptions({
    queryKey: ["usage", "report", days],
    queryFn: ({ signal }) => {
      const end = new Date();
      const start = new Date(end.getTime() - (days - 1) * DAY_MS);
      return get<UsageReport>("/usage", { start: start.toISOString().slice(0, 10), end: end.toISOString().slice(0, 10) }, signal);
    },
    refetchInterval: 60_000,
    placeholderData: keepPreviousData,
  });

export const intakeQuery = (days: number) =>
  queryOptions({
    queryKey: ["usage", "intake", days],
    queryFn: ({ signal }) => get<Intake>("/usage/intake", { since: `${days}d` }, signal),
    refetchInterval: 30_000,
    placeholderData: keepPreviousData,
  });

export const storageQuery = queryOptions({
  queryKey: ["usage", "storage"],
  queryFn: ({ signal }) => get<StorageReport>("/storage", undefined, signal),
  refetchInterval: 15_000,
});

export const scrubQuery = queryOptions({
  queryKey: ["usage", "scrubbing"],
  queryFn: ({ signal }) => get<ScrubReport>("/scrub", undefined, signal),
  refetchInterval: 30_000,
});

export const tryScrubbing = (lines: string[]) => post<ScrubTrial>("/scrub/try", { lines });
