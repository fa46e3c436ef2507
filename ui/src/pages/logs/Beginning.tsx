// Before anything is asked: which services send how much, or how logs get there.
import { IconFileText } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { logLabelValuesQuery, volumeQuery } from "@/api/logQueries";
import { Section } from "@/components/Page";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import { formatBytes } from "@/lib/format";
import { withValue } from "@/lib/logql";
import { useTimeRange } from "@/state/timerange";
import classes from "./Logs.module.css";

const ANY = '{service_name=~".+"}';

export function Beginning({ onChoose }: { onChoose: (expr: string) => void }) {
  const { range } = useTimeRange();
  const volume = useQuery(volumeQuery(range));
  return (
    <QueryView query={volume} skeleton={<SkeletonRows rows={6} height={36} />}>
      {(rows) => {
        if (rows.length === 0) return <Nothing />;
        const most = rows[0]?.count ?? 1;
        return (
          <>
            <Section title="Services that send logs" aside="or press e to write a query">
              <ul className={classes.services}>
                {rows.map(({ metric, count }) => {
                  const name = metric["service_name"] ?? "";
                  return (
                    <li key={name}>
                      <button type="button" data-row onClick={() => onChoose(withValue("", "service_name", name))}>
                        <span className="truncate">{name}</span>
                        <span className={classes.meter} aria-hidden>
                          <i style={{ width: `${Math.max(1, (100 * count) / most)}%` }} />
                        </span>
                        <span className={classes.count}>{formatBytes(count)}</span>
                      </button>
                    </li>
                  );
                })}
              </ul>
            </Section>
            <Section title="Begin with">
              <ul className={classes.services}>
                {examplesFor(rows[0]?.metric["service_name"] ?? "").map(({ expr, text }) => (
                  <li key={expr}>
                    <button type="button" data-row onClick={() => onChoose(expr)}>
                      <code className="truncate">{expr}</code>
                      <span className="faint truncate">{text}</span>
                    </button>
                  </li>
                ))}
              </ul>
            </Section>
          </>
        );
      }}
    </QueryView>
  );
}

function examplesFor(service: string): { expr: string; text: string }[] {
  return [
    { expr: ANY, text: "everything" },
    { expr: `${ANY} | detected_level=~"error|fatal"`, text: "what went wrong, anywhere" },
    { expr: `${withValue("", "service_name", service)} |= "timeout"`, text: "lines with a word" },
    { expr: `sum by (service_name) (count_over_time(${ANY} | detected_level="error" [5m]))`, text: "errors in five minutes, by service" },
  ];
}

function Nothing() {
  const services = useQuery(logLabelValuesQuery("service_name")).data;
  if (services && services.length > 0) {
    return (
      <Empty title="No logs in this window" icon={<IconFileText size={32} stroke={1.4} />}>
        {`${services.slice(0, 3).join(", ")}${services.length > 3 ? ` and ${services.length - 3} more` : ""} sent logs before. Choose a longer time range.`}
      </Empty>
    );
  }
  return (
    <Empty title="No logs yet" snippet={pushExample(location.origin)} icon={<IconFileText size={32} stroke={1.4} />}>
      OpenTelemetry SDKs and collectors send to /v1/logs or to gRPC port 4317; Promtail, Alloy and everything else that speaks Loki to /loki/api/v1/push. One line, to try it with a token of Settings, Tokens:
    </Empty>
  );
}

function pushExample(origin: string): string {
  return `curl ${origin}/loki/api/v1/push -H "Authorization: Bearer $HOLDFAST_TOKEN" \\
  -H "Content-Type: application/json" -d '{"streams": [{"stream": {"service_name": "hello"},
  "values": [["'$(date +%s%N)'", "level=info msg=\\"first line\\""]]}]}'`;
}
