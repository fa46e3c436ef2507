// One query: its letter, its editor, what the server said about it, what it cost.
import { ActionIcon, Button } from "@mantine/core";
import { IconAlertCircle, IconAlertTriangle, IconEye, IconEyeOff, IconInfoCircle, IconX } from "@tabler/icons-react";
import { useQueries } from "@tanstack/react-query";
import { type Ref, useMemo } from "react";
import type { Answer, Result, Stats } from "@/api/prom";
import { intervalQuery } from "@/api/promQueries";
import { type EditorHandle, QueryEditor } from "@/components/promql/QueryEditor";
import { problemOf } from "@/components/states";
import { letterOf } from "@/lib/explore";
import { formatBytes, formatDuration, formatSpan, plural } from "@/lib/format";
import { type Note, rateWindows, readNote, roundWindow, SCRAPES_PER_WINDOW } from "@/lib/promql";
import { matrixOf, vectorOf } from "@/lib/promSeries";
import classes from "./Explore.module.css";

export interface QueryState {
  expr: string;
  answer: Answer | undefined;
  error: Error | null;
  isFetching: boolean;
}

interface QueryRowProps {
  place: number;
  text: string;
  state: QueryState | undefined;
  isHidden: boolean;
  isOnly: boolean;
  onWrite: (text: string) => void;
  onRun: () => void;
  onDrop: () => void;
  onToggle: () => void;
  /** Writes a better text and runs it. */
  onFix: (text: string) => void;
  editor: Ref<EditorHandle>;
}

export function QueryRow({ place, text, state, isHidden, isOnly, onWrite, onRun, onDrop, onToggle, onFix, editor }: QueryRowProps) {
  const letter = letterOf(place);
  const notes = useMemo(() => (state ? notesOf(state) : []), [state]);
  const isCurrent = state !== undefined && state.expr === text;
  return (
    <div className={classes.query} data-hidden={isHidden || undefined}>
      <span className={classes.letter} aria-hidden>
        {letter}
      </span>
      <div className="grow">
        <QueryEditor ref={editor} value={text} onChange={onWrite} onRun={onRun} notes={notes} notesOf={state?.answer || state?.error ? state.expr : ""} label={`Query ${letter}`} placeholder="Write PromQL: a metric, rate(metric[5m]), sum by (job) (…)" />
        <div className={classes.under}>
          {isCurrent && notes.map((note, at) => <NoteLine key={at} note={note} />)}
          {isCurrent && <RateNote text={text} onFix={onFix} />}
          {isCurrent && state.answer && <Cost answer={state.answer} />}
        </div>
      </div>
      <div className={classes.queryActions}>
        <ActionIcon aria-label={isHidden ? `Show query ${letter}` : `Hide query ${letter}`} data-tip={isHidden ? "Show" : "Hide"} onClick={onToggle}>
          {isHidden ? <IconEyeOff size={15} /> : <IconEye size={15} />}
        </ActionIcon>
        {!(isOnly && text === "") && (
          <ActionIcon aria-label={`Remove query ${letter}`} data-tip="Remove" onClick={onDrop}>
            <IconX size={15} />
          </ActionIcon>
        )}
      </div>
    </div>
  );
}

function notesOf({ expr, answer, error }: QueryState): Note[] {
  if (error) {
    const problem = problemOf(error);
    return [readNote(problem.detail || problem.title, expr, "error")];
  }
  if (!answer) return [];
  return [...answer.warnings.map((text) => readNote(text, expr, "warning")), ...answer.infos.map((text) => readNote(text, expr, "info"))];
}

const ICONS = { error: IconAlertCircle, warning: IconAlertTriangle, info: IconInfoCircle } as const;
const WORDS = { error: "Error", warning: "Warning", info: "Note" } as const;

function NoteLine({ note }: { note: Note }) {
  const Icon = ICONS[note.severity];
  return (
    <p className={classes.note} data-severity={note.severity} role={note.severity === "error" ? "alert" : undefined}>
      <Icon size={14} aria-hidden />
      <span>
        <strong>{WORDS[note.severity]}</strong>
        {note.place && ` at ${note.place}`}: {note.message}
      </span>
    </p>
  );
}

function RateNote({ text, onFix }: { text: string; onFix: (text: string) => void }) {
  const windows = useMemo(() => rateWindows(text), [text]);
  const intervals = useQueries({ queries: windows.map(({ selector }) => intervalQuery(selector)) });
  const place = windows.findIndex(({ windowS }, at) => windowS < (intervals[at]?.data ?? 0) * SCRAPES_PER_WINDOW * 0.95);
  const found = windows[place];
  const interval = intervals[place]?.data;
  if (!found || !interval) return null;
  const wanted = roundWindow(interval * SCRAPES_PER_WINDOW);
  return (
    <p className={classes.note} data-severity="info">
      <IconInfoCircle size={14} aria-hidden />
      <span>
        <code>{found.fn}</code> looks back {found.window}, and samples come about every {formatSpan(interval)}. It needs two samples; a window of {SCRAPES_PER_WINDOW} scrapes ({wanted}) still has them when one is late or fails.{" "}
        <Button variant="default" size="compact-xs" onClick={() => onFix(text.replace(`[${found.window}]`, `[${wanted}]`))}>
          Use [{wanted}]
        </Button>
      </span>
    </p>
  );
}

function Cost({ answer }: { answer: Answer }) {
  const stats = (answer.data as Result & { stats?: Stats }).stats;
  const shown = answer.data.resultType === "matrix" ? matrixOf(answer.data).length : vectorOf(answer.data).length;
  const took = stats?.timings?.execTotalTime ?? stats?.timings?.evalTotalTime;
  const parts = [
    plural(shown, "series", "series"),
    stats?.samples?.totalQueryableSamples !== undefined ? `${plural(stats.samples.totalQueryableSamples, "sample")} read` : null,
    stats?.holdfast ? `from ${plural(stats.holdfast.series, "series", "series")}, ${formatBytes(stats.holdfast.peakBytes)}` : null,
    took !== undefined ? formatDuration(took) : null,
  ].filter(Boolean);
  return <p className={classes.cost}>{parts.join(" · ")}</p>;
}
