// What traces to look for. Choices are asked at once, written fields when they are left or Enter is pressed.
import { Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useNavigate } from "react-router";
import { traceOperationsQuery } from "@/api/traceQueries";
import { isDuration, LIMITS, parseAttributes, SPANS_WORD, tracePath, type TraceWish } from "@/lib/traces/search";
import { useCarry } from "@/state/timerange";
import classes from "./Traces.module.css";

interface SearchFormProps {
  /** What it is called for those who cannot see it, where a page has more than one. */
  label?: string;
  /** Without: no choice of traces without errors, nor of how many. */
  isList?: boolean;
  hasStatus?: boolean;
  wish: TraceWish;
  services: readonly string[];
  onWrite: (change: Partial<TraceWish>) => void;
}

export function SearchForm({ label = "Search traces", isList = true, hasStatus = true, wish, services, onWrite }: SearchFormProps) {
  const operations = useQuery(traceOperationsQuery(wish.service)).data ?? [];
  const open = useOpenById();
  return (
    <form className={classes.form} role="search" aria-label={label} onSubmit={(event) => event.preventDefault()}>
      <Select className={classes.service} aria-label="Service" placeholder="Any service" data={withChosen(services, wish.service)} value={wish.service || null} onChange={(value) => onWrite({ service: value ?? "", operation: "" })} searchable clearable />
      <Select className={classes.operation} aria-label="Operation" placeholder="Any operation" title={wish.service ? undefined : "Operations are of one service: choose it first"} data={withChosen(operations, wish.operation)} value={wish.operation || null} onChange={(value) => onWrite({ operation: value ?? "" })} disabled={wish.service === "" && wish.operation === ""} searchable clearable />
      <Field
        className={classes.attributes}
        label="Attributes, or a trace id"
        placeholder="http.status_code=500  or a trace id  /"
        value={wish.attributes}
        fault={(text) => (open.isId(text) || parseAttributes(text) ? "" : 'Write name=value, such as http.status_code=500 user="a b".')}
        onCommit={(text) => (open.isId(text) ? open.go(text) : onWrite({ attributes: text.trim() }))}
        isFilter
      />
      <Field className={classes.duration} label="At least" placeholder="At least 100ms" value={wish.min} fault={durationFault} onCommit={(min) => onWrite({ min })} />
      <Field className={classes.duration} label="At most" placeholder="At most 2s" value={wish.max} fault={durationFault} onCommit={(max) => onWrite({ max })} />
      {hasStatus && <Select className={classes.status} aria-label="Status" placeholder="Any status" data={isList ? STATUSES : STATUSES.slice(0, 1)} value={wish.status || null} onChange={(value) => onWrite({ status: (value ?? "") as TraceWish["status"] })} clearable />}
      <Select className={classes.status} aria-label="Which spans" placeholder="Any span" data={Object.entries(SPANS_WORD).map(([value, text]) => ({ value, label: text }))} value={wish.spans || null} onChange={(value) => onWrite({ spans: (value ?? "") as TraceWish["spans"] })} clearable />
      {isList && <Select className={classes.limit} aria-label="How many" data={LIMITS.map((limit) => ({ value: String(limit), label: `${limit.toLocaleString("en-US")} at most` }))} value={String(wish.limit)} onChange={(value) => value && onWrite({ limit: Number(value) })} allowDeselect={false} />}
    </form>
  );
}

const STATUSES = [
  { value: "error", label: "With errors" },
  { value: "ok", label: "Without errors" },
];

function durationFault(text: string): string {
  return isDuration(text) ? "" : "Write a number with its unit: 250us, 100ms, 1.5s, 2m.";
}

/** A chosen value stays one of the choices, although nothing of it is left. */
function withChosen(values: readonly string[], chosen: string): string[] {
  return chosen && !values.includes(chosen) ? [chosen, ...values] : [...values];
}

function useOpenById() {
  const navigate = useNavigate();
  const carry = useCarry();
  return {
    isId: (text: string) => /^[0-9a-f]{16}([0-9a-f]{16})?$/i.test(text.trim()),
    go: (text: string) => void navigate(carry(tracePath(text.trim().toLowerCase()))),
  };
}

interface FieldProps {
  className: string | undefined;
  label: string;
  placeholder: string;
  value: string;
  fault: (text: string) => string;
  onCommit: (text: string) => void;
  isFilter?: boolean;
}

function Field({ className, label, placeholder, value, fault, onCommit, isFilter = false }: FieldProps) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const error = fault(text);
  const commit = (): void => {
    if (!error && text !== value) onCommit(text);
  };
  return (
    <TextInput
      className={className ?? ""}
      aria-label={label}
      placeholder={placeholder}
      value={text}
      error={error || undefined}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit();
        if (event.key === "Escape") event.currentTarget.blur();
      }}
      spellCheck={false}
      {...(isFilter ? { "data-filter": true } : {})}
    />
  );
}
