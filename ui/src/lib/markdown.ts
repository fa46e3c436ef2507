// A small, safe Markdown: it becomes a tree of known parts, never HTML; what it does not know stays text.
export type Inline = { kind: "text" | "strong" | "em" | "code"; text: string } | { kind: "link"; text: string; href: string };

export type Block =
  | { kind: "heading"; level: 1 | 2 | 3; inline: Inline[] }
  | { kind: "paragraph"; inline: Inline[] }
  | { kind: "code"; text: string }
  | { kind: "list"; isOrdered: boolean; items: Inline[][] }
  | { kind: "rule" };

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|__([^_]+)__|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^)\s]+)\)|(https?:\/\/[^\s<>)]+)/g;

export function readInline(text: string): Inline[] {
  const parts: Inline[] = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) parts.push({ kind: "text", text: text.slice(end, match.index) });
    end = match.index + match[0].length;
    const [whole, code, strong, strong2, em, label, href, bare] = match;
    if (code !== undefined) parts.push({ kind: "code", text: code });
    else if (strong ?? strong2) parts.push({ kind: "strong", text: strong ?? strong2 ?? "" });
    else if (em !== undefined) parts.push({ kind: "em", text: em });
    else if (label !== undefined && href !== undefined) parts.push(isSafe(href) ? { kind: "link", text: label, href } : { kind: "text", text: whole });
    else if (bare !== undefined) parts.push({ kind: "link", text: bare, href: bare });
  }
  if (end < text.length) parts.push({ kind: "text", text: text.slice(end) });
  return parts;
}

/** Only pages: a `javascript:` link would run with the session of whoever clicks. */
function isSafe(href: string): boolean {
  return /^(https?:\/\/|mailto:|\/(?!\/)|#)/i.test(href);
}

export function readMarkdown(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    if (line.trim() === "") {
      at += 1;
      continue;
    }
    if (/^\s*```/.test(line)) {
      const end = lines.findIndex((one, place) => place > at && /^\s*```/.test(one));
      const until = end < 0 ? lines.length : end;
      blocks.push({ kind: "code", text: lines.slice(at + 1, until).join("\n") });
      at = until + 1;
      continue;
    }
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    if (heading) {
      blocks.push({ kind: "heading", level: Math.min(3, heading[1]?.length ?? 1) as 1 | 2 | 3, inline: readInline(heading[2] ?? "") });
      at += 1;
      continue;
    }
    if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      blocks.push({ kind: "rule" });
      at += 1;
      continue;
    }
    const isItem = (one: string): boolean => /^\s*([-*+]|\d+[.)])\s+/.test(one);
    const isPlain = (one: string): boolean => one.trim() !== "" && !isItem(one) && !/^(#{1,6}\s|\s*```)/.test(one);
    const end = lines.findIndex((one, place) => place > at && !(isItem(line) ? isItem(one) : isPlain(one)));
    const taken = lines.slice(at, end < 0 ? lines.length : end);
    at += taken.length;
    if (isItem(line)) blocks.push({ kind: "list", isOrdered: /^\s*\d/.test(line), items: taken.map((one) => readInline(one.replace(/^\s*([-*+]|\d+[.)])\s+/, ""))) });
    else blocks.push({ kind: "paragraph", inline: readInline(taken.join(" ")) });
  }
  return blocks;
}
