/** Canvas does not know CSS variables: reads what `var(--name)`, or a mixture as `lib/seriesColor` writes it, stands for now. */
export function cssColor(color: string): string {
  const mixed = /^color-mix\(in srgb, (.+) (\d+)%, (.+)\)$/.exec(color);
  if (mixed) return mixHex(cssColor(mixed[1] ?? ""), cssColor(mixed[3] ?? ""), Number(mixed[2]) / 100);
  const name = /^var\((--[\w-]+)\)$/.exec(color)?.[1];
  return name ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : color;
}

/** As browsers mix in sRGB; both as `#rrggbb`. */
export function mixHex(color: string, other: string, share: number): string {
  const [one, two] = [channels(color), channels(other)];
  return `#${one.map((value, at) => Math.round(value * share + (two[at] ?? 0) * (1 - share)).toString(16).padStart(2, "0")).join("")}`;
}

function channels(hex: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}
