// Colours of curves and services: ten hues, then the same ones nearer to the ink, then nearer to the ground.

export const HUES = 10;
const SHADES = [(hue: string) => hue, (hue: string) => `color-mix(in srgb, ${hue} 66%, var(--text))`, (hue: string) => `color-mix(in srgb, ${hue} 58%, var(--surface))`];

/** The colour at a place; from the thirty-first on they come again. */
export function seriesColor(index: number): string {
  const shade = SHADES[Math.floor(index / HUES) % SHADES.length] as (hue: string) => string;
  return shade(`var(--series-${(index % HUES) + 1})`);
}
