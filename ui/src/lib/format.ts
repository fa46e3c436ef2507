// Numbers for people: three significant figures, the unit always beside them, an em dash for "not known".

export const NOTHING = "–";
const FIGURES = 3;

/** Seconds as "840 µs", "12.4 ms", "1.25 s", "2 m 5 s", "3 h 10 m", "4 d 2 h". */
export function formatDuration(seconds: number | null | undefined, figures = FIGURES): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NOTHING;
  const size = Math.abs(seconds);
  if (size === 0) return "0 ms";
  if (size < 0.001) return `${significant(seconds * 1e6, figures)} µs`;
  if (size < 0.9995) return `${significant(seconds * 1e3, figures)} ms`;
  if (size < 59.5) return `${significant(seconds, figures)} s`;
  return `${seconds < 0 ? "-" : ""}${formatSpan(seconds)}`;
}

/** Whole seconds in at most two units: "45 s", "2 m 5 s", "6 h", "90 d". */
export function formatSpan(seconds: number): string {
  let rest = Math.round(Math.abs(seconds));
  const parts: string[] = [];
  for (const [unit, length] of [["d", 86_400], ["h", 3_600], ["m", 60], ["s", 1]] as const) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ") || "0 s";
}

/** Powers of 1024, as memory and disks are read: "512 B", "1.5 KiB", "3.20 GiB". */
export function formatBytes(bytes: number | null | undefined, figures = FIGURES): string {
  if (bytes === null || bytes === undefined || !Number.isFinite(bytes)) return NOTHING;
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = Math.abs(bytes);
  let index = 0;
  while (value >= 1023.5 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${bytes < 0 ? "-" : ""}${index === 0 ? Math.round(value) : significant(value, figures)} ${units[index]}`;
}

/** A percentage already in 0..100. */
export function formatPercent(percent: number | null | undefined, figures = FIGURES): string {
  if (percent === null || percent === undefined || !Number.isFinite(percent)) return NOTHING;
  return `${significant(percent, figures)}%`;
}

/** A part of a whole: what is there is never "0%". */
export function formatShare(count: number, of: number): string {
  const percent = of > 0 ? (100 * count) / of : 0;
  return percent > 0 && percent < 0.1 ? "<0.1%" : `${percent < 10 ? percent.toFixed(1) : Math.round(percent)}%`;
}

/** Uptime is rounded down, never up: 99.996 % is not "100 %". */
export function formatUptime(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined) return NOTHING;
  if (ratio >= 1) return "100%";
  if (ratio <= 0) return "0%";
  const percent = ratio * 100;
  const digits = percent >= 99 ? 3 : percent >= 90 ? 2 : 1;
  const floored = Math.floor(percent * 10 ** digits + 1e-9) / 10 ** digits;
  return `${floored.toFixed(digits)}%`;
}

/** Any number in three figures: "0.00042", "12.5", "3.20k", "1.70G". */
export function formatNumber(value: number | null | undefined, figures = FIGURES): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e16) return Number(value.toPrecision(3)).toExponential().replace("+", "");
  if (size >= 999.5) {
    const power = Math.min(4, Math.floor(Math.log10(size * 1.0005) / 3));
    return power > 0 ? `${significant(value / 1000 ** power, figures)}${["", "k", "M", "G", "T"][power]}` : significant(value, figures);
  }
  return Number.isInteger(value) ? String(value) : significant(value, figures);
}

/** How often something happens, a second: "12.5", "<0.01" where three figures would only be long. */
export function formatRate(perSecond: number): string {
  return perSecond > 0 && perSecond < 0.01 ? "<0.01" : formatNumber(perSecond);
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

function significant(value: number, figures = FIGURES): string {
  const rounded = Number(value.toPrecision(figures));
  const size = Math.abs(rounded);
  if (size < 1) return String(rounded);
  if (size >= 10 ** (figures - 1)) return Math.round(value).toLocaleString("en-US");
  const text = value.toFixed(figures - 1 - Math.floor(Math.log10(size)));
  return size < 10 ? text.replace(/\.0+$/, "") : text;
}
