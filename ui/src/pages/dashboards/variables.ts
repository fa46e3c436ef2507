// The values that the variables of a dashboard may have, and those that are chosen: `var-name=value` in the address.
import { type QueryClient, useQueries, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import { ask, type Metric, type Result, type Sample } from "@/api/prom";
import type { DashboardVariable } from "@/api/types";
import { ALL, type Chosen, type Everything, fillQuery, filterValues, firstChoice, literalNames, type Meaning, readVariableQuery, type VariableQuery, variablesIn } from "@/lib/dashboards";
import { seriesName, vectorOf } from "@/lib/promSeries";

export interface VariableState {
  variable: DashboardVariable;
  options: readonly string[];
  isLoading: boolean;
  error: Error | null;
}

/** What queries need to know of variables, and those that nobody knows yet. */
export interface Variables extends Meaning {
  pending: ReadonlySet<string>;
}

interface UsedVariables {
  states: VariableState[];
  chosen: Chosen;
  known: Variables;
  choose: (name: string, values: readonly string[]) => void;
}

const MOST = 2_000;
const CONTEXT = { stepS: 60, rangeS: 3_600 };

export function useVariables(variables: readonly DashboardVariable[]): UsedVariables {
  const [params, setParams] = useSearchParams();
  const client = useQueryClient();
  const given = useMemo(() => {
    const known: Record<string, string[]> = {};
    for (const { name } of variables) if (params.has(`var-${name}`)) known[name] = params.getAll(`var-${name}`);
    return known;
  }, [variables, params]);
  const plans = planAll(variables, given, client);
  // Who reads the data of an answer renders anew when it comes: those which ask with its value go on then.
  const results = useQueries({ queries: plans.map(({ query }) => query) });
  const states = plans.map(({ variable, options, isPending }, at): VariableState => ({ variable, options, isLoading: isPending && results[at]?.data === undefined, error: variable.kind === "query" ? (results[at]?.error ?? null) : null }));
  const text = JSON.stringify(plans.map(({ variable, values }) => [variable.name, values]));
  const chosen = useMemo(() => Object.fromEntries(JSON.parse(text) as [string, string[]][]) as Chosen, [text]);
  const meaning = JSON.stringify([plans.map(({ variable, everything }) => [variable.name, everything]), plans.filter((one) => one.isOpen).map(({ variable }) => variable.name)]);
  const known = useMemo((): Variables => {
    const [all, pending] = JSON.parse(meaning) as [[string, Everything][], string[]];
    return { literals: literalNames(variables), all: Object.fromEntries(all), pending: new Set(pending) };
  }, [variables, meaning]);
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
  return { states, chosen, known, choose };
}

interface Plan {
  variable: DashboardVariable;
  query: ReturnType<typeof optionsQuery>;
  options: readonly string[];
  values: readonly string[];
  everything: Everything;
  isPending: boolean;
  /** What is chosen depends on values that are not there yet. */
  isOpen: boolean;
}

/** Each variable by what is known of those that its query names, wherever they stand; of a circle, one asks without. */
function planAll(variables: readonly DashboardVariable[], given: Chosen, client: QueryClient): Plan[] {
  const literals = literalNames(variables);
  const plans = new Map<string, Plan>();
  const wanted = new Map(variables.map((one) => [one.name, one.kind === "query" ? [...variablesIn(one.query)].filter((name) => name !== one.name && variables.some((other) => other.name === name)) : []]));
  while (plans.size < variables.length) {
    const open = variables.filter(({ name }) => !plans.has(name));
    const next = open.find(({ name }) => wanted.get(name)?.every((other) => plans.has(other))) ?? open[0];
    if (!next) break;
    const known = [...plans.values()];
    const context = {
      ...CONTEXT,
      literals,
      chosen: Object.fromEntries(known.map(({ variable, values }) => [variable.name, values])),
      all: Object.fromEntries(known.map(({ variable, everything }) => [variable.name, everything])),
    };
    const needs = wanted.get(next.name) ?? [];
    plans.set(next.name, plan(next, fillQuery(next.query, context), given[next.name], client, { isChained: needs.length > 0, isWaiting: needs.some((name) => plans.get(name)?.isOpen) }));
  }
  return variables.flatMap(({ name }) => plans.get(name) ?? []);
}

function plan(variable: DashboardVariable, filled: string, given: readonly string[] | undefined, client: QueryClient, { isChained, isWaiting }: { isChained: boolean; isWaiting: boolean }): Plan {
  const query = optionsQuery(variable, filled, !isWaiting);
  const found = variable.kind === "query" ? client.getQueryData<string[]>(query.queryKey) : variable.options;
  const hasFailed = client.getQueryState(query.queryKey)?.status === "error";
  const options = isWaiting ? [] : (found ?? []);
  // What was chosen beside another value of a variable before it may be none of these.
  const isGone = isChained && options.length > 0 && given?.every((value) => value !== ALL && !options.includes(value));
  const values = given === undefined || isGone ? firstChoice(variable, options) : given;
  const isPending = isWaiting || (variable.kind === "query" && variable.query.trim() !== "" && found === undefined && !hasFailed);
  const everything = { pattern: variable.all_value ?? "", options: options.length < MOST ? options : [] };
  return { variable, query, options, values, everything, isPending, isOpen: isPending && (given === undefined || given.includes(ALL)) };
}

function optionsQuery(variable: DashboardVariable, filled: string, isReady: boolean) {
  const wanted = readVariableQuery(filled);
  const filter = variable.regex ?? "";
  return {
    queryKey: ["metrics", "variable", variable.kind, wanted, filter],
    enabled: isReady && variable.kind === "query" && variable.query.trim() !== "",
    staleTime: 60_000,
    queryFn: async ({ signal }: { signal: AbortSignal }): Promise<string[]> => filterValues(await valuesOf(wanted, filter !== "", signal), filter),
  };
}

async function valuesOf(wanted: VariableQuery, isFiltered: boolean, signal: AbortSignal): Promise<string[]> {
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
      // A filter takes its part out of the whole; without one a label's value is what is meant.
      return vectorOf(data).map(({ metric, value }) => (isFiltered ? wholeText(metric, value) : (Object.values(metric)[0] ?? value?.[1] ?? seriesName(metric))));
    }
  }
}

/** `name{label="value",other="value"} value milliseconds`, which filters of Grafana are written for. */
function wholeText({ __name__: name = "", ...labels }: Metric, sample: Sample | undefined): string {
  const inner = Object.entries(labels).map(([key, value]) => `${key}="${value}"`).join(",");
  return `${name}{${inner}}${sample ? ` ${sample[1]} ${sample[0] * 1_000}` : ""}`;
}
