// Lines of logs as pages hold them: flat, newest first, each with a key of its own; levels, fields, export.
import type { FieldKind } from "./logql";

type Pairs = Readonly<Record<string, string>>;

export const LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "unknown"] as const;
export type Level = (typeof LEVELS)[number];

/** Only what is wrong bears a colour of status. */
export const LEVEL_COLOR: Readonly<Record<Level, string>> = {
  fatal: "var(--down-ink)",
  error: "var(--down-fill)",
  warn: "var(--degraded-fill)",
  info: "var(--series-6)",
  debug: "var(--series-4)",
  trace: "var(--series-8)",
  unknown: "var(--unknown-fill)",
};

export interface LogLine {
  key: string;
  /** Nanoseconds since the epoch. */
  ns: bigint;
  ms: number;
  text: string;
  labels: Pairs;
  metadata: Pairs;
  parsed: Pairs;
  level: Level;
}

/** One stream of an answer with `categorize-labels`. */
export interface LogStream {
  stream: Pairs;
  values: [string, string, { structuredMetadata?: Pairs; parsed?: Pairs }?][];
}

export function levelOf(word: string | undefined): Level {
  const text = (word ?? "").toLowerCase();
  if (text === "critical") return "fatal";
  if (text === "warning") return "warn";
  return LEVELS.find((one) => one === text) ?? "unknown";
}

/** The lines of an answer. A line that came twice at one moment is twice there, so keys count. */
export function linesOf(streams: readonly LogStream[]): LogLine[] {
  const seen = new Map<string, number>();
  return streams.flatMap(({ stream, values }) => {
    const name = JSON.stringify(stream);
    return values.map(([at, text, more]): LogLine => {
      const metadata = more?.structuredMetadata ?? {};
      const parsed = more?.parsed ?? {};
      const plain = `${at}/${name}/${text}`;
      const nth = seen.get(plain) ?? 0;
      seen.set(plain, nth + 1);
      const ns = BigInt(at);
      return { key: nth ? `${plain}/${nth}` : plain, ns, ms: Number(ns / 1_000_000n), text, labels: stream, metadata, parsed, level: levelOf(metadata["detected_level"] ?? stream["detected_level"] ?? stream["level"]) };
    });
  });
}

/** All lines once, in order of time; those of one moment stay as they came. */
export function mergeLines(parts: readonly (readonly LogLine[])[], isNewestFirst: boolean): LogLine[] {
  const known = new Map<string, LogLine>();
  for (const part of parts) for (const line of part) if (!known.has(line.key)) known.set(line.key, line);
  const sign = isNewestFirst ? -1 : 1;
  return [...known.values()].sort((a, b) => (a.ns === b.ns ? 0 : a.ns < b.ns ? -sign : sign));
}

export function fieldOf(line: LogLine, name: string): string | undefined {
  return line.parsed[name] ?? line.metadata[name] ?? line.labels[name] ?? guessFields(line.text)?.fields[name];
}

export const SERVICE_FIELD = "service_name";

/** Who wrote a line; empty where nobody says. */
export function serviceOf(line: LogLine): string {
  return line.labels[SERVICE_FIELD] ?? line.metadata[SERVICE_FIELD] ?? "";
}

export interface Guess {
  parser: "json" | "logfmt";
  fields: Record<string, string>;
}

/** What a line shows by itself where the query has no parser, named as that parser names it. */
export function guessFields(text: string): Guess | null {
  if (text.trimStart().startsWith("{")) {
    try {
      const fields: Record<string, string> = {};
      flatten(JSON.parse(text) as object, "", fields);
      return { parser: "json", fields };
    } catch {
      return null;
    }
  }
  const pairs = [...text.matchAll(/(?:^|\s)([A-Za-z_][\w.]*)=("(?:[^"\\]|\\.)*"|[^\s"]+)/g)];
  if (pairs.length < 2) return null;
  return { parser: "logfmt", fields: Object.fromEntries(pairs.map(([, name = "", value = ""]) => [labelName(name), value.startsWith('"') ? value.slice(1, -1).replaceAll('\\"', '"') : value])) };
}

function flatten(value: object, before: string, into: Record<string, string>): void {
  for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
    const name = labelName(before ? `${before}_${key}` : key);
    if (inner === null || Array.isArray(inner)) continue;
    if (typeof inner === "object") flatten(inner, name, into);
    else into[name] = String(inner);
  }
}

function labelName(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/g, "_");
}

export interface LineField {
  name: string;
  value: string;
  kind: FieldKind;
  parser?: string;
}

/** Everything that is known of a line, in the order in which it is shown. */
export function fieldsOf(line: LogLine): { title: string; fields: LineField[] }[] {
  const list = (pairs: Pairs, kind: FieldKind, parser?: string): LineField[] => Object.entries(pairs).map(([name, value]) => ({ name, value, kind, ...(parser ? { parser } : {}) }));
  const guess = Object.keys(line.parsed).length === 0 ? guessFields(line.text) : null;
  const groups = [
    { title: "Labels", fields: list(line.labels, "label") },
    { title: "Structured metadata", fields: list(line.metadata, "metadata") },
    { title: "Parsed fields", fields: list(line.parsed, "parsed") },
    { title: `Fields of the line (${guess?.parser ?? ""})`, fields: guess ? list(guess.fields, "parsed", guess.parser) : [] },
  ];
  return groups.filter(({ fields }) => fields.length > 0);
}

export interface LogPattern {
  pattern: string;
  level?: string;
  samples: [number, number][];
}

export interface JoinedPattern {
  pattern: string;
  level: string;
  count: number;
  /** How many came at each moment of which any pattern tells, in order. */
  values: number[];
}

/** Each pattern of a level once, most lines first: patterns are mined of each stream by itself, and come once for each. */
export function joinPatterns(found: readonly LogPattern[]): JoinedPattern[] {
  const times = [...new Set(found.flatMap(({ samples }) => samples.map(([at]) => at)))].sort((a, b) => a - b);
  const place = new Map(times.map((at, index) => [at, index]));
  const joined = new Map<string, JoinedPattern>();
  for (const { pattern, level = "", samples } of found) {
    const key = `${level}/${pattern}`;
    const one = joined.get(key) ?? { pattern, level, count: 0, values: times.map(() => 0) };
    for (const [at, count] of samples) {
      one.count += count;
      one.values[place.get(at) ?? 0] = (one.values[place.get(at) ?? 0] ?? 0) + count;
    }
    joined.set(key, one);
  }
  return [...joined.values()].sort((a, b) => b.count - a.count);
}

export type ExportKind = "text" | "json";

export function exportLines(lines: readonly LogLine[], kind: ExportKind): string {
  if (kind === "text") return lines.map((line) => `${new Date(line.ms).toISOString()} ${line.level.toUpperCase()} ${line.text}\n`).join("");
  const rows = lines.map(({ ns, text, level, labels, metadata, parsed }) => ({ time: isoOf(ns), level, line: text, labels, metadata, parsed }));
  return `${JSON.stringify(rows, null, 2)}\n`;
}

/** RFC 3339 with all nine digits. */
export function isoOf(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(ns % 1_000_000_000n).padStart(9, "0")}Z`;
}

/** Without the codes by which terminals colour text; what is copied keeps them. */
export function withoutColors(text: string): string {
  return text.includes("\u001b") ? text.replace(COLORS, "") : text;
}

/** Of a pattern, what stands for numbers may be in them. */
const COLORS = /\u001b\[(?:[\d;]|<_>)*[A-Za-z]/g;
