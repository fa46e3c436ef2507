// The values that the variables of a dashboard may have, and those that are chosen: `var-name=value` in the address.
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import { ask, type Result } from "@/api/prom";
import type { DashboardVariable } from "@/api/types";
import { type Chosen, fillQuery, firstChoice, literalNames, readVariableQuery } from "@/lib/dashboards";
import { seriesName, vectorOf } from "@/lib/promSeries";

export interface VariableState {
  variable: DashboardVariable;
  options: readonly string[];
  isLoading: boolean;
  error: Error | null;
}

const MOST = 2_000;
const CONTEXT = { stepS: 60, rangeS: 3_600 };

export function useVariables(variables: readonly DashboardVariable[]): { states: VariableState[]; chosen: Chosen; literals: ReadonlySet<string>; choose: (name: string, values: readonly string[]) => void } {
  const [params, setParams] = useSearchParams();
  const given = useMemo(() => {
    const known: Record<string, string[]> = {};
    for (const { name } of variables) if (params.has(`var-${name}`)) known[name] = params.getAll(`var-${name}`);
    return known;
  }, [variables, params]);
  // A variable may be asked for by others before it: what those are by the address or by default is enough to ask.
  const early = useMemo(() => Object.fromEntries(variables.map((one) => [one.name, given[one.name] ?? firstChoice(one, one.options)])), [variables, given]);
  const literals = useMemo(() => literalNames(variables), [variables]);
  const results = useQueries({ queries: variables.map((variable) => optionsQuery(variable, early, literals)) });
  const states = variables.map((variable, at): VariableState => {
    const result = results[at];
    const found = variable.kind === "query" ? (result?.data ?? []) : variable.options;
    return { variable, options: found, isLoading: variable.kind === "query" && (result?.isLoading ?? false), error: variable.kind === "query" ? (result?.error ?? null) : null };
  });
  const text = JSON.stringify(states.map(({ variable, options }) => [variable.name, given[variable.name] ?? firstChoice(variable, options)]));
  const chosen = useMemo(() => Object.fromEntries(JSON.parse(text) as [string, string[]][]) as Chosen, [text]);
  const choose = (name: string, values: readonly string[]): void =>
    setParams(
      (current) => {
        const next = new URLSearchParams(current);
        next.delete(`var-${name}`);
        for (const value of values) next.append(`var-${name}`, value);
        return next;
      },
      { replace: true },
    );
  return { states, chosen, literals, choose };
}

function optionsQuery(variable: DashboardVariable, chosen: Chosen, literals: ReadonlySet<string>) {
  const wanted = readVariableQuery(fillQuery(variable.query, { ...CONTEXT, literals, chosen: without(chosen, variable.name) }));
  return {
    queryKey: ["metrics", "variable", variable.kind, wanted],
    enabled: variable.kind === "query" && variable.query.trim() !== "",
    staleTime: 60_000,
    queryFn: async ({ signal }: { signal: AbortSignal }): Promise<string[]> => {
      const match = "match" in wanted && wanted.match ? { "match[]": wanted.match } : {};
      switch (wanted.kind) {
        case "values":
          return (await ask<string[]>(`/label/${encodeURIComponent(wanted.label)}/values`, { limit: MOST, ...match }, signal)).data.filter(Boolean);
        case "labels":
          return (await ask<string[]>("/labels", match, signal)).data;
        case "names": {
          const { data } = await ask<string[]>("/label/__name__/values", {}, signal);
          return data.filter((name) => new RegExp(wanted.pattern).test(name)).slice(0, MOST);
        }
        case "query": {
          const { data } = await ask<Result>("/query", { query: wanted.expr }, signal);
          return [...new Set(vectorOf(data).map((one) => Object.values(one.metric)[0] ?? one.value?.[1] ?? seriesName(one.metric)))];
        }
      }
    },
  };
}

function without(chosen: Chosen, name: string): Chosen {
  return Object.fromEntries(Object.entries(chosen).filter(([one]) => one !== name));
}
