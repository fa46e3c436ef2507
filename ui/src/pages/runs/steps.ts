// The steps that the timeline and the graph show: the outermost ones, and those inside of what is open.
import { useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { stepsQuery } from "@/api/runQueries";
import type { StepList, StepState } from "@/api/types";
import type { Inside } from "@/lib/timeline";

/** Outermost steps are fetched as far as this; a workflow with more of them is better told by a fan-out. */
const OUTER_PAGES = 4;

export type ItemFilter = StepState | "";

export function useSteps(id: string) {
  const query = useQuery(stepsQuery(id, null, OUTER_PAGES));
  const steps = useMemo(() => query.data?.flatMap((page) => page.items), [query.data]);
  return { ...query, data: steps, hasMore: Boolean(query.data?.at(-1)?.next) };
}

export interface Opened {
  inside: ReadonlyMap<string, Inside>;
  toggle: (key: string) => void;
  loadMore: (key: string) => void;
}

/** What is inside of the open steps, fetched page by page as it comes into sight. */
export function useOpened(id: string, filter: ItemFilter): Opened {
  const [pages, setPages] = useState<ReadonlyMap<string, number>>(new Map());
  const client = useQueryClient();
  const opened = [...pages];
  const results = useQueries({ queries: opened.map(([key, count]) => stepsQuery(id, key, count, filter)) });
  const inside = new Map<string, Inside>();
  opened.forEach(([key, count], index) => {
    // While a further page loads, what is there stays: a list that collapsed would lose its place.
    const loaded = (results[index]?.data as StepList[] | undefined) ?? client.getQueryData<StepList[]>(stepsQuery(id, key, count - 1, filter).queryKey);
    inside.set(key, { steps: loaded?.flatMap((page) => page.items) ?? [], hasMore: loaded === undefined || Boolean(loaded.at(-1)?.next) });
  });
  useEffect(() => setPages((before) => new Map([...before].map(([key]) => [key, 1]))), [filter]);
  const isBusy = results.some((result) => result.isFetching);
  const toggle = useCallback((key: string) => setPages((before) => {
    const next = new Map(before);
    if (!next.delete(key)) next.set(key, 1);
    return next;
  }), []);
  const loadMore = useCallback((key: string) => {
    if (!isBusy) setPages((before) => (before.has(key) && client.getQueryData(stepsQuery(id, key, before.get(key) ?? 1, filter).queryKey) ? new Map(before).set(key, (before.get(key) ?? 1) + 1) : before));
  }, [isBusy, client, id, filter]);
  return { inside, toggle, loadMore };
}
