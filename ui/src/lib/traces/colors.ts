// One colour per service, the same on every page as long as there are few enough of them.
import { HUES, seriesColor } from "../seriesColor";

/** Colours by name; two services share a hue only where there are more of them than hues, and then in another shade. */
export function colorsOf(services: Iterable<string>): Map<string, string> {
  const taken = new Set<number>();
  const colors = new Map<string, string>();
  for (const service of [...new Set(services)].sort()) {
    if (taken.size === HUES) taken.clear();
    const shade = Math.floor(colors.size / HUES);
    let at = hash(service) % HUES;
    while (taken.has(at)) at = (at + 1) % HUES;
    taken.add(at);
    colors.set(service, seriesColor(shade * HUES + at));
  }
  return colors;
}

function hash(text: string): number {
  let value = 2_166_136_261;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 16_777_619) >>> 0;
  return value;
}
