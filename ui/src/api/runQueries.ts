// What the pages of runs ask the server. Keys: ["runs","list",...], ["runs","one",id,...], ["workflows"], ["queues"], ["schedules"].
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { isOver } from "@/lib/runs";
import { get } from "./client";
import type { RunDetail, RunList, RunLogLine, RunLogPage, RunQueue, RunSchedule, RunState, RunStep, StepList, StepState, WorkflowList } from "./types";
import type { Page } from "./types";

export interface RunFilter {
  states: readonly RunState[];
  workflow: string;
  queue: string;
  service: string;
  actor: string;
  text: string;
  /** How far back, as `24h`; empty for all that is kept. */
  within: string;
}

export const RUNS_PAGE = 100;
const STEPS_PAGE = 500;
/** Most runs come and go without an event, so the list looks by itself; the more it shows, the less often. */
const LIST_EVERY_MS = 4_000;
const SLOW_EVERY_MS = 15_000;
const LOG_KEPT = 20_000;

export const WITHIN: Record<string, { seconds: number; label: string }> = {
  "15m": { seconds: 900, label: "Last 15 minutes" },
  "1h": { seconds: 3_600, label: "Last hour" },
  "24h": { seconds: 86_400, label: "Last 24 hours" },
  "7d": { seconds: 604_800, label: "Last 7 days" },
  "30d": { seconds: 2_592_000, label: "Last 30 days" },
};

export const runsQuery = (filter: RunFilter) =>
  infiniteQueryOptions({
    queryKey: ["runs", "list", filter],
    queryFn: ({ pageParam, signal }) => get<RunList>("/runs", { ...listParams(filter), cursor: pageParam, limit: RUNS_PAGE }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? SLOW_EVERY_MS : LIST_EVERY_MS),
    placeholderData: keepPreviousData,
  });

function listParams({ states, workflow, queue, service, actor, text, within }: RunFilter) {
  const seconds = WITHIN[within]?.seconds;
  return { state: states, workflow, queue, service, actor, q: text, since: seconds ? new Date(Date.now() - seconds * 1000).toISOString() : null };
}

/** Runs that nobody will finish unless a person does: what the navigation counts. */
export const needyRunsQuery = queryOptions({
  queryKey: ["runs", "needy"],
  queryFn: ({ signal }) => get<RunList>("/runs", { state: ["stranded"], limit: 100 }, signal),
  refetchInterval: SLOW_EVERY_MS,
});

export const childRunsQuery = (id: string, isLive: boolean) =>
  queryOptions({
    queryKey: ["runs", "one", id, "children"],
    queryFn: ({ signal }) => get<RunList>("/runs", { parent: id, limit: 100 }, signal),
    refetchInterval: isLive ? LIST_EVERY_MS : false,
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ["runs", "one", id, "detail"],
    queryFn: ({ signal }) => get<RunDetail>(runAddress(id), undefined, signal),
    // The run's own stream tells of changes at once; this is the net below it.
    refetchInterval: (query) => (query.state.data && isOver(query.state.data.state) ? false : SLOW_EVERY_MS),
  });

/** The steps inside one (or the outermost), in the order in which they began; `pages` of them. */
export const stepsQuery = (id: string, parent: string | null, pages: number, state: StepState | "" = "") =>
  queryOptions({
    queryKey: ["runs", "one", id, "steps", parent ?? "", state, pages],
    queryFn: async ({ signal, client }): Promise<StepList[]> => {
      const key = (count: number) => ["runs", "one", id, "steps", parent ?? "", state, count];
      const before = client.getQueryData<StepList[]>(key(pages)) ?? client.getQueryData<StepList[]>(key(pages - 1)) ?? [];
      const loaded: StepList[] = [];
      for (let index = 0; index < pages; index += 1) {
        const cursor = loaded.at(-1)?.next ?? null;
        if (index > 0 && !cursor) break;
        const known = before[index];
        loaded.push(known && isSettled(known) ? known : await get<StepList>(`${runAddress(id)}/steps`, { parent, state, cursor, limit: STEPS_PAGE }, signal));
      }
      return loaded;
    },
    placeholderData: (previous, query) => (query?.queryKey[2] === id && query.queryKey[4] === (parent ?? "") && query.queryKey[5] === state ? previous : undefined),
  });

/** A full page of steps that are over will not change; ten thousand items are fetched once. */
function isSettled(page: StepList): boolean {
  return page.next !== null && page.items.every((step) => step.finished_at !== null);
}

export const stepQuery = (id: string, key: string) =>
  queryOptions({
    queryKey: ["runs", "one", id, "step", key],
    queryFn: ({ signal }) => get<RunStep>(`${runAddress(id)}/steps/${key.split("/").map(encodeURIComponent).join("/")}`, undefined, signal),
    enabled: key !== "",
  });

/** All lines so far; a refetch asks only for those behind the last one. */
export const logQuery = (id: string, step: string | null) =>
  queryOptions({
    queryKey: ["runs", "one", id, "log", step ?? ""],
    queryFn: async ({ signal, client }): Promise<RunLogLine[]> => {
      const lines = [...(client.getQueryData<RunLogLine[]>(["runs", "one", id, "log", step ?? ""]) ?? [])];
      let page: RunLogPage;
      do {
        page = await get<RunLogPage>(`${runAddress(id)}/log`, { after: lines.at(-1)?.seq ?? 0, step }, signal);
        lines.push(...page.items);
      } while (page.next !== null && lines.length < LOG_KEPT);
      return lines.slice(-LOG_KEPT);
    },
  });

export const workflowsQuery = queryOptions({
  queryKey: ["workflows"],
  queryFn: ({ signal }) => get<WorkflowList>("/workflows", undefined, signal),
  staleTime: 30_000,
});

export const queuesQuery = queryOptions({
  queryKey: ["queues"],
  queryFn: ({ signal }) => get<Page<RunQueue>>("/queues", undefined, signal),
  refetchInterval: LIST_EVERY_MS,
});

export const schedulesQuery = queryOptions({
  queryKey: ["schedules"],
  queryFn: ({ signal }) => get<Page<RunSchedule>>("/schedules", undefined, signal),
  refetchInterval: SLOW_EVERY_MS,
});

export function runAddress(id: string): string {
  return `/runs/${encodeURIComponent(id)}`;
}

