// What completion asks the server, through the cache that the pages share.
import type { PrometheusClient } from "@prometheus-io/codemirror-promql";
import { EqlRegex, EqlSingle, Neq, NeqRegex } from "@prometheus-io/lezer-promql";
import type { QueryClient } from "@tanstack/react-query";
import type { Metric } from "@/api/prom";
import { labelName, selectorOf as writeMetric } from "@/lib/cardinality";
import { labelNamesQuery, labelValuesQuery, metadataQuery, metricNamesQuery, seriesQuery } from "@/api/promQueries";

type Matchers = Parameters<PrometheusClient["labelValues"]>[2];

/** Nothing to complete with is no reason to disturb whoever types: failures give nothing. */
export function completionClient(client: QueryClient): PrometheusClient {
  const orNone = async <T>(wanted: Promise<T>, none: T): Promise<T> => wanted.catch(() => none);
  return {
    metricNames: async () => orNone(client.fetchQuery(metricNamesQuery).then((answer) => answer.data), []),
    metricMetadata: async () => orNone(client.fetchQuery(metadataQuery), {}),
    labelNames: async (metric) => orNone(client.fetchQuery(labelNamesQuery(metric ? selectorOf(metric, [], "") : "")), []),
    labelValues: async (label, metric, matchers) => orNone(client.fetchQuery(labelValuesQuery(label, selectorOf(metric ?? "", matchers, label))), []),
    // The type says maps; completion reads plain objects, which is what the API gives.
    series: async (metric, matchers, label) =>
      (await orNone(client.fetchQuery(seriesQuery(selectorOf(metric, matchers, label ?? ""))), [] as Metric[])) as unknown as Map<string, string>[],
    flags: async () => ({}),
  };
}

const OPERATORS: Record<number, string> = { [EqlSingle]: "=", [Neq]: "!=", [EqlRegex]: "=~", [NeqRegex]: "!~" };

/** The selector whose series may have the label: all matchers that are whole, but not the one that is being typed. */
export function selectorOf(metric: string, matchers: Matchers, without: string): string {
  const whole = (matchers ?? []).filter((one) => one.name !== without && one.value !== "" && one.type in OPERATORS);
  const name = metric && writeMetric(metric);
  if (whole.length === 0) return name;
  // Values stand here as they were typed, with their escapes.
  const matched = whole.map((one) => `${labelName(one.name)}${OPERATORS[one.type]}"${one.value}"`).join(",");
  return name.endsWith("}") ? `${name.slice(0, -1)},${matched}}` : `${name}{${matched}}`;
}
