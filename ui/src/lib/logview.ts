// What stands in the address of the Logs page: the query, order, columns, what is open. The time range stands there too.
export type LogTab = "lines" | "patterns";

export interface LogView {
  expr: string;
  isNewestFirst: boolean;
  columns: string[];
  isWrapped: boolean;
  hasFields: boolean;
  isLive: boolean;
  tab: LogTab;
}

const OURS = ["q", "direction", "columns", "wrap", "fields", "live", "tab"];
const MOST_COLUMNS = 8;

export function parseLogView(params: URLSearchParams): LogView {
  return {
    expr: params.get("q") ?? "",
    isNewestFirst: params.get("direction") !== "forward",
    columns: (params.get("columns") ?? "").split(",").filter(Boolean).slice(0, MOST_COLUMNS),
    isWrapped: params.get("wrap") === "1",
    hasFields: params.get("fields") === "1",
    isLive: params.get("live") === "1",
    tab: params.get("tab") === "patterns" ? "patterns" : "lines",
  };
}

/** A copy of `params` with the view written into it; what is as usual leaves no trace. */
export function writeLogView(params: URLSearchParams, view: LogView): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const name of OURS) next.delete(name);
  if (view.expr.trim()) next.set("q", view.expr);
  if (!view.isNewestFirst) next.set("direction", "forward");
  if (view.columns.length > 0) next.set("columns", view.columns.join(","));
  if (view.isWrapped) next.set("wrap", "1");
  if (view.hasFields) next.set("fields", "1");
  if (view.isLive) next.set("live", "1");
  if (view.tab !== "lines") next.set("tab", view.tab);
  return next;
}

/** Where the console finds a query over logs. */
export function logsPath(expr: string): string {
  return `/logs?${new URLSearchParams({ q: expr }).toString()}`;
}
