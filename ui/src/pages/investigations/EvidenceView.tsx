// What was seen when a cell was made: curves, lines, spans, a sentence. None of it is asked anew.
import { useMemo } from "react";
import type { InvestigationCell } from "@/api/types";
import { Sparkline } from "@/components/Sparkline";
import { type KeptLine, type KeptSeries, type KeptTrace, labelText, linesOfEvidence, seriesOf, traceOfEvidence } from "@/lib/cells";
import { formatDuration, formatNumber, plural } from "@/lib/format";
import { withoutColors } from "@/lib/logs";
import { formatAbsolute } from "@/lib/time";
import { KeptChart } from "./KeptChart";
import classes from "./Investigation.module.css";

const SPANS_SHOWN = 30;
const LINES_SHOWN = 50;

export function EvidenceView({ cell }: { cell: InvestigationCell }) {
  const { content, evidence } = cell;
  const data = evidence.data ?? {};
  const series = useMemo(() => seriesOf(data), [data]);
  const lines = linesOfEvidence(data);
  const trace = traceOfEvidence(data);
  return (
    <>
      {(content.queries ?? []).map((query) => (
        <pre key={query} className={classes.query} tabIndex={0}>{query}</pre>
      ))}
      {content.finding && <FindingView finding={content.finding} />}
      {content.line && <Lines lines={[{ ns: content.line.ns, text: content.line.text, labels: content.line.labels ?? {} }]} isCut={false} hasLabels />}
      {series && <SeriesView kept={series} />}
      {lines && <Lines lines={lines} isCut={data["is_cut"] === true} />}
      {trace && <TraceView trace={trace} />}
      {evidence.problem ? (
        <p className="faint small">Nothing was kept: {evidence.problem}</p>
      ) : (
        evidence.taken_at && <p className="faint small">As seen at {formatAbsolute(new Date(evidence.taken_at))}.</p>
      )}
    </>
  );
}

function SeriesView({ kept }: { kept: KeptSeries }) {
  if (kept.series.length === 0) return <p className="faint">No series answered.</p>;
  return (
    <>
      <KeptChart kept={kept} />
      {kept.leftOut > 0 && <p className="faint small">{plural(kept.leftOut, "more series", "more series")} were not kept.</p>}
    </>
  );
}

function Lines({ lines, isCut, hasLabels = false }: { lines: readonly KeptLine[]; isCut: boolean; hasLabels?: boolean }) {
  if (lines.length === 0) return <p className="faint">No line was found.</p>;
  const more = lines.length - LINES_SHOWN;
  return (
    <div className={classes.lines} tabIndex={0} role="group" aria-label="Lines as they were seen">
      {lines.slice(0, LINES_SHOWN).map((line, at) => (
        <div key={`${line.ns}/${at}`} className={classes.line}>
          <span className="faint tabular">{formatAbsolute(new Date(Number(line.ns.slice(0, -6) || "0")))}</span>
          <span className={classes.text}>{withoutColors(line.text)}</span>
          {hasLabels && <span className="faint">{labelText(line.labels)}</span>}
        </div>
      ))}
      {(more > 0 || isCut) && <div className="faint">{more > 0 ? plural(more, "more line") : "more lines"}{isCut && more > 0 ? ", and some that were not kept" : ""}</div>}
    </div>
  );
}

function TraceView({ trace }: { trace: KeptTrace }) {
  const whole = Math.max(trace.durationNs, 1);
  return (
    <div className={classes.trace}>
      <p className="dim">
        {formatDuration(trace.durationNs / 1e9)}, {plural(trace.count, "span")}, {trace.errors} failed
      </p>
      <ol className={classes.spans}>
        {trace.spans.slice(0, SPANS_SHOWN).map((span, at) => (
          <li key={`${span.id}/${at}`} data-failed={span.isFailed || undefined}>
            <span className={classes.span} style={{ paddingLeft: Math.min(span.depth, 12) * 10 }}>
              <span className="truncate" title={span.name}>
                <span className="dim">{span.service}</span> {span.name}
              </span>
              {span.isFailed && <strong>failed</strong>}
            </span>
            <span className={classes.track} aria-hidden>
              <i style={{ left: `${Math.min((span.startNs / whole) * 100, 99.5)}%`, width: `${Math.max((span.durationNs / whole) * 100, 0.5)}%` }} />
            </span>
            <span className="faint tabular">{formatDuration(span.durationNs / 1e9)}</span>
          </li>
        ))}
      </ol>
      {trace.count > SPANS_SHOWN && <p className="faint small">{plural(trace.count - SPANS_SHOWN, "more span")}</p>}
    </div>
  );
}

function FindingView({ finding }: { finding: NonNullable<InvestigationCell["content"]["finding"]> }) {
  const curve = finding.curve ?? [];
  const last = curve.findLast((value) => value !== null);
  return (
    <div className={classes.finding}>
      <p>
        <span className="faint tabular">{formatAbsolute(new Date(finding.moved_at))}</span> {finding.reason}
      </p>
      {curve.length > 0 && <Sparkline values={curve} width={240} height={36} label={`The curve; its last value is ${formatNumber(last)}`} />}
    </div>
  );
}
