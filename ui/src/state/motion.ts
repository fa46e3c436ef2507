// Keeps live lists calm: the order waits while somebody points at the list, then rows glide; changes glow once.
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Verdict } from "@/api/types";

const isCalm = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Holds the sequence of keys while the pointer or the focus is inside `area`; new rows join at the end meanwhile. */
export function useSettledOrder<T>(items: readonly T[], key: (item: T) => string, area: RefObject<HTMLElement | null>): T[] {
  const held = useRef<string[]>([]);
  const isBusy = useBusy(area);
  const wanted = items.map(key);
  const order = isBusy ? merge(held.current, wanted) : wanted;
  useEffect(() => {
    held.current = order;
  });
  const byKey = new Map(items.map((item) => [key(item), item]));
  return order.flatMap((name) => byKey.get(name) ?? []);
}

export function merge(held: readonly string[], wanted: readonly string[]): string[] {
  const present = new Set(wanted);
  const kept = held.filter((name) => present.has(name));
  const known = new Set(kept);
  return [...kept, ...wanted.filter((name) => !known.has(name))];
}

function useBusy(area: RefObject<HTMLElement | null>): boolean {
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    const element = area.current;
    if (!element) return undefined;
    const update = (): void => setBusy(element.matches(":hover") || element.contains(document.activeElement));
    const later = (): void => void setTimeout(update, 0);
    const names = ["pointerenter", "pointerleave", "focusin", "focusout"] as const;
    for (const name of names) element.addEventListener(name, later);
    return () => {
      for (const name of names) element.removeEventListener(name, later);
    };
  }, [area]);
  return isBusy;
}

/** Lets children with `data-key` glide from where they were to where they are. */
export function useGlide(area: RefObject<HTMLElement | null>, order: string): void {
  const tops = useRef(new Map<string, number>());
  const previous = useRef(order);
  useLayoutEffect(() => {
    const rows = area.current?.querySelectorAll<HTMLElement>("[data-key]") ?? [];
    const hasMoved = previous.current !== order;
    previous.current = order;
    for (const row of rows) {
      const name = row.dataset["key"] ?? "";
      const top = row.offsetTop;
      const before = tops.current.get(name);
      tops.current.set(name, top);
      if (hasMoved && before !== undefined && before !== top && !isCalm()) {
        row.animate([{ transform: `translateY(${before - top}px)` }, { transform: "none" }], { duration: 220, easing: "cubic-bezier(.2,.7,.3,1)" });
      }
    }
  });
}

/** Makes a row glow once in the colour of its new verdict. */
export function useGlow<E extends HTMLElement>(verdict: Verdict): RefObject<E | null> {
  const ref = useRef<E>(null);
  const previous = useRef(verdict);
  useEffect(() => {
    if (previous.current === verdict) return;
    previous.current = verdict;
    if (isCalm()) return;
    ref.current?.animate([{ background: `var(--${verdict}-wash)` }, { background: `var(--${verdict}-wash)`, offset: 0.4 }, {}], { duration: 2_400, easing: "ease-out" });
  }, [verdict]);
  return ref;
}
