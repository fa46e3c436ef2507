// Searching traces: a form whose every field stands in the address, durations over time, and the traces as lines.
import { Button } from "@mantine/core";
import { IconListTree } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { isAskable, traceSearchQuery, traceServicesQuery } from "@/api/traceQueries";
import type { TraceSummary } from "@/api/traces";
import { SavedMenu } from "@/components/collect/SavedMenu";
import { Page } from "@/components/Page";
import { Empty, QueryView, SkeletonBlock, SkeletonRows } from "@/components/states";
import { formatDuration, plural } from "@/lib/format";
import { colorsOf } from "@/lib/traces/colors";
import { readWish, sayWish, type TraceWish, writeWish } from "@/lib/traces/search";
import { useTimeRange } from "@/state/timerange";
import { type Area, isWithin, Scatter } from "./Scatter";
import { SearchForm } from "./SearchForm";
import { TraceList } from "./TraceList";
import classes from "./Traces.module.css";

export function Traces() {
  const { wish, write } = useWish();
  const { range } = useTimeRange();
  const services = useQuery(traceServicesQuery);
  const query = useQuery(traceSearchQuery(wish, range));
  return (
    <Page title="Traces" name="Traces" subtitle={query.data ? summary(query.data, wish) : "\u00a0"} actions={<SavedMenu kind="traces" query={sayWish(wish)} />}>
      <QueryView query={services} skeleton={<SkeletonRows rows={10} />}>
        {(known) =>
          known.length === 0 ? (
            <Beginning />
          ) : (
            <>
              <SearchForm wish={wish} services={known} onWrite={write} />
              {isAskable(wish) && (
                <QueryView query={query} skeleton={<><SkeletonBlock height={180} /><SkeletonRows rows={8} /></>}>
                  {(found) =>
                    found.length === 0 ? (
                      <Empty title="No trace matches">Choose a longer time range at the top right, or ask for less above.</Empty>
                    ) : (
                      <Found found={found} />
                    )
                  }
                </QueryView>
              )}
            </>
          )
        }
      </QueryView>
    </Page>
  );
}

function Found({ found }: { found: TraceSummary[] }) {
  const { setRange } = useTimeRange();
  const [area, setArea] = useState<Area | null>(null);
  const colors = useMemo(() => colorsOf(found.flatMap((one) => Object.keys(one.services))), [found]);
  const shown = area ? found.filter((one) => isWithin(one, area)) : found;
  return (
    <>
      <Scatter traces={found} area={area} onArea={setArea} />
      {area && (
        <div className={classes.chosen}>
          <span>
            {plural(shown.length, "trace")} of {found.length} chosen
          </span>
          <Button size="compact-xs" variant="default" onClick={() => setRange({ kind: "fixed", from: new Date(area.fromUs / 1000), to: new Date(area.untilUs / 1000) })}>
            Zoom the time range
          </Button>
          <Button size="compact-xs" variant="default" onClick={() => setArea(null)}>
            Show all
          </Button>
        </div>
      )}
      <TraceList traces={shown} colors={colors} />
    </>
  );
}

function useWish(): { wish: TraceWish; write: (change: Partial<TraceWish>) => void } {
  const [params, setParams] = useSearchParams();
  const wish = useMemo(() => readWish(params), [params]);
  return { wish, write: (change) => setParams((current) => writeWish(current, change), { replace: true }) };
}

function summary(found: readonly TraceSummary[], wish: TraceWish): string {
  if (found.length === 0) return "\u00a0";
  const failed = found.filter((one) => one.errors > 0).length;
  const longest = Math.max(...found.map((one) => one.durationUs));
  const isCut = found.length >= wish.limit;
  return `${isCut ? "The newest " : ""}${plural(found.length, "trace")}, ${failed} with errors; the longest took ${formatDuration(longest / 1e6)}.`;
}

function Beginning() {
  const address = window.location.origin;
  return (
    <Empty
      title="No traces yet"
      icon={<IconListTree size={32} stroke={1.4} />}
      snippet={`pip install opentelemetry-distro opentelemetry-exporter-otlp\nopentelemetry-bootstrap -a install\nexport OTEL_SERVICE_NAME=orders\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_EXPORTER_OTLP_ENDPOINT=${address}\nexport OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer hf_..."\nopentelemetry-instrument python app.py`}
    >
      Every OpenTelemetry SDK and the Collector send spans here: OTLP over HTTP to <code>/v1/traces</code>, over gRPC to port 4317. A token that may write comes from Settings, Tokens.
    </Empty>
  );
}
