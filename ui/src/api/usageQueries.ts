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

/** What of the intake is looked at; empty for all of it. */
export interface IntakeWish {
  signal: string;
  service: string;
  team: string;
  reason: string;
}

export const EVERYTHING: IntakeWish = { signal: "", service: "", team: "", reason: "" };

export const intakeQuery = (days: number, wish: IntakeWish = EVERYTHING) =>
  queryOptions({
    queryKey: ["usage", "intake", days, wish],
    queryFn: ({ signal }) => get<Intake>("/usage/intake", { since: `${days}d`, ...wish }, signal),
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
