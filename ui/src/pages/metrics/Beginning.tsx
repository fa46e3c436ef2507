// Before anything is asked: queries over metrics that are there, or how metrics get there.
import { IconChartLine } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { metricNamesQuery } from "@/api/promQueries";
import { Section } from "@/components/Page";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import { selectorOf } from "@/lib/cardinality";
import { SCRAPE_EXAMPLE } from "./MetricBrowser";
import classes from "./Explore.module.css";

interface Example {
  /** Shown where all of these metrics are there. */
  needs: readonly string[];
  expr: string;
  text: string;
}

const EXAMPLES: readonly Example[] = [
  { needs: ["up"], expr: "sum by (job) (up)", text: "targets that answer, by job" },
  { needs: ["http_requests_total"], expr: "sum by (service) (rate(http_requests_total[5m]))", text: "requests per second" },
  { needs: ["http_request_duration_seconds_bucket"], expr: "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))", text: "the time that 95% of requests stay below" },
  { needs: ["node_cpu_seconds_total"], expr: '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))', text: "how busy the processors are" },
  { needs: ["holdfast_host_cpu_percent"], expr: "holdfast_host_cpu_percent", text: "CPU of this machine" },
  { needs: ["process_resident_memory_bytes"], expr: "process_resident_memory_bytes", text: "memory of each process" },
  { needs: ["process_cpu_seconds_total"], expr: "rate(process_cpu_seconds_total[5m])", text: "processors in use by each process" },
];
const MOST = 6;

export function Beginning({ onChoose }: { onChoose: (expr: string) => void }) {
  const names = useQuery(metricNamesQuery);
  return (
    <QueryView query={names} skeleton={<SkeletonRows rows={5} height={36} />}>
      {({ data }) =>
        data.length === 0 ? (
          <Empty title="No metrics yet" snippet={SCRAPE_EXAMPLE} icon={<IconChartLine size={32} stroke={1.4} />}>
            Name what to scrape in ops/prometheus.yml; Prometheus' own file works as it is. Programs may also send OTLP to /v1/metrics, and Prometheus remote write to /prometheus/api/v1/write.
          </Empty>
        ) : (
          <Section title="Begin with" aside="or press e to write, b to browse">
            <ul className={classes.examples}>
              {examplesFor(data).map(({ expr, text }) => (
                <li key={expr}>
                  <button type="button" data-row onClick={() => onChoose(expr)}>
                    <code className="truncate">{expr}</code>
                    <span className="faint truncate">{text}</span>
                  </button>
                </li>
              ))}
            </ul>
          </Section>
        )
      }
    </QueryView>
  );
}

export function examplesFor(names: readonly string[]): { expr: string; text: string }[] {
  const known = new Set(names);
  const chosen = EXAMPLES.filter(({ needs }) => needs.every((name) => known.has(name)));
  const others = names.filter((name) => !/_(created|info|bucket|sum|count)$/.test(name) && !chosen.some(({ needs }) => needs.includes(name)));
  const plain = others.map((name) => (name.endsWith("_total") ? { expr: `rate(${selectorOf(name)}[5m])`, text: "per second" } : { expr: selectorOf(name), text: "as it is" }));
  return [...chosen.map(({ expr, text }) => ({ expr, text })), ...plain].slice(0, MOST);
}
