// The queries that were run in this browser, the newest first. They stay here: nobody else sees them.
import { useLocalStorage } from "@mantine/hooks";
import { useCallback } from "react";

export interface PastQuery {
  expr: string;
  at: string;
}

const KEPT = 60;

export function withQueries(past: readonly PastQuery[], queries: readonly string[], at: string): PastQuery[] {
  const fresh = queries.map((expr) => expr.trim()).filter(Boolean);
  return [...fresh.map((expr) => ({ expr, at })), ...past.filter((one) => !fresh.includes(one.expr))].slice(0, KEPT);
}

export function useQueryHistory(): { past: readonly PastQuery[]; remember: (queries: readonly string[]) => void; forget: () => void } {
  const [past, setPast] = useLocalStorage<PastQuery[]>({ key: "holdfast-queries", defaultValue: [], getInitialValueInEffect: false });
  const remember = useCallback((queries: readonly string[]) => setPast((current) => withQueries(current, queries, new Date().toISOString())), [setPast]);
  return { past: Array.isArray(past) ? past : [], remember, forget: () => setPast([]) };
}
