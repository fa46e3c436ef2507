// The global time range as it stands in the URL: `range=6h` follows the clock, `from` and `to` stand still.

export const PRESETS = {
  "15m": { seconds: 900, label: "Last 15 minutes" },
  "1h": { seconds: 3_600, label: "Last hour" },
  "6h": { seconds: 21_600, label: "Last 6 hours" },
  "24h": { seconds: 86_400, label: "Last 24 hours" },
  "7d": { seconds: 604_800, label: "Last 7 days" },
  "30d": { seconds: 2_592_000, label: "Last 30 days" },
  "90d": { seconds: 7_776_000, label: "Last 90 days" },
} as const;

export type Preset = keyof typeof PRESETS;
export const DEFAULT_PRESET: Preset = "1h";

export type TimeRange = { kind: "preset"; preset: Preset } | { kind: "fixed"; from: Date; to: Date };

export function isPreset(text: string | null): text is Preset {
  return text !== null && Object.hasOwn(PRESETS, text);
}

/** Reads the URL; whatever does not make sense falls back to the default instead of breaking a shared link. */
export function parseRange(params: URLSearchParams): TimeRange {
  const from = new Date(params.get("from") ?? Number.NaN);
  const to = new Date(params.get("to") ?? Number.NaN);
  if (from.getTime() < to.getTime()) return { kind: "fixed", from, to };
  const preset = params.get("range");
  return { kind: "preset", preset: isPreset(preset) ? preset : DEFAULT_PRESET };
}

/** Returns a copy of `params` with the range written into it; the default preset leaves no trace. */
export function writeRange(params: URLSearchParams, range: TimeRange): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const key of ["range", "from", "to"]) next.delete(key);
  if (range.kind === "fixed") {
    next.set("from", range.from.toISOString());
    next.set("to", range.to.toISOString());
  } else if (range.preset !== DEFAULT_PRESET) {
    next.set("range", range.preset);
  }
  return next;
}

/** The part of the URL's search that follows a person from page to page, with its "?" or empty. */
export function rangeSearch(params: URLSearchParams): string {
  const text = writeRange(new URLSearchParams(), parseRange(params)).toString();
  return text ? `?${text}` : "";
}

export function spanSeconds(range: TimeRange): number {
  return range.kind === "preset" ? PRESETS[range.preset].seconds : (range.to.getTime() - range.from.getTime()) / 1000;
}

export function resolveRange(range: TimeRange, now: Date): { start: Date; end: Date } {
  if (range.kind === "fixed") return { start: range.from, end: range.to };
  return { start: new Date(now.getTime() - PRESETS[range.preset].seconds * 1000), end: now };
}

/** A stable text for query keys: it must not change with the clock. */
export function rangeKey(range: TimeRange): string {
  return range.kind === "preset" ? range.preset : `${range.from.toISOString()}/${range.to.toISOString()}`;
}

/** A step that gives about `points` points and falls on a round number of seconds. */
export function roundStep(spanS: number, points = 120): number {
  const steps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400];
  return steps.find((step) => spanS / step <= points) ?? 86_400;
}

/** Zooms out around the middle, never past the present. */
export function zoomOut(range: TimeRange, now: Date): TimeRange {
  const { start, end } = resolveRange(range, now);
  const span = end.getTime() - start.getTime();
  const to = Math.min(end.getTime() + span / 2, now.getTime());
  return { kind: "fixed", from: new Date(to - span * 2), to: new Date(to) };
}
