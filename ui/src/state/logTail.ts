// Follows one query over Loki's WebSocket: opens it again after an outage where it stopped, and knows why it cannot.
// No React here. The browser does not tell why a socket did not open, so the same address is asked once over HTTP.
import { ApiError, queryString } from "@/api/client";
import { askWhyNoTail, TAIL } from "@/api/loki";
import { type LogLine, type LogStream, linesOf } from "@/lib/logs";
import { retryDelayMs } from "@/lib/sse";

export type TailState = "connecting" | "live" | "lost" | "resting";

export interface TailNews {
  lines: LogLine[];
  dropped: number;
}

export interface TailListener {
  onState: (state: TailState, why: string) => void;
  onNews: (news: TailNews) => void;
  /** Where to begin after an outage: the newest line that is there. */
  newestNs: () => bigint;
}

interface TailMessage {
  streams?: LogStream[];
  dropped?: number;
  dropped_entries?: unknown[];
}

/** Messages that come together are shown together: one render for a burst. */
const BURST_MS = 100;
const HIDDEN_MS = 60_000;
/** Lines may come in this much out of order and are still seen after an outage. */
const LATE_NS = 10_000_000_000n;
const MOST_AGAIN = 5_000;
const STABLE_MS = 5_000;

export class LogTail {
  private socket: WebSocket | null = null;
  private waiting: TailNews = { lines: [], dropped: 0 };
  private timers = new Map<string, ReturnType<typeof setTimeout>>();
  private attempt = 0;
  private isOver = false;
  private state: TailState = "connecting";

  private readonly expr: string;
  private readonly listener: TailListener;

  constructor(expr: string, listener: TailListener) {
    this.expr = expr;
    this.listener = listener;
    document.addEventListener("visibilitychange", this.onVisibility);
    window.addEventListener("online", this.retryNow);
    this.open();
  }

  stop(): void {
    this.isOver = true;
    document.removeEventListener("visibilitychange", this.onVisibility);
    window.removeEventListener("online", this.retryNow);
    for (const name of [...this.timers.keys()]) this.clearTimer(name);
    this.close();
  }

  /** Skips the rest of the wait: a person pressed the button, or the network came back. */
  readonly retryNow = (): void => {
    if (!this.isOver && this.state === "lost") this.open();
  };

  private readonly onVisibility = (): void => {
    this.clearTimer("hidden");
    if (document.hidden) this.setTimer("hidden", HIDDEN_MS, () => this.rest());
    else if (this.state === "resting") this.open();
  };

  private rest(): void {
    this.clearTimer("retry");
    this.close();
    this.tell("resting", "");
  }

  private open(): void {
    this.clearTimer("retry");
    this.close();
    if (this.state !== "lost") this.tell("connecting", "");
    const path = this.path();
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${path}`);
    let wasOpen = false;
    this.socket = socket;
    socket.onopen = () => {
      wasOpen = true;
      this.tell("live", "");
      this.setTimer("stable", STABLE_MS, () => (this.attempt = 0));
    };
    socket.onmessage = ({ data }) => this.take(String(data));
    socket.onclose = ({ reason }) => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.clearTimer("stable");
      this.tell("lost", reason);
      this.setTimer("retry", retryDelayMs(this.attempt), () => this.open());
      this.attempt += 1;
      if (!wasOpen) void this.findReason(path);
    };
  }

  private path(): string {
    const start = this.listener.newestNs() - LATE_NS;
    return TAIL + queryString({ query: this.expr, start: String(start > 0n ? start : 0n), limit: MOST_AGAIN, encoding: "categorize-labels" });
  }

  private async findReason(path: string): Promise<void> {
    try {
      await askWhyNoTail(path);
    } catch (cause) {
      if (this.isOver || this.state !== "lost") return;
      if (cause instanceof ApiError && cause.status > 0) this.tell("lost", cause.message);
    }
  }

  private take(text: string): void {
    const message = JSON.parse(text) as TailMessage;
    this.waiting.lines.push(...linesOf(message.streams ?? []));
    this.waiting.dropped += message.dropped ?? message.dropped_entries?.length ?? 0;
    const over = this.waiting.lines.length - MOST_AGAIN;
    if (over > MOST_AGAIN) {
      this.waiting.lines = this.waiting.lines.slice(over);
      this.waiting.dropped += over;
    }
    if (!this.timers.has("burst")) this.setTimer("burst", BURST_MS, () => this.flush());
  }

  private flush(): void {
    const news = this.waiting;
    this.waiting = { lines: [], dropped: 0 };
    this.listener.onNews(news);
  }

  private close(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private tell(state: TailState, why: string): void {
    this.state = state;
    if (!this.isOver) this.listener.onState(state, why);
  }

  private setTimer(name: string, ms: number, run: () => void): void {
    this.clearTimer(name);
    this.timers.set(
      name,
      setTimeout(() => {
        this.timers.delete(name);
        run();
      }, ms),
    );
  }

  private clearTimer(name: string): void {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
  }
}
