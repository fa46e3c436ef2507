// Exemplars of queries as dots on a chart: single observations, each with the trace that it came from.
import { useQueries } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { exemplarsQuery } from "@/api/promQueries";
import type { ExemplarSeries } from "@/api/prom";
import { type Dots, dotsOf } from "@/lib/promSeries";
import { useTimeRange } from "./timerange";

const NONE: Dots = { dots: [], count: 0 };

/** The dots of queries that were answered, together: one that failed would only fail here a second time. None while they are not wanted. */
export function useExemplars(exprs: readonly string[], isWanted: boolean): Dots {
  const { range } = useTimeRange();
  const results = useQueries({ queries: exprs.map((expr) => ({ ...exemplarsQuery(expr, range), enabled: isWanted, retry: false })) });
  const version = useIdentity(isWanted ? results.map((one) => one.data) : []);
  return useMemo(() => {
    const found = isWanted ? results.flatMap((one) => (one.data ?? []) as ExemplarSeries[]) : [];
    return found.length > 0 ? dotsOf(found) : NONE;
  }, [version, isWanted]);
}

/** A number that changes when one of the items is another: answers keep their identity while they say the same. */
export function useIdentity(items: readonly unknown[]): number {
  const held = useRef({ items, version: 0 });
  const isSame = items.length === held.current.items.length && items.every((item, at) => item === held.current.items[at]);
  if (!isSame) held.current = { items, version: held.current.version + 1 };
  return held.current.version;
}
