// Follows one run while its page is open: its stream carries the run, its steps and its log lines as they change.
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { putLines, putRun, putStep } from "@/api/runPatches";
import type { RunDetail, RunLogLine, RunStep } from "@/api/types";
import { createParser, retryDelayMs, type ServerSentEvent } from "@/lib/sse";

/** Frames that come together are applied together: one render for a burst. */
const BURST_MS = 50;
/** What the stream does not carry (items of fan-outs, children) is fetched at this pace while it changes. */
const INSIDE_MS = 1_500;
const SILENCE_MS = 45_000;

export function useRunStream(id: string, isLive: boolean): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!isLive) return undefined;
    const abort = new AbortController();
    const apply = createApplier(client, id);
    void follow(`/api/v1/runs/${encodeURIComponent(id)}/stream`, abort.signal, apply.take);
    return () => {
      abort.abort();
      apply.stop();
    };
  }, [client, id, isLive]);
}

/** Tells whether the stream does not carry this: items of fan-outs, children. */
const isInside = (key: readonly unknown[]): boolean => key[3] === "children" || (key[3] === "steps" && key[4] !== "");

/** Gathers frames, then writes all of them into the caches at once. */
function createApplier(client: QueryClient, id: string): { take: (event: ServerSentEvent) => void; stop: () => void } {
  let waiting: ServerSentEvent[] = [];
  let burst: ReturnType<typeof setTimeout> | undefined;
  let inside: ReturnType<typeof setTimeout> | undefined;
  const refetchInside = (): void => {
    inside ??= setTimeout(() => {
      inside = undefined;
      void client.invalidateQueries({ queryKey: ["runs", "one", id], predicate: ({ queryKey }) => isInside(queryKey) });
    }, INSIDE_MS);
  };
  const flush = (): void => {
    burst = undefined;
    const events = waiting;
    waiting = [];
    const parsed = events.map(({ event, data }) => [event, JSON.parse(data) as unknown] as const);
    // A refetch that is under way was asked before these frames: its answer must not overwrite them. Pages being loaded go on.
    void client.cancelQueries({ queryKey: ["runs", "one", id], predicate: ({ queryKey, state }) => queryKey[3] !== "steps" && !isInside(queryKey) && state.data !== undefined });
    putLines(client, id, parsed.flatMap(([kind, data]) => (kind === "log" ? [data as RunLogLine] : [])));
    for (const [kind, data] of parsed) {
      if (kind === "step") putStep(client, id, data as RunStep);
      if (kind === "run") putRun(client, data as RunDetail);
    }
    if (parsed.some(([kind]) => kind !== "log")) refetchInside();
  };
  return {
    take: (event) => {
      waiting.push(event);
      burst ??= setTimeout(flush, BURST_MS);
    },
    stop: () => {
      clearTimeout(burst);
      clearTimeout(inside);
      if (waiting.length > 0) flush();
      clearTimeout(inside);
    },
  };
}

async function follow(url: string, signal: AbortSignal, take: (event: ServerSentEvent) => void): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      const response = await fetch(url, { headers: { Accept: "text/event-stream" }, credentials: "same-origin", cache: "no-store", signal });
      if (response.status === 404 || response.status === 403) return;
      if (!response.ok || !response.body) throw new Error(`run stream: ${response.status}`);
      await readAll(response.body, signal, (event) => {
        attempt = 0;
        take(event);
      });
    } catch {
      // Cut or refused: the top bar says that the server is away; this tries again, and the slow refetch goes on meanwhile.
    }
    await pause(retryDelayMs(attempt), signal);
  }
}

async function readAll(body: ReadableStream<Uint8Array>, signal: AbortSignal, onEvent: (event: ServerSentEvent) => void): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  const feed = createParser(onEvent);
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", cancel, { once: true });
  for (;;) {
    const silence = setTimeout(cancel, SILENCE_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(silence));
    if (done) return;
    feed(value);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
