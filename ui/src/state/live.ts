// The one connection to the event stream that all pages share: reconnects with backoff, resumes after the last event it
// saw, notices silence, and rests while the tab is hidden (browsers allow six connections to one HTTP/1.1 server).
import { useEffect, useSyncExternalStore } from "react";
import type { LogEvent } from "@/api/types";
import { createParser, retryDelayMs } from "@/lib/sse";

export type LiveState = "connecting" | "live" | "reconnecting" | "resting";

const URL = "/api/v1/events/stream";
/** Heartbeats come every 15 s; three missed ones mean that the line is dead. */
const SILENCE_MS = 45_000;
const HIDDEN_MS = 60_000;

type EventListener = (event: LogEvent) => void;

class LiveStream {
  private state: LiveState = "connecting";
  private downSince: number | null = null;
  private lastId = "";
  private users = 0;
  private attempt = 0;
  private abort: AbortController | null = null;
  private timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly stateListeners = new Set<() => void>();
  private readonly eventListeners = new Set<EventListener>();
  private readonly resumeListeners = new Set<() => void>();

  readonly getState = (): LiveState => this.state;
  /** When the connection was lost, in ms since the epoch; null while it is up. */
  readonly getDownSince = (): number | null => this.downSince;

  readonly onState = (listener: () => void) => subscribe(this.stateListeners, listener);
  readonly onEvent = (listener: EventListener) => subscribe(this.eventListeners, listener);
  /** Called when the stream is back after a gap, so that whatever was missed can be fetched again. */
  readonly onResume = (listener: () => void) => subscribe(this.resumeListeners, listener);

  acquire(): () => void {
    this.users += 1;
    if (this.users === 1) {
      document.addEventListener("visibilitychange", this.onVisibility);
      window.addEventListener("offline", this.suspect);
      window.addEventListener("online", this.retryNow);
      void this.connect();
    }
    return () => {
      this.users -= 1;
      if (this.users > 0) return;
      document.removeEventListener("visibilitychange", this.onVisibility);
      window.removeEventListener("offline", this.suspect);
      window.removeEventListener("online", this.retryNow);
      this.disconnect("connecting");
      this.lastId = "";
    };
  }

  /** Skips the rest of the backoff: a person pressed "Reconnect", or the network came back. */
  readonly retryNow = (): void => {
    if (this.users > 0 && this.state !== "live") void this.connect();
  };

  /** Something else found the server out of reach: a silent connection may be dead too, so it is opened anew. */
  readonly suspect = (): void => {
    if (this.state === "live") this.abort?.abort();
  };

  private readonly onVisibility = (): void => {
    this.clearTimer("hidden");
    if (document.hidden) this.setTimer("hidden", HIDDEN_MS, () => this.disconnect("resting"));
    else if (this.state === "resting") void this.connect();
  };

  private async connect(): Promise<void> {
    this.abort?.abort();
    this.clearTimer("retry");
    const abort = new AbortController();
    this.abort = abort;
    const hadGap = this.downSince !== null;
    try {
      const response = await fetch(URL, {
        headers: { Accept: "text/event-stream", ...(this.lastId ? { "Last-Event-ID": this.lastId } : {}) },
        credentials: "same-origin",
        cache: "no-store",
        signal: abort.signal,
      });
      if (!response.ok || !response.body) throw new Error(`event stream: ${response.status}`);
      this.attempt = 0;
      this.setState("live");
      if (hadGap) for (const listener of this.resumeListeners) listener();
      await this.readAll(response.body, abort);
    } catch {
      // Refused, cut or silent: all the same to the reader, who sees the mark change; the loop below tries again.
    }
    if (abort.signal.aborted && this.abort !== abort) return;
    this.scheduleRetry();
  }

  private async readAll(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
    const feed = createParser((event) => {
      if (event.id) this.lastId = event.id;
      const parsed = parseEvent(event.data);
      if (parsed) for (const listener of this.eventListeners) listener(parsed);
    });
    for (;;) {
      this.setTimer("silence", SILENCE_MS, () => abort.abort());
      const { done, value } = await reader.read();
      if (done) return;
      feed(value);
    }
  }

  private scheduleRetry(): void {
    this.clearTimer("silence");
    if (this.users === 0 || this.state === "resting") return;
    this.setState("reconnecting");
    this.setTimer("retry", retryDelayMs(this.attempt), () => void this.connect());
    this.attempt += 1;
  }

  private disconnect(state: LiveState): void {
    const abort = this.abort;
    this.abort = null;
    abort?.abort();
    for (const name of [...this.timers.keys()]) this.clearTimer(name);
    this.setState(state);
  }

  private setState(state: LiveState): void {
    if (state === "live") this.downSince = null;
    else if (this.state === "live") this.downSince = Date.now();
    if (state === this.state) return;
    this.state = state;
    for (const listener of this.stateListeners) listener();
  }

  private setTimer(name: string, ms: number, run: () => void): void {
    this.clearTimer(name);
    this.timers.set(name, setTimeout(run, ms));
  }

  private clearTimer(name: string): void {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
  }
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

function parseEvent(data: string): LogEvent | null {
  try {
    const event = JSON.parse(data) as Partial<LogEvent>;
    return typeof event.seq === "number" && typeof event.kind === "string" ? (event as LogEvent) : null;
  } catch {
    return null;
  }
}

export const live = new LiveStream();

export function useLiveState(): LiveState {
  return useSyncExternalStore(live.onState, live.getState);
}

export function useDownSince(): number | null {
  return useSyncExternalStore(live.onState, live.getDownSince);
}

export function useLiveEvents(listener: EventListener): void {
  useEffect(() => live.onEvent(listener), [listener]);
}
