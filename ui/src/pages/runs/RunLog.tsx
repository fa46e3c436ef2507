// Everything that the run and its steps said, live.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { logQuery } from "@/api/runQueries";
import type { RunDetail } from "@/api/types";
import { FilterInput } from "@/components/FilterInput";
import { LogLines } from "@/components/LogLines";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import { formatCount, plural } from "@/lib/format";
import { isOver } from "@/lib/runs";
import { matchesText } from "@/lib/text";
import { useUrlFilter } from "@/state/timerange";
import classes from "./RunLog.module.css";

export function RunLog({ run, onChoose }: { run: RunDetail; onChoose: (step: string) => void }) {
  const query = useQuery(logQuery(run.id, null));
  const [text] = useUrlFilter("find");
  const lines = query.data;
  const shown = useMemo(() => (lines ?? []).filter((line) => matchesText(text, [line.text, line.step])), [lines, text]);
  return (
    <>
      <div className={classes.tools}>
        <FilterInput name="find" placeholder="Filter lines" />
        <span className="faint small tabular">
          {lines && (shown.length === lines.length ? plural(lines.length, "line") : `${formatCount(shown.length)} of ${plural(lines.length, "line")}`)}
        </span>
      </div>
      <QueryView query={query} skeleton={<SkeletonRows rows={10} height={20} />}>
        {() =>
          shown.length > 0 ? (
            <LogLines lines={shown} isLive={!isOver(run.state)} onChoose={onChoose} />
          ) : (
            <Empty title={text ? "No line matches" : "It has said nothing yet"} isSmall>
              What <code>ctx.log</code>, <code>step.log</code> and the output of subprocesses and containers say appears here.
            </Empty>
          )
        }
      </QueryView>
    </>
  );
}
