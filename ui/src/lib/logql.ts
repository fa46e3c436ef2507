// What the console knows of LogQL's text without a parser: the selector, filters written into it, places in messages.
import { type Note, offsetOf } from "./promql";

export interface Matcher {
  name: string;
  op: "=" | "!=" | "=~" | "!~";
  value: string;
}

const SELECTOR = /\{(?:[^}"`]|"(?:[^"\\]|\\.)*"|`[^`]*`)*\}/;
const MATCHER = /([\w.:]+)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|`[^`]*`)/g;
const LEVELS = /\s*\|\s*detected_level\s*=(~?)\s*"([^"\\]*)"/;

export function quote(value: string): string {
  return JSON.stringify(value);
}

function unquote(text: string): string {
  if (text.startsWith("`")) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    // LogQL knows escapes that JSON does not; as they stand they still say what is meant.
    return text.slice(1, -1);
  }
}

/** Whether the query gives numbers; one for lines begins with its selector. */
export function isMetricQuery(text: string): boolean {
  const code = text.replace(/^\s*(#[^\n]*\n\s*)*/, "");
  return code !== "" && !/^[(\s]*\{/.test(code);
}

function placeOfSelector(text: string): { from: number; to: number } | null {
  const found = SELECTOR.exec(text);
  return found ? { from: found.index, to: found.index + found[0].length } : null;
}

export function matchersOf(text: string): Matcher[] {
  const place = placeOfSelector(text);
  if (!place) return [];
  return [...text.slice(place.from, place.to).matchAll(MATCHER)].map(([, name = "", op = "=", value = '""']) => ({ name, op: op as Matcher["op"], value: unquote(value) }));
}

export function writeSelector(matchers: readonly Matcher[]): string {
  return `{${matchers.map(({ name, op, value }) => `${name}${op}${quote(value)}`).join(", ")}}`;
}

/** The selector of one stream, by all of its labels. */
export function streamSelector(labels: Readonly<Record<string, string>>): string {
  return writeSelector(Object.entries(labels).map(([name, value]) => ({ name, op: "=", value })));
}

function withSelector(text: string, matchers: readonly Matcher[]): string {
  const place = placeOfSelector(text);
  const selector = writeSelector(matchers);
  return place ? text.slice(0, place.from) + selector + text.slice(place.to) : `${selector}${text.trim() ? ` ${text.trim()}` : ""}`;
}

function insertAfterSelector(text: string, stage: string): string {
  const place = placeOfSelector(text);
  return place ? `${text.slice(0, place.to)} ${stage}${text.slice(place.to)}` : text;
}

/** The value that the selector wants of a label, where it wants exactly one. */
export function wantedValue(text: string, name: string): string {
  const found = matchersOf(text).filter((one) => one.name === name);
  return found.length === 1 && found[0]?.op === "=" ? found[0].value : "";
}

/** The query for one value of a label; "" wants any. */
export function withValue(text: string, name: string, value: string): string {
  const others = matchersOf(text).filter((one) => one.name !== name);
  if (value) return withSelector(text, [{ name, op: "=", value }, ...others]);
  // A selector has to want something.
  return withSelector(text, others.length > 0 ? others : [{ name, op: "=~", value: ".+" }]);
}

export function levelsOf(text: string): string[] {
  const found = LEVELS.exec(text);
  return found ? (found[2] ?? "").split("|").filter(Boolean) : [];
}

/** The query for lines of these levels; none means all. */
export function withLevels(text: string, levels: readonly string[]): string {
  const plain = text.replace(LEVELS, "");
  if (levels.length === 0) return plain;
  const stage = levels.length === 1 ? `| detected_level=${quote(levels[0] ?? "")}` : `| detected_level=~${quote(levels.join("|"))}`;
  return insertAfterSelector(plain, stage);
}

/** Where a field of a line comes from: its stream, beside it, or its text. */
export type FieldKind = "label" | "metadata" | "parsed";

export interface FieldFilter {
  name: string;
  value: string;
  kind: FieldKind;
  isOut?: boolean;
  /** The parser that finds the field in the line. */
  parser?: string;
}

export function withFilter(text: string, { name, value, kind, isOut = false, parser = "" }: FieldFilter): string {
  if (kind === "label") {
    const kept = matchersOf(text).filter((one) => one.name !== name || (isOut && !(one.op === "!=" && one.value === value)));
    return withSelector(text, [...kept, { name, op: isOut ? "!=" : "=", value }]);
  }
  const stage = `| ${name}${isOut ? "!=" : "="}${quote(value)}`;
  if (text.includes(stage)) return text;
  if (kind === "metadata") return insertAfterSelector(text, stage);
  return `${withParser(text, parser)} ${stage}`;
}

/** The query with the parser as a stage, unless it has it. */
export function withParser(text: string, parser: string): string {
  const trimmed = text.trimEnd();
  if (!parser || new RegExp(String.raw`\|\s*${parser}\b`).test(trimmed)) return trimmed;
  return `${trimmed} | ${parser}`;
}

/** The words that lines must contain: what to mark in them. */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(/\|=\s*("(?:[^"\\]|\\.)*"|`[^`]*`)/g)].map(([, word = '""']) => unquote(word)).filter(Boolean);
}

export function countByLevel(text: string, stepS: number): string {
  return `sum by (detected_level) (count_over_time(${text.trim()} [${stepS}s]))`;
}

/** The values of a field that come most, over the last `spanS` seconds of a query for lines. */
export function topValues(text: string, { name, parser, spanS }: { name: string; parser: string; spanS: number }): string {
  const parsed = parser ? `${withParser(text, parser)} | __error__=""` : text.trim();
  return `topk(10, sum by (${name}) (count_over_time(${parsed} | ${name}!="" [${Math.max(1, Math.round(spanS))}s])))`;
}

const PLACE = /^parse error at line (\d+), col (\d+): /;

/** Reads the place out of a message of Loki: "parse error at line 1, col 5: ..."; columns count from 1. */
export function readLogNote(message: string, query: string): Note {
  const found = PLACE.exec(message);
  if (!found) return { severity: "error", message: message.replace(/^parse error : /, ""), place: null, from: 0, to: 0 };
  const [line, column] = [Number(found[1]), Number(found[2])];
  const from = offsetOf(query, line, column);
  const word = /^[\w:.]+/.exec(query.slice(from))?.[0] ?? "";
  const place = line > 1 || query.includes("\n") ? `line ${line}, column ${column}` : `column ${column}`;
  return { severity: "error", message: message.slice(found[0].length), place, from, to: Math.min(from + Math.max(word.length, 1), query.length) };
}
