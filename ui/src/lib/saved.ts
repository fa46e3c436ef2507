// Saved searches and addresses: what of an explorer's address is kept, and where a saved search is opened.
import type { SavedSearch } from "@/api/types";

/** The time is not kept: a saved search looks at whatever time somebody looks at; neither is what a drawer shows. */
const NOT_KEPT = ["range", "from", "to", "live"];

export function viewOf(params: URLSearchParams): string {
  const kept = new URLSearchParams(params);
  for (const name of NOT_KEPT) kept.delete(name);
  return kept.toString();
}

const PAGES = { logs: "/logs", metrics: "/explore", traces: "/traces" } as const;

/** One saved from a terminal has no view; its query says all. */
export function savedPath({ kind, view, query }: Pick<SavedSearch, "kind" | "view" | "query">): string {
  const page = PAGES[kind];
  if (view) return `${page}?${view}`;
  return kind === "traces" ? `${page}?${wishOf(query)}` : `${page}?${new URLSearchParams({ q: query }).toString()}`;
}

const OWN: Record<string, string> = { service: "service", operation: "operation", status: "status", min_duration: "min", max_duration: "max" };

/** Conditions such as `service=shop http.route=/cart` as the address of the search has them. */
function wishOf(query: string): string {
  const params = new URLSearchParams();
  const others: string[] = [];
  for (const condition of query.split(/\s+/).filter(Boolean)) {
    const [name = "", value = ""] = [condition.slice(0, condition.indexOf("=")), condition.slice(condition.indexOf("=") + 1)];
    const own = OWN[name];
    if (own) params.set(own, value);
    else others.push(condition);
  }
  if (others.length > 0) params.set("attributes", others.join(" "));
  return params.toString();
}
