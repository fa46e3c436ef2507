// What a thing was before each change, so that changes are taken back and made again. No React here.

export interface History<T> {
  past: readonly T[];
  now: T;
  future: readonly T[];
  /** The last change: those of one group that follow each other soon, as letters of a word do, are one step. */
  last: { group: string; atMs: number } | null;
}

const MOST_STEPS = 100;
const SOON_MS = 1_000;

export function begin<T>(now: T): History<T> {
  return { past: [], now, future: [], last: null };
}

export function change<T>(history: History<T>, next: T, atMs: number, group = ""): History<T> {
  const { past, now, last } = history;
  if (next === now) return history;
  // What is given up halfway, as a drag with Escape, has never been.
  if (next === past.at(-1)) return { ...history, past: past.slice(0, -1), now: next, last: null };
  const isOne = group !== "" && last?.group === group && atMs - last.atMs < SOON_MS;
  return { past: isOne ? past : [...past, now].slice(-MOST_STEPS), now: next, future: [], last: { group, atMs } };
}

export function undo<T>(history: History<T>): History<T> {
  const { past, now, future } = history;
  const before = past.at(-1);
  return before === undefined ? history : { past: past.slice(0, -1), now: before, future: [now, ...future], last: null };
}

export function redo<T>(history: History<T>): History<T> {
  const { past, now, future: [next, ...future] } = history;
  return next === undefined ? history : { past: [...past, now], now: next, future, last: null };
}
