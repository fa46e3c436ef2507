// The global time range as pages use it: read from the URL, written to the URL, carried along by every link.
import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";
import { parseRange, rangeSearch, type TimeRange, writeRange } from "@/lib/timerange";

export function useTimeRange(): { range: TimeRange; setRange: (range: TimeRange) => void } {
  const [params, setParams] = useSearchParams();
  const range = useMemo(() => parseRange(params), [params]);
  const setRange = useCallback((next: TimeRange) => setParams((current) => writeRange(current, next)), [setParams]);
  return { range, setRange };
}

/** Adds the current time range to a path, so that a link keeps what a person is looking at. */
export function useCarry(): (path: string) => string {
  const [params] = useSearchParams();
  const search = rangeSearch(params);
  return useCallback((path) => join(path, search), [search]);
}

function join(path: string, search: string): string {
  if (!search) return path;
  return path.includes("?") ? `${path}&${search.slice(1)}` : path + search;
}

/** One text filter in the URL; an empty value leaves the URL clean. Typing replaces, so that Back leaves the page. */
export function useUrlFilter(name: string): [string, (value: string) => void] {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (value: string) =>
      setParams(
        (current) => {
          const next = new URLSearchParams(current);
          if (value) next.set(name, value);
          else next.delete(name);
          return next;
        },
        { replace: true },
      ),
    [name, setParams],
  );
  return [params.get(name) ?? "", set];
}
