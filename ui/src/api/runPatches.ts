// Carries what the stream of one run says into the caches: the run, its outer steps, its log lines.
import type { QueryClient } from "@tanstack/react-query";
import type { RunDetail, RunLogLine, RunStep, StepList } from "./types";
import { runQuery } from "./runQueries";

export function putRun(client: QueryClient, run: RunDetail): void {
  client.setQueryData(runQuery(run.id).queryKey, run);
}

/** Puts an outer step in its place, or behind all others; keeps what is already the same. */
export function putStep(client: QueryClient, id: string, step: RunStep): void {
  client.setQueryData(["runs", "one", id, "step", step.key], (known: RunStep | undefined) => known && { ...step, output: known.output?.is_cut === false ? known.output : step.output });
  client.setQueriesData<StepList[]>({ queryKey: ["runs", "one", id, "steps", step.parent ?? "", ""] }, (pages) => pages && withStep(pages, step));
}

export function withStep(pages: readonly StepList[], step: RunStep): StepList[] {
  if (pages.some((page) => page.items.some((one) => one.key === step.key))) {
    return pages.map((page) => ({ ...page, items: page.items.map((one) => (one.key === step.key ? step : one)) }));
  }
  const last = pages.length - 1;
  // What belongs to a page that is not loaded comes with that page.
  return pages.map((page, index) => (index === last && page.next === null ? { ...page, items: [...page.items, step] } : page));
}

/** Lines behind the last known one; the stream begins from the first line anew when it is opened again. */
export function putLines(client: QueryClient, id: string, lines: readonly RunLogLine[]): void {
  for (const [key, data] of client.getQueriesData<RunLogLine[]>({ queryKey: ["runs", "one", id, "log"] })) {
    if (!data) continue;
    const step = key[4];
    const last = data.at(-1)?.seq ?? 0;
    const fresh = lines.filter((line) => line.seq > last && (step === "" || line.step === step));
    if (fresh.length > 0) client.setQueryData<RunLogLine[]>(key, [...data, ...fresh]);
  }
}
