// One clock for all relative times on the page, so that a thousand rows tick together and cost one timer.
import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
let now = new Date();
let timer: ReturnType<typeof setInterval> | null = null;

function tick(): void {
  now = new Date();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === null) {
    now = new Date();
    timer = setInterval(tick, 1_000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && timer !== null) {
      clearInterval(timer);
      timer = null;
    }
  };
}

/** A value derived from the clock: the component renders again only when the derived text changes. */
export function useNow<T extends string | number | boolean>(derive: (now: Date) => T): T {
  return useSyncExternalStore(subscribe, () => derive(now));
}
