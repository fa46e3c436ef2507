// One field per variable above the panels.
import { MultiSelect, Select, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { problemOf } from "@/components/states";
import { ALL } from "@/lib/dashboards";
import type { Chosen } from "@/lib/dashboards";
import type { VariableState } from "./variables";
import classes from "./Dashboard.module.css";

export function VariableBar({ states, chosen, onChoose }: { states: readonly VariableState[]; chosen: Chosen; onChoose: (name: string, values: readonly string[]) => void }) {
  const shown = states.filter(({ variable }) => variable.kind !== "constant");
  if (shown.length === 0) return null;
  return (
    <div className={classes.variables}>
      {shown.map((state) => (
        <Field key={state.variable.name} state={state} values={chosen[state.variable.name] ?? []} onChoose={(values) => onChoose(state.variable.name, values)} />
      ))}
    </div>
  );
}

function Field({ state, values, onChoose }: { state: VariableState; values: readonly string[]; onChoose: (values: readonly string[]) => void }) {
  const { variable, options, error } = state;
  const label = variable.label || variable.name;
  if (variable.kind === "text") return <TextField label={label} value={values[0] ?? ""} onWrite={(text) => onChoose([text])} />;
  const names = [...new Set([...options, ...values.filter((value) => value !== ALL)])];
  const data = [...(variable.include_all ? [{ value: ALL, label: "All" }] : []), ...names.map((value) => ({ value, label: value || "(empty)" }))];
  const fault = error ? `Cannot be read: ${problemOf(error).detail || problemOf(error).title}` : undefined;
  if (!variable.multi) return <Select className={classes.variable} label={label} data={data} value={values[0] ?? null} error={fault} searchable onChange={(value) => onChoose(value === null ? [] : [value])} />;
  return (
    <MultiSelect
      size="xs"
      className={classes.variable}
      classNames={{ inputField: classes.typing }}
      label={label}
      data={data}
      value={[...values]}
      error={fault}
      searchable
      onChange={(next) => onChoose(next[next.length - 1] === ALL ? [ALL] : next.filter((value) => value !== ALL))}
    />
  );
}

function TextField({ label, value, onWrite }: { label: string; value: string; onWrite: (text: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  return <TextInput className={classes.variable} label={label} value={text} onChange={(event) => setText(event.currentTarget.value)} onBlur={() => onWrite(text)} onKeyDown={(event) => event.key === "Enter" && onWrite(text)} />;
}
