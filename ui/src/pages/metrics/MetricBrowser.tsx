// All metrics by name, with what they are; a click writes one into the query.
import { Badge, CloseButton, Drawer, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import type { Metadata } from "@/api/prom";
import { metadataQuery, metricNamesQuery } from "@/api/promQueries";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import { selectorOf } from "@/lib/cardinality";
import { plural } from "@/lib/format";
import { matchesText } from "@/lib/text";
import { useSight } from "@/state/virtual";
import classes from "./MetricBrowser.module.css";

const ROW_PX = 52;

export function MetricBrowser({ isOpen, onClose, onChoose }: { isOpen: boolean; onClose: () => void; onChoose: (name: string, type: string) => void }) {
  return (
    <Drawer opened={isOpen} onClose={onClose} position="right" size={480} title="Metrics" closeButtonProps={{ "aria-label": "Close" }} classNames={{ body: classes.body, content: classes.content }}>
      {isOpen && <List onChoose={onChoose} />}
    </Drawer>
  );
}

function List({ onChoose }: { onChoose: (name: string, type: string) => void }) {
  const names = useQuery(metricNamesQuery);
  const metadata = useQuery(metadataQuery).data;
  const [text, setText] = useState("");
  const found = useMemo(() => {
    const described = (names.data?.data ?? []).map((name) => ({ name, ...describe(name, metadata) }));
    return described.filter(({ name, type, help }) => matchesText(text, [name, type, help]));
  }, [names.data, metadata, text]);
  return (
    <>
      <TextInput
        aria-label="Search metrics"
        placeholder="Name, type or words of the help"
        data-autofocus
        leftSection={<IconSearch size={14} />}
        rightSection={text ? <CloseButton size="xs" aria-label="Clear" onClick={() => setText("")} /> : undefined}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown") return;
          event.preventDefault();
          document.querySelector<HTMLElement>("[data-metric]")?.focus();
        }}
      />
      <QueryView query={names} skeleton={<SkeletonRows rows={10} height={ROW_PX} />}>
        {({ data }) => (
          <>
            <p className="faint small">
              {text ? `${found.length} of ${plural(data.length, "metric")}` : plural(data.length, "metric")}
            </p>
            {data.length === 0 ? (
              <Empty isSmall title="No metrics yet" snippet={SCRAPE_EXAMPLE}>
                Name what to scrape in ops/prometheus.yml, or let programs send OTLP or remote write.
              </Empty>
            ) : found.length === 0 ? (
              <Empty isSmall title="No metric matches">Names, types and the words of the help are searched.</Empty>
            ) : (
              <Names found={found} onChoose={onChoose} />
            )}
          </>
        )}
      </QueryView>
    </>
  );
}

export const SCRAPE_EXAMPLE = `scrape_configs:
  - job_name: node
    static_configs:
      - targets: ["localhost:9100"]`;

interface Described {
  name: string;
  type: string;
  help: string;
}

function Names({ found, onChoose }: { found: readonly Described[]; onChoose: (name: string, type: string) => void }) {
  const area = useRef<HTMLDivElement>(null);
  const sight = useSight(area, found.length, ROW_PX);
  const walk = (event: React.KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? "nextElementSibling" : event.key === "ArrowUp" ? "previousElementSibling" : null;
    if (!step) return;
    event.preventDefault();
    (document.activeElement?.parentElement?.[step]?.querySelector("[data-metric]") as HTMLElement | null)?.focus();
  };
  return (
    <div ref={area} className={classes.list} onKeyDown={walk}>
      <ul style={{ height: found.length * ROW_PX, paddingTop: sight.from * ROW_PX }}>
        {found.slice(sight.from, sight.to).map(({ name, type, help }) => (
          <li key={name} style={{ height: ROW_PX }}>
            <button type="button" data-metric onClick={() => onChoose(name, type)} className={classes.metric}>
              <span className="row">
                <span className="mono truncate">{name}</span>
                {type && type !== "unknown" && (
                  <Badge size="xs" variant="default">
                    {type}
                  </Badge>
                )}
              </span>
              <span className="faint small truncate">{help || "No help is given."}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Families of histograms and summaries are described once, under the name without its ending. */
function describe(name: string, metadata: Readonly<Record<string, Metadata[]>> | undefined): Omit<Described, "name"> {
  const found = metadata?.[name]?.[0] ?? metadata?.[name.replace(/_(bucket|count|sum|total|created|info)$/, "")]?.[0];
  return { type: found?.type ?? "", help: found?.help ?? "" };
}

/** What one most likely asks of a metric of this type. */
export function firstQuery(name: string, type: string): string {
  const selector = selectorOf(name);
  if (name.endsWith("_bucket")) return `histogram_quantile(0.95, sum by (le) (rate(${selector}[5m])))`;
  if (/_(total|count|sum)$/.test(name) || type === "counter") return `rate(${selector}[5m])`;
  return type === "histogram" ? `histogram_quantile(0.95, sum(rate(${selector}[5m])))` : selector;
}
