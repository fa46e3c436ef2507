// One colour per service, the same on every page as long as there are few enough of them.

const COLORS = 10;

/** Colours by name; two services share one only where there are more services than colours. */
export function colorsOf(services: Iterable<string>): Map<string, string> {
  const taken = new Set<number>();
  const colors = new Map<string, string>();
  for (const service of [...new Set(services)].sort()) {
    if (taken.size === COLORS) taken.clear();
    let at = hash(service) % COLORS;
    while (taken.has(at)) at = (at + 1) % COLORS;
    taken.add(at);
    colors.set(service, `var(--series-${at + 1})`);
  }
  return colors;
}

function hash(text: string): number {
  let value = 2_166_136_261;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 16_777_619) >>> 0;
  return value;
}
