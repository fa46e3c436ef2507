// One span in full: times, status, attributes, resource, events, links.
import { Button, Drawer } from "@mantine/core";
import { IconAlertCircle, IconFileText, IconServer2, IconTimelineEvent } from "@tabler/icons-react";
import type { OpenTrace, SpanDetail } from "@/api/traces";
import { CopyButton } from "@/components/CopyButton";
import { AddToInvestigation } from "@/components/collect/AddToInvestigation";
import { Go, servicePath } from "@/components/Go";
import { Section } from "@/components/Page";
import { Empty } from "@/components/states";
import table from "@/components/table.module.css";
import { aroundPath } from "@/lib/around";
import { formatDuration } from "@/lib/format";
import { formatAbsolute } from "@/lib/time";
import { rowOf, type Trace } from "@/lib/traces/model";
import { addAttribute, traceLogQuery, tracePath } from "@/lib/traces/search";
import classes from "./TracePage.module.css";

interface SpanDrawerProps {
  open: OpenTrace;
  /** Empty while the drawer is closed. */
  spanId: string;
  colors: ReadonlyMap<string, string>;
  onChoose: (span: string) => void;
}

export function SpanDrawer({ open, spanId, colors, onChoose }: SpanDrawerProps) {
  const span = spanId ? open.detail(spanId) : null;
  return (
    <Drawer opened={spanId !== ""} onClose={() => onChoose("")} position="right" size={560} title={<span className={classes.title}>{span?.name ?? "Span"}</span>} closeButtonProps={{ "aria-label": "Close" }}>
      {spanId !== "" && (span ? <Detail span={span} trace={open.trace} color={colors.get(span.service) ?? ""} onChoose={onChoose} /> : <Empty isSmall title="No such span">The trace holds no span {spanId}; it may not have come yet.</Empty>)}
    </Drawer>
  );
}

function Detail({ span, trace, color, onChoose }: { span: SpanDetail; trace: Trace; color: string; onChoose: (span: string) => void }) {
  const row = rowOf(trace, span.id);
  const parent = span.parentId ? rowOf(trace, span.parentId) : -1;
  return (
    <div className={classes.drawer}>
      <p className="row wrap">
        <i className={classes.dot} style={{ background: color }} aria-hidden />
        <strong>{span.service}</strong>
        {span.kind && <span className="dim">{span.kind}</span>}
        {span.status === "error" && (
          <span className={classes.failed}>
            <IconAlertCircle size={14} aria-hidden /> failed
          </span>
        )}
      </p>
      <SpanWays span={span} trace={trace} />
      {span.statusMessage && <p className={classes.fault}>{span.statusMessage}</p>}
      <dl className={classes.facts}>
        <dt>Took</dt>
        <dd>{formatDuration(span.durationUs / 1e6)}, {formatDuration((trace.selfTimes[row] ?? 0) / 1e6)} itself</dd>
        <dt>Began</dt>
        <dd>
          {formatDuration((trace.starts[row] ?? 0) / 1e6)} after the trace <span className="faint">{formatAbsolute(new Date(span.startUs / 1000))}</span>
        </dd>
        <dt>Span id</dt>
        <dd>
          <code>{span.id}</code> <CopyButton text={span.id} label="Copy the span id" />
        </dd>
        <dt>Parent</dt>
        <dd>
          {parent >= 0 ? (
            <button type="button" className={classes.show} onClick={() => onChoose(span.parentId)}>{trace.names[parent]}</button>
          ) : span.parentId ? (
            <span className="dim">{span.parentId} has not come</span>
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
  const at = new Date(span.startUs / 1000).toISOString();
  return (
    <p className="row wrap">
      <Button component={Go} to={spanLogsPath(trace, span)} variant="default" size="compact-xs" leftSection={<IconFileText size={13} />}>
        Its logs
      </Button>
      <Button component={Go} to={servicePath(span.service)} variant="default" size="compact-xs" leftSection={<IconServer2 size={13} />}>
        Service
      </Button>
      <Button component={Go} to={aroundPath({ service: span.service, at })} variant="default" size="compact-xs" leftSection={<IconTimelineEvent size={13} />}>
        What moved then
      </Button>
      <AddToInvestigation cell={{ kind: "trace", content: { trace_id: trace.id, span_id: span.id, title: `${span.service}: ${span.name}`.slice(0, 500) } }} what="span" isSmall />
    </p>
  );
}

/** Lines of the span, from a minute before its trace until a minute after it. */
function spanLogsPath(trace: Trace, span: SpanDetail): string {
  const from = new Date(trace.beganUs / 1000 - 60_000).toISOString();
  const to = new Date((trace.beganUs + trace.durationUs) / 1000 + 60_000).toISOString();
  return `/logs?${new URLSearchParams({ q: `${traceLogQuery(trace.id)} | span_id="${span.id}"`, from, to }).toString()}`;
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
            <span className="faint tabular" data-tip={formatAbsolute(new Date(event.atUs / 1000))}>+{formatDuration((event.atUs - span.startUs) / 1e6)}</span>
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
          <li key={`${link.traceId}/${link.spanId}`}>
            <Go to={tracePath(link.traceId, link.spanId)} className="link mono">
              {link.traceId}
            </Go>{" "}
            <span className="faint mono">{link.spanId}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
