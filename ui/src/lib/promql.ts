// What the console knows of PromQL's text without a parser: places in messages, windows of rates, units by names.
import type { Unit } from "./chart";

/** A range of characters that a message is about, and the message without its place. */
export interface Note {
  severity: "error" | "warning" | "info";
  message: string;
  /** "line 1, column 5", where the message names a place; null for what is about the whole query, which marks nothing in it. */
  place: string | null;
  from: number;
  to: number;
}

const FRONT = /(?:^|[\s:(])(\d+):(\d+): (?:parse error: )?/;
const BACK = /\s*\((\d+):(\d+)\)\s*$/;

/** Reads the place out of a message of Prometheus: "1:5: parse error: ..." or "... (1:5)"; columns count bytes, from 1. */
export function readNote(message: string, query: string, severity: Note["severity"]): Note {
  const back = BACK.exec(message);
  const front = back ? null : FRONT.exec(message);
  const found = back ?? front;
  if (!found) return { severity, message, place: null, from: 0, to: 0 };
  const line = Number(found[1]);
  const column = lettersOf(query.split("\n")[line - 1] ?? "", Number(found[2]) - 1) + 1;
  const from = offsetOf(query, line, column);
  const text = back ? message.slice(0, back.index) : message.slice((front?.index ?? 0) + (front?.[0].length ?? 0));
  return { severity, message: text, place: line > 1 || query.includes("\n") ? `line ${line}, column ${column}` : `column ${column}`, from, to: endOfWord(query, from) };
}

export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split("\n");
  const before = lines.slice(0, Math.max(0, line - 1)).reduce((sum, one) => sum + one.length + 1, 0);
  return Math.min(before + Math.max(0, column - 1), text.length);
}

/** How many of JavaScript's letters so many bytes of UTF-8 at the beginning of a text are; bytes behind it count as one each. */
function lettersOf(text: string, bytes: number): number {
  let [letters, left] = [0, bytes];
  for (const one of text) {
    if (left <= 0) return letters;
    const code = one.codePointAt(0) ?? 0;
    left -= code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    letters += one.length;
  }
  return letters + Math.max(0, left);
}

/** What is marked within a text that the server has spoken about; null for another text. */
export function markedOf(text: string, notes: readonly Note[], notesOf: string): Note[] | null {
  return text === notesOf ? notes.filter(({ place }) => place !== null) : null;
}

function endOfWord(text: string, from: number): number {
  const word = /^[\w:.]+/.exec(text.slice(from))?.[0] ?? "";
  return Math.min(from + Math.max(word.length, 1), text.length);
}

const SELECTOR = String.raw`[a-zA-Z_:][\w:]*(?:\{(?:[^}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*\})?|\{(?:[^}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*\}`;
const RATE = new RegExp(String.raw`\b(rate|irate|increase|delta|idelta|deriv)\s*\(\s*(${SELECTOR})\s*\[\s*((?:\d+(?:ms|[smhdwy]))+)\s*\]`, "g");

export interface RateWindow {
  fn: string;
  selector: string;
  window: string;
  windowS: number;
}

/** The rates in a query, with what they look at and how far back. */
export function rateWindows(query: string): RateWindow[] {
  return [...query.matchAll(RATE)].map(([, fn = "", selector = "", window = ""]) => ({ fn, selector, window, windowS: durationSeconds(window) }));
}

const SECONDS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, y: 31_536_000 };

/** "1h30m" as seconds; NaN for what is no duration. */
export function durationSeconds(text: string): number {
  if (!/^(?:\d+(?:ms|[smhdwy]))+$/.test(text)) return Number.NaN;
  return [...text.matchAll(/(\d+)(ms|[smhdwy])/g)].reduce((sum, [, count = "0", unit = "s"]) => sum + Number(count) * (SECONDS[unit] ?? 0), 0);
}

/** Seconds as PromQL writes them: "90s", "5m", "1h". */
export function durationText(seconds: number): string {
  for (const [unit, length] of [["d", 86_400], ["h", 3_600], ["m", 60]] as const) {
    if (seconds >= length && seconds % length === 0) return `${seconds / length}${unit}`;
  }
  return `${Math.max(1, Math.round(seconds))}s`;
}

/** The usual distance between times; null of fewer than three. */
export function medianGap(times: readonly number[]): number | null {
  const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0)).sort((a, b) => a - b);
  return gaps.length >= 2 ? (gaps[Math.floor(gaps.length / 2)] ?? null) : null;
}

/** A window of so many seconds or a little more, as people write them. */
export function roundWindow(seconds: number): string {
  const grain = seconds <= 60 ? 5 : seconds <= 300 ? 30 : 60;
  return durationText(Math.ceil(Math.round(seconds) / grain) * grain);
}

/** How many samples a window should see, so that a scrape that fails or comes late leaves two of them. */
export const SCRAPES_PER_WINDOW = 4;

/** What the numbers are, by the names of the metrics: Prometheus asks to end them in their unit. */
export function guessUnit(queries: readonly string[]): Unit {
  const units = new Set(queries.map(unitOf));
  return units.size === 1 ? ([...units][0] ?? "number") : "number";
}

/** What tells nothing of the unit, and may hold anything: texts and ranges. */
const ASIDE = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\[[^\]]*\]/g;

/** A product or a quotient is in another unit, also one of a quantile: seconds times 1,000 are no seconds. */
const IS_CHANGED = /[/^%]|\*(?!\s*(?:on|ignoring)\b)/;

function unitOf(text: string): Unit {
  const query = text.replace(ASIDE, "");
  const isRate = /\b(rate|irate|deriv)\s*\(/.test(query);
  if (IS_CHANGED.test(query)) return "number";
  if (/\bhistogram_quantile\s*\(/.test(query)) return /_seconds\b|_seconds_bucket\b/.test(query) ? "seconds" : /_bytes/.test(query) ? "bytes" : "number";
  if (/\bcount\b|\bcount_values\b/.test(query)) return "number";
  if (/_count\b|_bucket\b/.test(query)) return isRate ? "per_second" : "number";
  if (/_bytes(_total)?\b/.test(query)) return isRate ? "bytes_per_second" : "bytes";
  if (/_seconds(_sum|_total)?\b/.test(query)) return isRate ? "number" : /_timestamp_seconds|_time_seconds/.test(query) ? "number" : "seconds";
  if (/_ratio\b/.test(query)) return "ratio";
  if (/_percent\b/.test(query)) return "percent";
  return isRate && /_total\b/.test(query) ? "per_second" : "number";
}
