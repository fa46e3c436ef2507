// One trace: what it was, what is odd about it, its spans as a waterfall or folded into a flame, its logs.
import { Button, SegmentedControl } from "@mantine/core";
import { IconFileText, IconTimelineEvent } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useParams } from "react-router";
import { traceQuery } from "@/api/traceQueries";
import { AddToInvestigation } from "@/components/collect/AddToInvestigation";
import { CopyButton } from "@/components/CopyButton";
import { Go } from "@/components/Go";
import { Notice } from "@/components/Notice";
import { Page, Section } from "@/components/Page";
import { QueryView, SkeletonBlock, SkeletonRows } from "@/components/states";
import { When } from "@/components/When";
import { aroundPath } from "@/lib/around";
import { formatCount, formatDuration, plural } from "@/lib/format";
import { colorsOf } from "@/lib/traces/colors";
import { countServices, type Trace } from "@/lib/traces/model";
import { useKeys } from "@/state/shortcuts";
import { useUrlFilter } from "@/state/timerange";
import { FlameView } from "./FlameView";
import { logsPath } from "./logsPath";
import { SpanDrawer } from "./SpanDrawer";
import { TraceLogs } from "./TraceLogs";
import { Waterfall } from "./Waterfall";
import classes from "./TracePage.module.css";

export function TracePage() {
  const id = useParams()["id"] ?? "";
  const query = useQuery(traceQuery(id));
  const trace = query.data;
  const name = trace ? `${trace.services[trace.root] ?? ""}: ${trace.names[trace.root] ?? ""}` : "Trace";
  return (
    <Page
      title={<span className={classes.title}>{name}</span>}
      name={name}
      subtitle={trace ? <Summary trace={trace} /> : "\u00a0"}
      actions={trace && <><LogsLink trace={trace} /><TraceWays trace={trace} /></>}
    >
      <QueryView query={query} skeleton={<><SkeletonBlock height={90} /><SkeletonRows rows={14} height={26} /></>} list={{ to: "/traces", text: "Search traces" }}>
        {(found) => <Opened trace={found} />}
      </QueryView>
    </Page>
  );
}

/** Letters from which on a service may be cut off in the list of services. */
const LONG_NAME = 30;

function Opened({ trace }: { trace: Trace }) {
  const [view, setView] = useUrlFilter("view");
  const [span, choose] = useUrlFilter("span");
  const [hasPath, setPath] = useState(true);
  const colors = useMemo(() => colorsOf(trace.services), [trace]);
  const services = useMemo(() => countServices(trace), [trace]);
  const isFlame = view === "flame";
  useKeys({ f: () => setView(isFlame ? "" : "flame"), p: () => setPath((before) => !before) });
  return (
    <>
      <Warnings trace={trace} onChoose={choose} />
      <div className={classes.bar}>
        <SegmentedControl size="xs" aria-label="View" value={isFlame ? "flame" : "waterfall"} onChange={(value) => setView(value === "flame" ? value : "")} data={[{ value: "waterfall", label: "Waterfall" }, { value: "flame", label: "Flame" }]} />
        <ul className={classes.services} aria-label="Services">
          {services.map(([service, count]) => (
            <li key={service}>
              <i style={{ background: colors.get(service) }} aria-hidden />
              <span className="truncate" dir="auto" data-tip={service.length > LONG_NAME ? service : undefined}>{service}</span> <span className="faint tabular">{formatCount(count)}</span>
            </li>
          ))}
        </ul>
      </div>
      {isFlame ? <FlameView trace={trace} colors={colors} onChoose={choose} /> : <Waterfall trace={trace} colors={colors} chosen={span} onChoose={choose} hasPath={hasPath} onPath={setPath} />}
      <Section title="Logs of this trace" aside={<Go to={logsPath(trace)} className="link">open in Logs</Go>}>
        <TraceLogs trace={trace} onChoose={choose} />
      </Section>
      <SpanDrawer trace={trace} spanId={span} colors={colors} onChoose={choose} />
    </>
  );
}

function Summary({ trace }: { trace: Trace }) {
  return (
    <span className={classes.summary}>
      <span>{formatDuration(trace.durationUs / 1e6)}</span>
      <span>{plural(trace.count, "span")}</span>
      <span data-failed={trace.errors > 0 || undefined}>{plural(trace.errors, "error")}</span>
      <span>
        began <When at={new Date(trace.beganUs / 1000).toISOString()} />
      </span>
      <span className={classes.id}>
        <code>{trace.id}</code>
        <CopyButton text={trace.id} label="Copy the trace id" />
      </span>
    </span>
  );
}

function TraceWays({ trace }: { trace: Trace }) {
  const service = trace.services[trace.root] ?? "";
  return (
    <>
      <Button component={Go} to={aroundPath({ service, trace: trace.id, at: new Date(trace.beganUs / 1000).toISOString() })} variant="default" leftSection={<IconTimelineEvent size={14} />}>
        What moved then
      </Button>
      <AddToInvestigation cell={{ kind: "trace", content: { trace_id: trace.id, title: `${service}: ${trace.names[trace.root] ?? ""}`.slice(0, 500) } }} what="trace" />
    </>
  );
}

/** What to bear in mind before drawing conclusions. */
function Warnings({ trace, onChoose }: { trace: Trace; onChoose: (span: string) => void }) {
  const idle = trace.gaps.reduce((sum, [from, until]) => sum + until - from, 0);
  if (trace.warnings.length === 0 && idle === 0) return null;
  return (
    <Notice title="Bear in mind">
      <ul className={classes.warnings}>
        {trace.warnings.map((warning) => (
          <li key={warning.code}>
            {warning.message}{" "}
            {warning.rows.length > 0 && (
              <button type="button" className={classes.show} onClick={() => onChoose(trace.ids[warning.rows[0] as number] ?? "")}>
                Show {warning.rows.length > 1 ? "the first" : "it"}
              </button>
            )}
          </li>
        ))}
        {idle > 0 && (
          <li>
            No span ran for {formatDuration(idle / 1e6)} of {formatDuration(trace.durationUs / 1e6)}, in {plural(trace.gaps.length, "gap")}: something there is not traced, or has not come.
          </li>
        )}
      </ul>
    </Notice>
  );
}

function LogsLink({ trace }: { trace: Trace }) {
  return (
    <Button component={Go} to={logsPath(trace)} variant="default" leftSection={<IconFileText size={14} />}>
      Logs
    </Button>
  );
}
