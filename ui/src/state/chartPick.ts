// What a click on a chart of queries does: an exemplar opens its trace, a point tells what else moved then.
import { useNavigate } from "react-router";
import { aroundPath, subjectOf, subjectOfQuery } from "@/lib/around";
import type { Pick } from "@/lib/pick";
import type { Curve } from "@/lib/promSeries";
import { tracePath } from "@/lib/traces/search";
import { useCarry } from "./timerange";

/** `queries` are those that the curves belong to, by their `query`. */
export function usePickPath(curves: readonly Curve[], queries: readonly string[]): (pick: Pick) => void {
  const navigate = useNavigate();
  const carry = useCarry();
  return ({ atS, dot, series }) => {
    const trace = dot?.labels.find(([name]) => name === "trace_id" || name === "traceID")?.[1];
    const span = dot?.labels.find(([name]) => name === "span_id" || name === "spanID")?.[1];
    if (trace) return void navigate(carry(tracePath(trace, span)));
    const curve = curves[series];
    const subject = subjectOf(curve?.metric ?? {}) ?? subjectOfQuery(queries[curve?.query ?? 0] ?? "");
    void navigate(carry(aroundPath({ ...subject, at: new Date(atS * 1000).toISOString() })));
  };
}
