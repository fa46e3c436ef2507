// Prints a dashboard whole: panels further down, which ask only once they are seen, ask first.
import { useIsFetching } from "@tanstack/react-query";
import { createContext, useEffect, useState } from "react";

const CALM_MS = 400;
const PATIENCE_MS = 15_000;

/** Whether panels ask although nobody sees them. */
export const EagerContext = createContext(false);

/** Prints when all answers are there, or when that takes too long; also for the browser's own key. */
export function usePrint(): { isPreparing: boolean; print: () => void } {
  const [isPreparing, setPreparing] = useState(false);
  const [isLate, setLate] = useState(false);
  const isCalm = useIsFetching() === 0;
  useEffect(() => {
    if (!isPreparing) return undefined;
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isPreparing]);
  useEffect(() => {
    if (!isPreparing || !(isCalm || isLate)) return undefined;
    const timer = setTimeout(() => {
      window.print();
      setPreparing(false);
      setLate(false);
    }, CALM_MS);
    return () => clearTimeout(timer);
  }, [isPreparing, isCalm, isLate]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "p" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      event.preventDefault();
      setPreparing(true);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return { isPreparing, print: () => setPreparing(true) };
}
