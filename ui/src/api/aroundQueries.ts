// What moved around a moment. Key: ["around", question].
import { queryOptions } from "@tanstack/react-query";
import type { AroundQuestion } from "@/lib/around";
import { queryString, send, ApiError } from "./client";
import type { Around, Problem } from "./types";

/** The server stops looking after fifteen seconds and tells what it has. */
const PATIENCE_MS = 40_000;

export const aroundQuery = (asked: AroundQuestion) =>
  queryOptions({
    queryKey: ["around", asked],
    queryFn: async ({ signal }) => {
      const { service, selector, trace, at, window } = asked;
      const response = await send("GET", `/api/v1/around${queryString({ service, selector, trace_id: trace, at, window })}`, { signal, timeoutMs: PATIENCE_MS });
      const body: unknown = await response.json();
      if (!response.ok) throw new ApiError({ title: response.statusText, ...(body as Partial<Problem>), status: response.status });
      return body as Around;
    },
    enabled: Boolean(asked.service || asked.selector || asked.trace),
    staleTime: asked.at ? Number.POSITIVE_INFINITY : 30_000,
    retry: false,
  });
