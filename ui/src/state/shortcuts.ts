// Keys without a mouse: "g o" goes to the overview, "/" filters, "j" and "k" walk through rows, "?" lists them all.
import { useEffect, useRef } from "react";
import { useNavigate } from "react-router";
import { useCarry } from "./timerange";

const SEQUENCE_MS = 900;

export const PLACES: Record<string, string> = {
  "g o": "/",
  "g m": "/map",
  "g c": "/checks",
  "g r": "/runs",
  "g q": "/runs/queues",
  "g d": "/runs/schedules",
  "g x": "/explore",
  "g t": "/explore/targets",
  "g n": "/explore/cardinality",
  "g l": "/logs",
  "g a": "/traces",
  "g b": "/dashboards",
  "g i": "/investigations",
  "g v": "/saved",
  "g w": "/around",
  "g u": "/usage",
  "g h": "/host",
  "g e": "/events",
  "g s": "/settings",
};

/** Registers the global keys plus the given ones for as long as the caller is mounted. */
export function useShortcuts(extra: Record<string, () => void>): void {
  const navigate = useNavigate();
  const carry = useCarry();
  const actions: Record<string, () => void> = {
    "/": focusFilter,
    j: () => walk(1),
    k: () => walk(-1),
    ...Object.fromEntries(Object.entries(PLACES).map(([keys, path]) => [keys, () => void navigate(carry(path))])),
    ...extra,
  };
  useKeys(actions);
}

/** Listens for single keys ("r") and two-key sequences ("g o"); never while somebody types or a dialog is open. */
export function useKeys(actions: Record<string, () => void>): void {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    let first = "";
    let firstAt = 0;
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || isTaken(event.composedPath()[0] ?? event.target)) return;
      const sequence = event.timeStamp - firstAt < SEQUENCE_MS ? `${first} ${event.key}` : "";
      // "g t" leads to a page also where "t" alone would do something.
      const action = Object.hasOwn(PLACES, sequence) ? latest.current[sequence] : (latest.current[sequence] ?? latest.current[event.key]);
      first = event.key;
      firstAt = event.timeStamp;
      if (!action) return;
      event.preventDefault();
      first = "";
      action();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

/** `target` is where the key was pressed, also inside of a shadow root. */
export function isTaken(target: EventTarget | null): boolean {
  const isTyping = target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
  return isTyping || document.querySelector("[role=dialog], [role=menu]") !== null;
}

function focusFilter(): void {
  const filter = document.querySelector<HTMLInputElement>("input[data-filter]");
  filter?.focus();
  filter?.select();
}

function walk(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("main [data-row]")].filter((row) => row.offsetParent !== null);
  const at = rows.findIndex((row) => row === document.activeElement);
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + step))];
  next?.focus({ focusVisible: true } as FocusOptions);
  next?.scrollIntoView({ block: "nearest" });
}
