// The variables of a dashboard: what `$name` may be in queries and titles.
import { ActionIcon, Button, Checkbox, Select, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useState } from "react";
import type { DashboardVariable } from "@/api/types";
import { filterValues } from "@/lib/dashboards";
import classes from "./Dashboard.module.css";

const KINDS = [
  { value: "query", label: "Values of a query" },
  { value: "custom", label: "A list" },
  { value: "interval", label: "Intervals" },
  { value: "text", label: "Free text" },
  { value: "constant", label: "Constant" },
];
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

interface VariablesEditorProps {
  variables: readonly DashboardVariable[];
  onDone: (variables: DashboardVariable[]) => void;
  /** Something was changed, which would be lost without "Done". */
  onTouch: () => void;
}

export function VariablesEditor({ variables: given, onDone, onTouch }: VariablesEditorProps) {
  // Each keeps its fields when one before it goes.
  const [kept, setKept] = useState(() => given.map((variable, key) => ({ key, variable })));
  const [nextKey, setNextKey] = useState(given.length);
  const variables = kept.map(({ variable }) => variable);
  const keep = (next: typeof kept): void => {
    onTouch();
    setKept(next);
  };
  const change = (at: number, part: Partial<DashboardVariable>): void => keep(kept.map((one, place) => (place === at ? { ...one, variable: { ...one.variable, ...part } } : one)));
  const add = (): void => {
    keep([...kept, { key: nextKey, variable: { name: freeName(variables), kind: "query", label: "", query: "", options: [], multi: false, include_all: false, default: "", regex: "", all_value: "" } }]);
    setNextKey(nextKey + 1);
  };
  const names = variables.map((one) => one.name);
  const isSound = names.every((name, at) => NAME.test(name) && names.indexOf(name) === at);
  return (
    <div className={classes.form} onInput={onTouch}>
      {variables.length === 0 && <p className="dim">A variable is one field above the panels; queries use it as <code>$name</code>.</p>}
      {kept.map(({ key, variable }, at) => (
        <div key={key} className={classes.query}>
          <div className={`${classes.line} ${classes.named}`}>
            <TextInput label="Name" value={variable.name} error={!NAME.test(variable.name) || names.indexOf(variable.name) !== at} onChange={(event) => change(at, { name: event.currentTarget.value })} />
            <Select label="Kind" data={KINDS} value={variable.kind} onChange={(kind) => change(at, { kind: kind as DashboardVariable["kind"] })} />
            <TextInput className="grow" label="Label" value={variable.label} onChange={(event) => change(at, { label: event.currentTarget.value })} />
            <ActionIcon aria-label={`Remove variable ${variable.name}`} onClick={() => keep(kept.filter((_, place) => place !== at))}>
              <IconX size={15} />
            </ActionIcon>
          </div>
          {variable.kind === "custom" || variable.kind === "interval" ? (
            <TextInput label="Values, by commas" defaultValue={variable.options.join(", ")} onBlur={(event) => event.currentTarget.value !== variable.options.join(", ") && change(at, { options: event.currentTarget.value.split(",").map((one) => one.trim()).filter(Boolean) })} />
          ) : variable.kind === "query" ? (
            <>
              <TextInput label="Query" placeholder="label_values(up, job)" value={variable.query} onChange={(event) => change(at, { query: event.currentTarget.value })} />
              <TextInput label="Keep what matches" placeholder="/instance=&quot;([^&quot;]+)&quot;/" error={patternFault(variable.regex ?? "")} value={variable.regex ?? ""} onChange={(event) => change(at, { regex: event.currentTarget.value })} />
            </>
          ) : (
            <TextInput label="Value" value={variable.default} onChange={(event) => change(at, { default: event.currentTarget.value })} />
          )}
          {(variable.kind === "query" || variable.kind === "custom") && (
            <div className="row">
              <Checkbox size="xs" label="Several may be chosen" checked={variable.multi} onChange={(event) => change(at, { multi: event.currentTarget.checked })} />
              <Checkbox size="xs" label="With “All”" checked={variable.include_all} onChange={(event) => change(at, { include_all: event.currentTarget.checked })} />
              {variable.include_all && <TextInput aria-label="What “All” stands for" placeholder="each of them" value={variable.all_value ?? ""} onChange={(event) => change(at, { all_value: event.currentTarget.value })} />}
            </div>
          )}
        </div>
      ))}
      <div>
        <Button variant="subtle" leftSection={<IconPlus size={14} />} onClick={add}>
          Add variable
        </Button>
      </div>
      <div className={classes.buttons}>
        <Button onClick={() => onDone(variables)} disabled={!isSound}>
          Done
        </Button>
      </div>
    </div>
  );
}

function patternFault(filter: string): string | null {
  try {
    filterValues([], filter);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function freeName(variables: readonly DashboardVariable[]): string {
  const used = new Set(variables.map(({ name }) => name));
  let number = used.size + 1;
  while (used.has(`v${number}`)) number += 1;
  return `v${number}`;
}
