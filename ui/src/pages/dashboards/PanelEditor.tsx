// One panel in a form, with what it shows beside it. Nothing is taken over before "Done".
import { ActionIcon, Button, Checkbox, Select, Textarea, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useDeferredValue, useState } from "react";
import type { DashboardPanel, PanelKind, PanelQuery, PanelThreshold, Verdict } from "@/api/types";
import { QueryEditor } from "@/components/promql/QueryEditor";
import { blankQuery, type Chosen, KINDS } from "@/lib/dashboards";
import { letterOf } from "@/lib/explore";
import { VERDICT_WORD, VERDICTS } from "@/lib/status";
import { PanelView } from "./panels/PanelView";
import classes from "./Dashboard.module.css";

interface PanelEditorProps {
  panel: DashboardPanel;
  chosen: Chosen;
  onDone: (panel: DashboardPanel) => void;
  onClose: () => void;
  /** Something was changed, which would be lost without "Done". */
  onTouch: () => void;
}

const UNITS = ["", "seconds", "milliseconds", "bytes", "bytes/s", "percent", "ratio", "requests/s", "ops/s"];
const NO_NOTES: readonly never[] = [];

export function PanelEditor({ panel: given, chosen, onDone, onClose, onTouch }: PanelEditorProps) {
  const [panel, setPanel] = useState(given);
  // What is shown follows typing only when there is time: a query in the making is not asked at every key.
  const [shown, setShown] = useState(given);
  const preview = useDeferredValue({ ...panel, queries: shown.queries });
  const change = (part: Partial<DashboardPanel>): void => {
    onTouch();
    setPanel((current) => ({ ...current, ...part }));
  };
  const run = (): void => setShown(panel);
  return (
    <div className={classes.editor}>
      <div className={classes.form}>
        <div className={classes.pair}>
          <Select label="Kind" data={Object.entries(KINDS).map(([value, label]) => ({ value, label }))} value={panel.kind} onChange={(kind) => change({ kind: kind as PanelKind })} />
          <TextInput label="Title" value={panel.title} onChange={(event) => change({ title: event.currentTarget.value })} data-autofocus />
        </div>
        {panel.kind === "text" ? (
          <Textarea size="xs" label="Text, as Markdown" rows={12} value={String(panel.options?.["text"] ?? "")} onChange={(event) => change({ options: { ...panel.options, text: event.currentTarget.value } })} />
        ) : (
          <>
            <Queries queries={panel.queries} onChange={(queries) => change({ queries })} onRun={run} />
            <Look panel={panel} onChange={change} />
          </>
        )}
        <div className={classes.pair}>
          <Size label="Width, of 12" value={panel.span} most={12} onChange={(span) => change({ span })} />
          <Size label="Height, in rows" value={panel.height} most={40} onChange={(height) => change({ height })} />
          <TextInput label="Description" value={panel.description} onChange={(event) => change({ description: event.currentTarget.value })} />
        </div>
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          {panel.kind !== "text" && (
            <Button variant="default" onClick={run}>
              Run
            </Button>
          )}
          <Button onClick={() => onDone(panel)}>Done</Button>
        </div>
      </div>
      <div className={classes.preview}>
        <PanelView panel={{ ...preview, height: Math.max(6, preview.height) }} chosen={chosen} tools={<span className="faint small">as it will be</span>} />
      </div>
    </div>
  );
}

function Queries({ queries, onChange, onRun }: { queries: readonly PanelQuery[]; onChange: (queries: PanelQuery[]) => void; onRun: () => void }) {
  const replace = (at: number, part: Partial<PanelQuery>): void => onChange(queries.map((one, place) => (place === at ? { ...one, ...part } : one)));
  return (
    <>
      {queries.map((query, at) => (
        <div key={at} className={classes.query}>
          <QueryEditor value={query.expr} onChange={(expr) => replace(at, { expr })} onRun={onRun} notes={NO_NOTES} notesOf="" label={`Query ${letterOf(at)}`} placeholder="PromQL; $name stands for a variable, $__rate_interval for a good window" />
          <div className={classes.line}>
            <TextInput className="grow" aria-label={`Legend of query ${letterOf(at)}`} placeholder="Legend, such as {{instance}}" value={query.legend} onChange={(event) => replace(at, { legend: event.currentTarget.value })} />
            <ActionIcon aria-label={`Remove query ${letterOf(at)}`} disabled={queries.length === 1} onClick={() => onChange(queries.filter((_, place) => place !== at))}>
              <IconX size={15} />
            </ActionIcon>
          </div>
        </div>
      ))}
      <div>
        <Button variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => onChange([...queries, blankQuery()])} disabled={queries.length >= 26}>
          Add query
        </Button>
      </div>
    </>
  );
}

function Look({ panel, onChange }: { panel: DashboardPanel; onChange: (part: Partial<DashboardPanel>) => void }) {
  const units = [...new Set([...UNITS, panel.unit])].map((value) => ({ value, label: value || "none" }));
  const setThreshold = (at: number, part: Partial<PanelThreshold>): void => onChange({ thresholds: panel.thresholds.map((one, place) => (place === at ? { ...one, ...part } : one)) });
  return (
    <>
      <div className={classes.pair}>
        <Select label="Unit" data={units} value={panel.unit} onChange={(unit) => onChange({ unit: unit ?? "" })} />
        <TextInput label="Decimals" placeholder="as fits" inputMode="numeric" value={panel.decimals ?? ""} onChange={(event) => onChange({ decimals: /^\d{1,2}$/.test(event.currentTarget.value) ? Math.min(12, Number(event.currentTarget.value)) : null })} />
      </div>
      {panel.kind === "timeseries" && (
        <div className="row">
          <Checkbox size="xs" label="Stacked" checked={panel.options?.["stacked"] === true} onChange={(event) => onChange({ options: { ...panel.options, stacked: event.currentTarget.checked } })} />
          <Checkbox size="xs" label="Exemplars" checked={panel.options?.["exemplars"] !== false} onChange={(event) => onChange({ options: { ...panel.options, exemplars: event.currentTarget.checked } })} />
          <Checkbox size="xs" label="Events" checked={panel.options?.["events"] !== false} onChange={(event) => onChange({ options: { ...panel.options, events: event.currentTarget.checked } })} />
        </div>
      )}
      {(panel.kind === "gauge" || panel.kind === "bar") && (
        <div className={classes.pair}>
          {panel.kind === "gauge" && <End label="Begins at" placeholder="0" value={panel.options?.["min"]} onChange={(min) => onChange({ options: withOption(panel, "min", min) })} />}
          <End label="Is full at" placeholder="by itself" value={panel.options?.["max"]} onChange={(max) => onChange({ options: withOption(panel, "max", max) })} />
        </div>
      )}
      {["stat", "gauge", "bar"].includes(panel.kind) && (
        <div className={classes.form}>
          {panel.thresholds.map((one, at) => (
            <div key={at} className={classes.line}>
              <TextInput label={at === 0 ? "From" : undefined} aria-label={`Threshold ${at + 1} begins at`} type="number" step="any" value={one.value} onChange={(event) => setThreshold(at, { value: Number(event.currentTarget.value) })} />
              <Select label={at === 0 ? "on it is" : undefined} aria-label={`Threshold ${at + 1} means`} data={VERDICTS.map((value) => ({ value, label: VERDICT_WORD[value] }))} value={one.status} onChange={(status) => setThreshold(at, { status: (status ?? "up") as Verdict })} />
              <ActionIcon aria-label={`Remove threshold ${at + 1}`} onClick={() => onChange({ thresholds: panel.thresholds.filter((_, place) => place !== at) })}>
                <IconX size={15} />
              </ActionIcon>
            </div>
          ))}
          <div>
            <Button variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => onChange({ thresholds: [...panel.thresholds, { value: 0, status: "up" }] })}>
              Add threshold
            </Button>
          </div>
        </div>
      )}
    </>
  );
}

function withOption({ options }: DashboardPanel, name: string, value: number | null): Record<string, unknown> {
  const { [name]: _, ...others } = { ...options };
  return value === null ? others : { ...others, [name]: value };
}

function End({ label, placeholder, value, onChange }: { label: string; placeholder: string; value: unknown; onChange: (value: number | null) => void }) {
  return <TextInput label={label} placeholder={placeholder} type="number" step="any" value={typeof value === "number" ? value : ""} onChange={({ currentTarget }) => onChange(currentTarget.value === "" ? null : Number(currentTarget.value))} />;
}

function Size({ label, value, most, onChange }: { label: string; value: number; most: number; onChange: (value: number) => void }) {
  return <TextInput label={label} type="number" min={1} max={most} value={value} onChange={(event) => onChange(Math.max(1, Math.min(most, Math.round(Number(event.currentTarget.value)) || 1)))} />;
}
