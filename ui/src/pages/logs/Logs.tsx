// Logs: ask LogQL, see how many lines came and read them; everything that is asked stands in the address.
import { Button, SegmentedControl } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { countQuery, numbersQuery } from "@/api/logQueries";
import type { CellBody } from "@/api/types";
import type { EditorHandle } from "@/components/editor/CodeEditor";
import { LogQueryEditor } from "@/components/logql/LogQueryEditor";
import { AddToInvestigation } from "@/components/collect/AddToInvestigation";
import { SavedMenu } from "@/components/collect/SavedMenu";
import { Page } from "@/components/Page";
import { MOD } from "@/components/shell/TopBar";
import { problemOf } from "@/components/states";
import { isMetricQuery, readLogNote, type FieldFilter, withFilter } from "@/lib/logql";
import type { LogLine } from "@/lib/logs";
import type { LogTab } from "@/lib/logview";
import { useKeys } from "@/state/shortcuts";
import { resolveRange } from "@/lib/timerange";
import { useTimeRange } from "@/state/timerange";
import { Beginning } from "./Beginning";
import { ContextDrawer } from "./ContextDrawer";
import { FieldsPanel } from "./FieldsPanel";
import { FilterRow } from "./FilterRow";
import { LinesView } from "./LinesView";
import { type LinesState, useLines } from "./lines";
import { NumbersView } from "./NumbersView";
import { PageActions } from "./PageActions";
import { PatternsView } from "./PatternsView";
import { QueryNote } from "./QueryNote";
import { useLogView } from "./view";
import { VolumeChart } from "./VolumeChart";
import classes from "./Logs.module.css";

export function Logs() {
  const viewing = useLogView();
  const { view, draft, run, change } = viewing;
  const { range } = useTimeRange();
  const isAsked = view.expr.trim() !== "";
  const isMetric = isMetricQuery(view.expr);
  const canLive = range.kind === "preset" && view.isNewestFirst && isAsked && !isMetric;
  const isLive = view.isLive && canLive;
  const lines = useLines({ expr: view.expr, range, isNewestFirst: view.isNewestFirst, isLive, isAsked: isAsked && !isMetric });
  const counts = useQuery({ ...countQuery(view.expr, range, isLive), enabled: isAsked && !isMetric && lines.first !== undefined });
  const numbers = useQuery({ ...numbersQuery(view.expr, range), enabled: isAsked && isMetric });
  const error = isMetric ? numbers.error : lines.error;
  const notes = useMemo(() => (error ? [readLogNote(problemOf(error).detail || problemOf(error).title, view.expr)] : []), [error, view.expr]);
  const [around, setAround] = useState<LogLine | null>(null);
  const editor = useRef<EditorHandle>(null);
  useKeys({
    e: () => editor.current?.focus(),
    w: () => change({ isWrapped: !view.isWrapped }),
    f: () => change({ hasFields: !view.hasFields }),
    " ": () => isLive && lines.tail.togglePause(),
    l: () => canLive && change({ isLive: !view.isLive }),
  });
  const filter = (wanted: FieldFilter): void => run(withFilter(view.expr, wanted));
  const toggleColumn = (name: string): void => change({ columns: view.columns.includes(name) ? view.columns.filter((one) => one !== name) : [...view.columns, name] });
  return (
    <Page title="Logs" name="Logs" actions={<><PageActions view={view} lines={lines.lines} canLive={canLive} isLive={isLive} onChange={change} /><SavedMenu kind="logs" query={view.expr} /><AddButton expr={view.expr} /></>}>
      <div className={classes.query}>
        <div className="grow">
          <LogQueryEditor ref={editor} value={draft} onChange={viewing.write} onRun={() => run()} notes={notes} notesOf={view.expr} label="Query" placeholder={'Write LogQL: {service_name="orders"} |= "timeout"'} />
          <QueryNote note={draft === view.expr ? notes[0] : undefined} cost={costOf(isMetric, lines)} />
        </div>
        <Button leftSection={<IconPlayerPlay size={14} />} onClick={() => run()} variant={viewing.isDraft ? "filled" : "default"} data-tip={`Run  ${MOD} Enter`}>
          Run
        </Button>
      </div>
      {!isAsked ? (
        <Beginning onChoose={run} />
      ) : isMetric ? (
        <NumbersView expr={view.expr} numbers={numbers} />
      ) : (
        <>
          <FilterRow view={view} counts={counts.data} onRun={run} onChange={change} />
          {!error && <VolumeChart counts={counts} />}
          <SegmentedControl className={classes.tabs} size="xs" aria-label="Show" value={view.tab} onChange={(tab) => change({ tab: tab as LogTab })} data={[{ value: "lines", label: "Lines" }, { value: "patterns", label: "Patterns" }]} />
          {view.tab === "patterns" ? (
            <PatternsView expr={view.expr} onRun={run} />
          ) : (
            <div className={classes.body} data-fields={view.hasFields || undefined}>
              {view.hasFields && <FieldsPanel expr={view.expr} columns={view.columns} onFilter={filter} onColumn={toggleColumn} />}
              <LinesView state={lines} view={view} isLive={isLive} onFilter={filter} onColumn={toggleColumn} onContext={setAround} />
            </div>
          )}
        </>
      )}
      <ContextDrawer line={around} onClose={() => setAround(null)} />
    </Page>
  );
}

function AddButton({ expr }: { expr: string }) {
  const { range } = useTimeRange();
  const cell = (): CellBody => {
    const { start, end } = resolveRange(range, new Date());
    return { kind: "logs", content: { queries: [expr], start: start.toISOString(), end: end.toISOString() } };
  };
  return <AddToInvestigation cell={cell} what="search" isDisabled={expr.trim() === ""} />;
}

function costOf(isMetric: boolean, { first, error }: LinesState) {
  return isMetric || error ? undefined : first?.cost;
}
