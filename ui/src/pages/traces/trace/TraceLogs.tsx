// The log lines that carry the trace's id, with the moment of the trace at which each was written.
import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { traceLogsQuery } from "@/api/traceQueries";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import { formatDuration } from "@/lib/format";
import { withoutColors } from "@/lib/logs";
import { formatAbsolute } from "@/lib/time";
import type { Trace } from "@/lib/traces/model";
import { useMay } from "@/state/session";
import { useSight } from "@/state/virtual";
import classes from "./TracePage.module.css";

const LINE_PX = 22;
const MOST_LINES_IN_SIGHT = 16;

export function TraceLogs({ trace, onChoose }: { trace: Trace; onChoose: (span: string) => void }) {
  const may = useMay("logs.read");
  const query = useQuery({ ...traceLogsQuery(trace.id, trace.beganUs, trace.durationUs), enabled: may });
  const area = useRef<HTMLDivElement>(null);
  const lines = query.data ?? [];
  const sight = useSight(area, lines.length, LINE_PX);
  if (!may) return <p className="faint">Your role may not read logs.</p>;
  return (
    <QueryView query={query} skeleton={<SkeletonRows rows={3} height={LINE_PX} />}>
      {() =>
        lines.length === 0 ? (
          <Empty isSmall title="No line carries this trace's id">OpenTelemetry's logging handlers write it by themselves; plain lines are found by a field trace_id.</Empty>
        ) : (
          <div ref={area} className={classes.logs} style={{ height: Math.min(lines.length, MOST_LINES_IN_SIGHT) * LINE_PX + 2 }} tabIndex={0} role="log" aria-live="off" aria-label="Logs of this trace">
            <div style={{ height: lines.length * LINE_PX, position: "relative" }}>
              {lines.slice(sight.from, sight.to).map((line, at) => (
                <div key={sight.from + at} className={classes.logLine} style={{ transform: `translateY(${(sight.from + at) * LINE_PX}px)` }}>
                  <span className={classes.logTime} data-tip={formatAbsolute(new Date(line.atUs / 1000))}>
                    {line.atUs < trace.beganUs ? "-" : "+"}
                    {formatDuration(Math.abs(line.atUs - trace.beganUs) / 1e6)}
                  </span>
                  <span className={classes.logLevel} data-level={line.level || undefined}>{line.level}</span>
                  <span className={`${classes.logService} truncate`}>{line.service}</span>
                  {line.spanId ? (
                    <button type="button" className={classes.logText} onClick={() => onChoose(line.spanId)} data-tip="Show its span">
                      {withoutColors(line.text)}
                    </button>
                  ) : (
                    <span className={classes.logText}>{withoutColors(line.text)}</span>
                  )}
                </div>
              ))}
            </div>
          </div>
        )
      }
    </QueryView>
  );
}
