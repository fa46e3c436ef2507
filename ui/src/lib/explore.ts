// What stands in the address of the Explore page: queries, the view, options. A link shows a colleague the same.
export type View = "graph" | "heat" | "table" | "json";
export const VIEWS: readonly View[] = ["graph", "heat", "table", "json"];

export interface Exploration {
  queries: string[];
  /** Places of queries that are not shown. */
  hidden: number[];
  view: View;
  isCompared: boolean;
  isStacked: boolean;
  hasExemplars: boolean;
  hasMarks: boolean;
  /** "" chooses by the names of the metrics. */
  unit: string;
  /** Seconds; 0 chooses by the time range. */
  step: number;
}

const OURS = ["q", "hide", "view", "compare", "stack", "exemplars", "marks", "unit", "step"];
const MOST_QUERIES = 26;

export function parseExploration(params: URLSearchParams): Exploration {
  const queries = params.getAll("q").slice(0, MOST_QUERIES);
  const view = params.get("view");
  const step = Number(params.get("step"));
  return {
    queries: queries.length > 0 ? queries : [""],
    hidden: (params.get("hide") ?? "").split(",").filter(Boolean).map(Number).filter((place) => place >= 0 && place < queries.length),
    view: VIEWS.find((one) => one === view) ?? "graph",
    isCompared: params.get("compare") === "1w",
    isStacked: params.get("stack") === "1",
    hasExemplars: params.get("exemplars") !== "0",
    hasMarks: params.get("marks") !== "0",
    unit: params.get("unit") ?? "",
    step: step >= 1 && Number.isFinite(step) ? Math.round(step) : 0,
  };
}

/** A copy of `params` with the exploration written into it; what is as usual leaves no trace. */
export function writeExploration(params: URLSearchParams, wanted: Exploration): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const name of OURS) next.delete(name);
  const isBlank = wanted.queries.every((query) => query.trim() === "");
  if (!isBlank) for (const query of wanted.queries) next.append("q", query);
  if (wanted.hidden.length > 0) next.set("hide", wanted.hidden.join(","));
  if (wanted.view !== "graph") next.set("view", wanted.view);
  if (wanted.isCompared) next.set("compare", "1w");
  if (wanted.isStacked) next.set("stack", "1");
  if (!wanted.hasExemplars) next.set("exemplars", "0");
  if (!wanted.hasMarks) next.set("marks", "0");
  if (wanted.unit) next.set("unit", wanted.unit);
  if (wanted.step > 0) next.set("step", String(wanted.step));
  return next;
}

export function letterOf(place: number): string {
  return String.fromCharCode("A".charCodeAt(0) + place);
}

export function blankExploration(queries: readonly string[]): Exploration {
  return { ...parseExploration(new URLSearchParams()), queries: [...queries] };
}

/** The address of Explore with all that is wished. */
export function explorationPath(wanted: Exploration): string {
  return `/explore?${writeExploration(new URLSearchParams(), wanted).toString()}`;
}

/** Where the console finds a query: the address of Explore with it. */
export function explorePath(queries: readonly string[], view: View = "graph"): string {
  return explorationPath({ ...blankExploration(queries), view });
}
