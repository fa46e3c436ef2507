// What dashboards are made of, changed as plain values: variables in queries, units, panels and rows. No React here.
import type { DashboardDocument, DashboardPanel, DashboardRow, DashboardVariable, PanelKind, PanelQuery } from "@/api/types";
import { formatUnit, type Unit } from "./chart";
import { blankExploration, type Exploration, type View } from "./explore";
import { durationText } from "./promql";

/** The chosen values of each variable, by its name; a list also where only one may be chosen. */
export type Chosen = Readonly<Record<string, readonly string[]>>;

/** Stands for all values of a variable. */
export const ALL = "$__all";

/** What all values of a variable are: a pattern of one's own, or else each of them. */
export interface Everything {
  pattern: string;
  options: readonly string[];
}

/** What the values of variables mean, beside which of them are chosen. */
export interface Meaning {
  /** Variables whose values are meant letter by letter, so that `=~` does not read them as patterns. */
  literals: ReadonlySet<string>;
  all: Readonly<Record<string, Everything>>;
}

export interface QueryContext extends Meaning {
  chosen: Chosen;
  stepS: number;
  rangeS: number;
}

const NAME = /\$(?:\{([A-Za-z_]\w*)(?::([a-z]+)(?::[^}]*)?)?\}|([A-Za-z_]\w*))|\[\[([A-Za-z_]\w*)(?::([a-z]+))?\]\]/g;

/** The variables that a text names. */
export function variablesIn(text: string): Set<string> {
  return new Set([...text.matchAll(NAME)].map(([, braced, , bare, bracketed]) => braced ?? bare ?? bracketed ?? ""));
}

/** A string of a query, with the operator before it where that takes a pattern. */
const STRING = /([=!]~\s*)?("(?:[^"\\]|\\[\s\S])*"?|'(?:[^'\\]|\\[\s\S])*'?|`[^`]*`?)/g;

/** Puts the values of variables into a query. Several values become a pattern, as `=~` wants it. */
export function fillQuery(text: string, { chosen, literals, all, stepS, rangeS }: QueryContext): string {
  const known: Record<string, string> = {
    __interval: durationText(stepS),
    __interval_ms: String(stepS * 1_000),
    __rate_interval: durationText(Math.max(stepS * 4, 60)),
    __range: durationText(rangeS),
    __range_s: String(Math.round(rangeS)),
    __range_ms: String(Math.round(rangeS * 1_000)),
  };
  return text.replace(NAME, (whole: string, braced?: string, format?: string, bare?: string, bracketed?: string, second?: string, at = 0) => {
    const name = braced ?? bare ?? bracketed ?? "";
    const builtIn = known[name];
    if (builtIn !== undefined) return builtIn;
    const values = chosen[name];
    if (values === undefined) return whole;
    const { pattern = "", options = [] } = all[name] ?? {};
    const isAll = values.includes(ALL);
    if (isAll && (pattern || options.length === 0)) return pattern || ".*";
    const place = stringAround(text, at);
    return valueText(isAll ? options : values, format ?? second ?? (literals.has(name) ? (place?.isPattern ? "regex" : "letters") : ""), place?.quote ?? "");
  });
}

/** The values of variables in a title, for people. */
export function fillTitle(text: string, chosen: Chosen): string {
  return text.replace(NAME, (whole, braced?: string, _format?: string, bare?: string, bracketed?: string) => {
    const values = chosen[braced ?? bare ?? bracketed ?? ""];
    return values === undefined ? whole : values.includes(ALL) ? "all" : values.join(", ");
  });
}

/** The string that a place of a query is in; null outside of strings. */
function stringAround(text: string, at: number): { quote: string; isPattern: boolean } | null {
  for (const match of text.matchAll(STRING)) {
    const string = match[2] ?? "";
    const end = match.index + match[0].length;
    if (at < end) return at > end - string.length ? { quote: string.charAt(0), isPattern: match[1] !== undefined } : null;
  }
  return null;
}

/** Values in one of the formats of Grafana, of which `glob` stands for those that nobody knows. */
function valueText(values: readonly string[], format: string, quote: string): string {
  const [first = ""] = values;
  const isOne = values.length === 1;
  const pattern = (value: string): string => escapeString(value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), quote || '"');
  const quoted = (mark: string): string => values.map((value) => `${mark}${escapeString(value, mark)}${mark}`).join(",");
  switch (format) {
    case "csv":
    case "raw":
      return values.join(",");
    case "pipe":
      return values.join("|");
    case "text":
      return values.join(" + ");
    case "doublequote":
      return quoted('"');
    case "singlequote":
    case "sqlstring":
      return quoted("'");
    case "json":
      return JSON.stringify(isOne ? first : values);
    case "":
    case "letters":
    case "regex":
      if (!isOne) return values.length === 0 ? "" : `(${values.map(pattern).join("|")})`;
      return format === "regex" ? pattern(first) : format === "letters" ? escapeString(first, quote) : first;
    default:
      return isOne ? first : `{${values.join(",")}}`;
  }
}

/** What stands between two quotes for a text; between backquotes, and outside of strings, it stands as it is. */
function escapeString(text: string, quote: string): string {
  return quote === "" || quote === "`" ? text : text.replace(/["'\\]/g, (letter) => (letter === quote || letter === "\\" ? `\\${letter}` : letter));
}

/** The variables whose values are label values, or one of several that are written down; a single written one may be a pattern. */
export function literalNames(variables: readonly DashboardVariable[]): ReadonlySet<string> {
  return new Set(variables.filter(({ kind, multi, include_all }) => kind === "query" || (kind === "custom" && (multi || include_all))).map(({ name }) => name));
}

/** The values that a filter keeps, or the part of each in its first group (or in the one named `value`), each once. */
export function filterValues(values: readonly string[], filter: string): string[] {
  if (!filter) return [...new Set(values)];
  const slashed = /^\/([\s\S]*)\/([dgimsuvy]*)$/.exec(filter);
  const pattern = slashed ? new RegExp(slashed[1] ?? "", (slashed[2] ?? "").replace(/[gy]/g, "")) : new RegExp(`^${filter}$`);
  return [...new Set(values.flatMap((value) => {
    const found = pattern.exec(value);
    return found ? [found.groups?.["value"] ?? found.groups?.["text"] ?? found[1] ?? value] : [];
  }))];
}

export type VariableQuery =
  | { kind: "values"; label: string; match: string }
  | { kind: "names"; pattern: string }
  | { kind: "labels"; match: string }
  | { kind: "query"; expr: string };

/** `label_values(metric{...}, label)`, `label_values(label)`, `label_names()`, `metrics(pattern)`, `query_result(...)` or PromQL. */
export function readVariableQuery(text: string): VariableQuery {
  const call = /^\s*(label_values|label_names|metrics|query_result)\s*\(([\s\S]*)\)\s*$/.exec(text);
  const inner = call?.[2]?.trim() ?? "";
  switch (call?.[1]) {
    case "label_values": {
      const parts = /^([\s\S]*),\s*([A-Za-z_]\w*)$/.exec(inner);
      return parts ? { kind: "values", match: (parts[1] ?? "").trim(), label: parts[2] ?? "" } : { kind: "values", match: "", label: inner };
    }
    case "label_names":
      return { kind: "labels", match: inner };
    case "metrics":
      return { kind: "names", pattern: inner };
    default:
      return { kind: "query", expr: call ? inner : text };
  }
}

/** What a variable is until somebody chooses. */
export function firstChoice(variable: DashboardVariable, options: readonly string[]): string[] {
  if (variable.kind === "text" || variable.kind === "constant") return [variable.default || variable.query];
  if (variable.default && (options.length === 0 || options.includes(variable.default))) return [variable.default];
  if (variable.include_all) return [ALL];
  return options[0] === undefined ? [] : [options[0]];
}

export interface PanelUnit {
  unit: Unit;
  /** What values are multiplied by before they are shown. */
  factor: number;
  suffix: string;
}

export function panelUnit(name: string): PanelUnit {
  switch (name) {
    case "seconds":
    case "bytes":
    case "percent":
    case "ratio":
      return { unit: name, factor: 1, suffix: "" };
    case "milliseconds":
      return { unit: "seconds", factor: 0.001, suffix: "" };
    case "bytes/s":
      return { unit: "bytes_per_second", factor: 1, suffix: "" };
    default:
      return { unit: "number", factor: 1, suffix: name ? ` ${name}` : "" };
  }
}

const VIEW_OF: Partial<Record<PanelKind, View>> = { timeseries: "graph", heatmap: "heat" };

/** What Explore must show to go on from a panel: its queries as they were asked, drawn as the panel draws them. */
export function panelExploration(panel: DashboardPanel, queries: readonly string[], shown: { exemplars: boolean; events: boolean }): Exploration {
  const { unit, factor, suffix } = panelUnit(panel.unit);
  return {
    ...blankExploration(queries),
    view: VIEW_OF[panel.kind] ?? "table",
    isStacked: panel.options?.["stacked"] === true,
    hasExemplars: shown.exemplars,
    hasMarks: shown.events,
    unit: panel.unit && factor === 1 && suffix === "" ? unit : "",
  };
}

/** Whether a panel's curves carry exemplars and events: what the dashboard shows, unless the panel says no. */
export function panelShows({ options }: Pick<DashboardPanel, "options">, shown: { exemplars: boolean; events: boolean }): { exemplars: boolean; events: boolean } {
  return { exemplars: shown.exemplars && options?.["exemplars"] !== false, events: shown.events && options?.["events"] !== false };
}

/** A value as the panel wants it: unit, and so many digits where it says how many. */
export function panelValue(value: number | null, panel: Pick<DashboardPanel, "unit" | "decimals">): string {
  if (value === null) return "–";
  const { unit, factor, suffix } = panelUnit(panel.unit);
  const digits = panel.decimals;
  if (digits !== null && digits !== undefined && (unit === "number" || unit === "percent" || unit === "ratio")) {
    const shown = unit === "ratio" ? value * 100 : value;
    return `${shown.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}${unit === "number" ? suffix : "%"}`;
  }
  return `${formatUnit(value * factor, unit)}${suffix}`;
}

/** The status that the thresholds give a value; null where there are none. */
export function statusOf(value: number | null, panel: Pick<DashboardPanel, "thresholds">): "up" | "degraded" | "down" | "unknown" | null {
  if (value === null) return null;
  const passed = [...panel.thresholds].sort((a, b) => a.value - b.value).filter((one) => value >= one.value);
  return (passed[passed.length - 1]?.status as "up" | "degraded" | "down" | "unknown" | undefined) ?? null;
}

export const KINDS: Record<PanelKind, string> = { timeseries: "Curves", stat: "Number", gauge: "Gauge", bar: "Bars", table: "Table", heatmap: "Heat map", text: "Text" };

export function blankDocument(title: string): DashboardDocument {
  return { title, description: "", folder: "", tags: [], time: { from: "1h" }, refresh: "", exemplars: true, events: true, variables: [], rows: [{ title: "", collapsed: false, panels: [] }] };
}

export function blankPanel(document: DashboardDocument): DashboardPanel {
  return { id: freeId(document), kind: "timeseries", title: "", description: "", span: 6, height: 7, unit: "", decimals: null, queries: [blankQuery()], thresholds: [], options: {} };
}

export function blankQuery(): PanelQuery {
  return { expr: "", legend: "", instant: false, hidden: false };
}

export function freeId(document: DashboardDocument): string {
  const used = new Set(document.rows.flatMap((row) => row.panels.map((panel) => panel.id)));
  let number = used.size + 1;
  while (used.has(`p${number}`)) number += 1;
  return `p${number}`;
}

type Rows = readonly DashboardRow[];

export function withPanel(document: DashboardDocument, at: number, panel: DashboardPanel): DashboardDocument {
  const isKnown = document.rows.some((row) => row.panels.some((one) => one.id === panel.id));
  const rows = document.rows.map((row, place) => ({
    ...row,
    panels: isKnown ? row.panels.map((one) => (one.id === panel.id ? panel : one)) : place === at ? [...row.panels, panel] : row.panels,
  }));
  return { ...document, rows };
}

export function withoutPanel(document: DashboardDocument, id: string): DashboardDocument {
  return { ...document, rows: document.rows.map((row) => ({ ...row, panels: row.panels.filter((panel) => panel.id !== id) })) };
}

/** Moves a panel one place on or back, over the edge of its row into the next one. */
export function movePanel(document: DashboardDocument, id: string, step: 1 | -1): DashboardDocument {
  const rows = document.rows.map((row) => ({ ...row, panels: [...row.panels] }));
  const at = rows.findIndex((row) => row.panels.some((panel) => panel.id === id));
  const row = rows[at];
  const place = row?.panels.findIndex((panel) => panel.id === id) ?? -1;
  const panel = row?.panels[place];
  if (!row || !panel) return document;
  row.panels.splice(place, 1);
  const wanted = place + step;
  if (wanted >= 0 && wanted <= row.panels.length) row.panels.splice(wanted, 0, panel);
  else {
    const other = rows[at + step];
    if (!other) return document;
    if (step > 0) other.panels.unshift(panel);
    else other.panels.push(panel);
  }
  return { ...document, rows };
}

export const COLUMNS = 12;
const HIGHEST = 40;

/** Where a panel stands: its row and its place in it; null for one that is not there. */
export function placeOf(document: DashboardDocument, id: string): { row: number; place: number } | null {
  const row = document.rows.findIndex((one) => one.panels.some((panel) => panel.id === id));
  return row < 0 ? null : { row, place: document.rows[row]?.panels.findIndex((panel) => panel.id === id) ?? 0 };
}

/** Puts a panel at a place of a row, counted without it. The same document if it stands there already. */
export function placePanel(document: DashboardDocument, id: string, row: number, place: number): DashboardDocument {
  const from = placeOf(document, id);
  const panel = from && document.rows[from.row]?.panels[from.place];
  if (!panel || !document.rows[row] || (from.row === row && from.place === place)) return document;
  const rows = document.rows.map((one) => ({ ...one, panels: one.panels.filter((other) => other.id !== id) }));
  rows[row]?.panels.splice(place, 0, panel);
  return { ...document, rows };
}

/** To the end of the row above, or to the beginning of the one below. */
export function movePanelToRow(document: DashboardDocument, id: string, step: 1 | -1): DashboardDocument {
  const from = placeOf(document, id);
  if (!from) return document;
  const row = from.row + step;
  return placePanel(document, id, row, step > 0 ? 0 : (document.rows[row]?.panels.length ?? 0));
}

/** Within what a dashboard allows. The same document if nothing changes. */
export function resizePanel(document: DashboardDocument, id: string, size: Partial<Pick<DashboardPanel, "span" | "height">>): DashboardDocument {
  const from = placeOf(document, id);
  const panel = from && document.rows[from.row]?.panels[from.place];
  if (!panel) return document;
  const clamp = (value: number, most: number): number => Math.max(1, Math.min(most, value));
  const next = { ...panel, span: clamp(size.span ?? panel.span, COLUMNS), height: clamp(size.height ?? panel.height, HIGHEST) };
  return next.span === panel.span && next.height === panel.height ? document : withPanel(document, from.row, next);
}

/** What became of a panel, in words. */
export function placeText(document: DashboardDocument, id: string, what: "move" | "size"): string {
  const at = placeOf(document, id);
  const row = document.rows[at?.row ?? -1];
  const panel = row?.panels[at?.place ?? -1];
  if (!at || !row || !panel) return "";
  const name = panel.title || "The panel";
  if (what === "size") return `${name} is ${panel.span} of ${COLUMNS} wide and ${panel.height} high`;
  return `${name} is panel ${at.place + 1} of ${row.panels.length} in ${row.title ? `row ${row.title}` : `row ${at.row + 1}`}`;
}

export function moveRow(rows: Rows, at: number, step: 1 | -1): DashboardRow[] {
  const next = [...rows];
  const [row] = next.splice(at, 1);
  if (row) next.splice(Math.max(0, at + step), 0, row);
  return next;
}
