// Filtering by typed words, and names as people say them.

/** Every word of the query must occur somewhere in the fields; case does not matter. */
export function matchesText(query: string, fields: readonly (string | null | undefined)[]): boolean {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const haystack = fields.filter(Boolean).join("\n").toLowerCase();
  return words.every((word) => haystack.includes(word));
}

/** "group:default/payments-team" and "payments-team" both read "payments-team". */
export function entityName(reference: string): string {
  return reference.slice(Math.max(reference.lastIndexOf("/"), reference.lastIndexOf(":")) + 1);
}

/** A server's sentence begins with a small letter; where it stands alone it gets a large one, unless it begins with a name. */
export function sentence(text: string): string {
  return /^[a-z]+[ ,]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

/** A tier is often just a number in the catalog; alone it would say nothing. */
export function tierText(tier: string): string {
  return /^\d+$/.test(tier) ? `tier ${tier}` : tier;
}

/** Only web links open; anything else in a catalog file (javascript:, data:) stays text. */
export function safeUrl(url: string): string | undefined {
  try {
    const parsed = new URL(url, "http://relative.invalid");
    return ["http:", "https:", "mailto:"].includes(parsed.protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}
