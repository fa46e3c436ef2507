// One span in full: times, status, attributes, resource, events, links.
import { Button, Drawer } from "@mantine/core";
import { IconAlertCircle, IconFileText, IconServer2, IconTimelineEvent } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { spanQuery } from "@/api/traceQueries";
import type { SpanDetail } from "@/api/types";
import { CopyButton } from "@/components/CopyButton";
import { AddToInvestigation } from "@/components/collect/AddToInvestigation";
import { Go, servicePath } from "@/components/Go";
import { Section } from "@/components/Page";
import { QueryView, SkeletonRows } from "@/components/states";
import table from "@/components/table.module.css";
import { aroundPath } from "@/lib/around";
import { formatDuration, formatNumber } from "@/lib/format";
import { formatAbsolute } from "@/lib/time";
import { rowOf, type Trace } from "@/lib/traces/model";
import { addAttribute, tracePath } from "@/lib/traces/search";
import { logsPath } from "./logsPath";
import classes from "./TracePage.module.css";

interface SpanDrawerProps {
  trace: Trace;
  /** Empty while the drawer is closed. */
  spanId: string;
  colors: ReadonlyMap<string, string>;
  onChoose: (span: string) => void;
}

export function SpanDrawer({ trace, spanId, colors, onChoose }: SpanDrawerProps) {
  const query = useQuery(spanQuery(trace.id, spanId));
  const name = spanId ? trace.names[rowOf(trace, spanId)] : undefined;
  return (
    <Drawer opened={spanId !== ""} onClose={() => onChoose("")} position="right" size={560} title={<span className={classes.title}>{name ?? "Span"}</span>} closeButtonProps={{ "aria-label": "Close" }}>
      {spanId !== "" && (
        <QueryView query={query} skeleton={<SkeletonRows rows={8} />}>
          {(spans) => spans.map((span, at) => <Detail key={at} span={span} trace={trace} color={colors.get(span.service) ?? ""} onChoose={onChoose} />)}
        </QueryView>
      )}
    </Drawer>
  );
}

function Detail({ span, trace, color, onChoose }: { span: SpanDetail; trace: Trace; color: string; onChoose: (span: string) => void }) {
  const row = rowOf(trace, span.span_id);
  const parent = span.parent_id ? rowOf(trace, span.parent_id) : -1;
  return (
    <div className={classes.drawer}>
      <p className="row wrap">
        <i className={classes.dot} style={{ background: color }} aria-hidden />
        <strong>{span.service}</strong>
        {span.kind !== "unspecified" && <span className="dim">{span.kind}</span>}
        {span.status === "error" && (
          <span className={classes.failed}>
            <IconAlertCircle size={14} aria-hidden /> failed
          </span>
        )}
      </p>
      <SpanWays span={span} trace={trace} />
      {span.status_message && <p className={classes.fault}>{span.status_message}</p>}
      <dl className={classes.facts}>
        <dt>Took</dt>
        <dd>{formatDuration(span.duration_ns / 1e9)}, {formatDuration((trace.selfTimes[row] ?? 0) / 1e6)} itself</dd>
        <dt>Began</dt>
        <dd>
          {formatDuration((trace.starts[row] ?? 0) / 1e6)} after the trace <span className="faint">{formatAbsolute(new Date(span.started_at))}</span>
        </dd>
        <dt>Span id</dt>
        <dd>
          <code>{span.span_id}</code> <CopyButton text={span.span_id} label="Copy the span id" />
        </dd>
        <dt>Parent</dt>
        <dd>
          {parent >= 0 ? (
            <button type="button" className={classes.show} onClick={() => onChoose(span.parent_id)}>{trace.names[parent]}</button>
          ) : span.parent_id ? (
            <span className="dim">{span.parent_id} has not come</span>
          ) : (
            <span className="dim">none: it is a root</span>
          )}
        </dd>
        {span.scope && (
          <>
            <dt>Scope</dt>
            <dd>{span.scope}</dd>
          </>
        )}
        {span.weight !== 1 && (
          <>
            <dt>Stands for</dt>
            <dd>{formatNumber(span.weight)} spans: a sampler left out the others</dd>
          </>
        )}
      </dl>
      <Pairs title="Attributes" pairs={span.attributes} service={span.service} />
      <Events span={span} />
      <Links span={span} />
      <Pairs title="Resource" pairs={span.resource} service={span.service} />
    </div>
  );
}

/** The ways on from a span: its lines, its service, what else moved then. */
function SpanWays({ span, trace }: { span: SpanDetail; trace: Trace }) {
  return (
    <p className="row wrap">
      <Button component={Go} to={logsPath(trace, span.span_id)} variant="default" size="compact-xs" leftSection={<IconFileText size={13} />}>
        Its logs
      </Button>
      <Button component={Go} to={servicePath(span.service)} variant="default" size="compact-xs" leftSection={<IconServer2 size={13} />}>
        Service
      </Button>
      <Button component={Go} to={aroundPath({ service: span.service, at: span.started_at })} variant="default" size="compact-xs" leftSection={<IconTimelineEvent size={13} />}>
        What moved then
      </Button>
      <AddToInvestigation cell={{ kind: "trace", content: { trace_id: trace.id, span_id: span.span_id, title: `${span.service}: ${span.name}`.slice(0, 500) } }} what="span" isSmall />
    </p>
  );
}

/** Names and values; each leads to the traces that say the same. */
function Pairs({ title, pairs, service }: { title: string; pairs: Record<string, unknown>; service: string }) {
  const entries = Object.entries(pairs).sort((a, b) => a[0].localeCompare(b[0]));
  if (entries.length === 0) return null;
  return (
    <Section title={title}>
      <table className={`${table.table} ${table.plain} ${classes.pairs}`}>
        <tbody>
          {entries.map(([name, value]) => (
            <tr key={name}>
              <td className="mono dim" data-tip={name}>{name}</td>
              <td className="mono">
                <span>{textOf(value)}</span>
                <Go to={`/traces?${new URLSearchParams({ service, attributes: addAttribute("", name, textOf(value)) }).toString()}`} className="link bare" aria-label={`find traces with this ${name}`} data-tip="Traces that say the same">
                  find
                </Go>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function Events({ span }: { span: SpanDetail }) {
  if (span.events.length === 0) return null;
  return (
    <Section title="Events">
      <ol className={classes.events}>
        {span.events.map((event, at) => (
          <li key={at}>
            <span className="faint tabular" data-tip={formatAbsolute(new Date(Date.parse(span.started_at) + event.offset_ns / 1e6))}>+{formatDuration(event.offset_ns / 1e9)}</span>
            <div>
              <strong>{event.name || "event"}</strong>
              {Object.entries(event.attributes).map(([name, value]) => (
                <pre key={name} tabIndex={0}>
                  <span className="faint">{name}=</span>
                  {textOf(value)}
                </pre>
              ))}
            </div>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Links({ span }: { span: SpanDetail }) {
  if (span.links.length === 0) return null;
  return (
    <Section title="Links">
      <ul className={classes.links}>
        {span.links.map((link) => (
          <li key={`${link.trace_id}/${link.span_id}`}>
            <Go to={tracePath(link.trace_id, link.span_id)} className="link mono">
              {link.trace_id}
            </Go>{" "}
            <span className="faint mono">{link.span_id}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
