// Input for a run or a signal: a form where its schema is plain enough, JSON for everything else, the choice is the person's.
import { NativeSelect, SegmentedControl, Switch, Textarea, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { type Field, fieldsOf, initialTexts, parseJson, readFields } from "@/lib/schema";
import classes from "./Forms.module.css";

export interface PayloadState {
  value: unknown;
  isSound: boolean;
}

interface PayloadFormProps {
  label: string;
  schema: Record<string, unknown> | null | undefined;
  /** Told with every change; the parent holds what would be sent. */
  onChange: (state: PayloadState) => void;
  /** Whether mistakes in fields that are still empty are shown too. */
  isAsked: boolean;
}

export function PayloadForm({ label, schema, onChange, isAsked }: PayloadFormProps) {
  const fields = useMemo(() => fieldsOf(schema), [schema]);
  const [isRaw, setRaw] = useState(fields === null);
  const [texts, setTexts] = useState(() => initialTexts(fields ?? []));
  const [json, setJson] = useState(() => (fields ? JSON.stringify(readFields(fields, initialTexts(fields)).value, null, 2) : ""));
  const reading = readFields(fields ?? [], texts);
  const parsed = parseJson(json);
  const tellFields = (next: typeof texts): void => {
    const { value, faults } = readFields(fields ?? [], next);
    setTexts(next);
    onChange({ value, isSound: Object.keys(faults).length === 0 });
  };
  const tellJson = (next: string): void => {
    const { value, fault } = parseJson(next);
    setJson(next);
    onChange({ value, isSound: fault === null });
  };
  const toggle = (mode: string): void => {
    setRaw(mode === "json");
    if (mode === "json") tellJson(JSON.stringify(reading.value, null, 2));
    else tellFields(fields && isObject(parsed.value) ? textsOf(fields, parsed.value) : texts);
  };
  if (schema?.["type"] === "null") return <p className="dim">It takes no {label.toLowerCase()}.</p>;
  return (
    <fieldset className={classes.payload}>
      <legend>{label}</legend>
      {fields && <SegmentedControl className={classes.mode} size="xs" aria-label={`How to write the ${label.toLowerCase()}`} value={isRaw ? "json" : "form"} onChange={toggle} data={[{ value: "form", label: "Form" }, { value: "json", label: "JSON" }]} />}
      {isRaw || !fields ? (
        <Textarea aria-label={`${label} as JSON`} size="xs" classNames={{ input: classes.json }} rows={10} spellCheck={false} data-autofocus value={json} onChange={(event) => tellJson(event.currentTarget.value)} error={parsed.fault} placeholder="null" />
      ) : (
        fields.map((field, index) => <FieldInput key={field.name} field={field} isFirst={index === 0} text={texts[field.name] ?? ""} fault={isAsked || texts[field.name] ? reading.faults[field.name] : undefined} onChange={(text) => tellFields({ ...texts, [field.name]: text })} />)
      )}
    </fieldset>
  );
}

/** What a form with this schema would send before anybody has typed. */
export function initialPayload(schema: Record<string, unknown> | null | undefined): PayloadState {
  const fields = fieldsOf(schema);
  if (!fields) return { value: null, isSound: true };
  const { value, faults } = readFields(fields, initialTexts(fields));
  return { value, isSound: Object.keys(faults).length === 0 };
}

function FieldInput({ field, isFirst, text, fault, onChange }: { field: Field; isFirst: boolean; text: string | boolean; fault: string | undefined; onChange: (text: string | boolean) => void }) {
  const shared = { label: field.label, description: field.hint || undefined, error: fault, required: field.isRequired, withAsterisk: field.isRequired, "data-autofocus": isFirst || undefined };
  if (field.kind === "switch") return <Switch size="xs" data-autofocus={isFirst || undefined} label={field.label} description={field.hint || undefined} checked={text === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
  if (field.kind === "choice") {
    return <NativeSelect size="xs" {...shared} data={[...(field.isRequired && text !== "" ? [] : [{ value: "", label: "–" }]), ...field.choices.map(String).map((value) => ({ value, label: value }))]} value={String(text)} onChange={(event) => onChange(event.currentTarget.value)} />;
  }
  if (field.kind === "json" || field.kind === "long") return <Textarea size="xs" {...shared} rows={3} spellCheck={false} classNames={field.kind === "json" ? { input: classes.json } : {}} placeholder={field.kind === "json" ? "JSON" : undefined} value={String(text)} onChange={(event) => onChange(event.currentTarget.value)} />;
  return <TextInput {...shared} inputMode={field.kind === "text" ? undefined : "decimal"} value={String(text)} onChange={(event) => onChange(event.currentTarget.value)} />;
}

function textsOf(fields: readonly Field[], value: Record<string, unknown>): Record<string, string | boolean> {
  return initialTexts(fields.map((field) => ({ ...field, initial: value[field.name] })));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
