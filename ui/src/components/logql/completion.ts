// Completion of LogQL: labels and values of the streams within a selector, stages after a pipe, functions elsewhere.
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import type { QueryClient } from "@tanstack/react-query";
import { logLabelNamesQuery, logLabelValuesQuery } from "@/api/logQueries";
import { FUNCTIONS, KEYWORDS, STAGES, type Word } from "./words";

export type Situation =
  | { kind: "value"; from: number; label: string; quote: string; selector: string }
  | { kind: "label" | "stage" | "function"; from: number; word: string; selector: string };

/** Where the end of `before` stands; null within other strings and comments. */
export function situationOf(before: string): Situation | null {
  const open = openBrace(before);
  if (open !== null) {
    const inner = before.slice(open + 1);
    const value = /([\w.:]+)\s*(?:=~|!~|!=|=)\s*(["`])((?:[^"\\`]|\\.)*)$/.exec(inner);
    if (value) {
      const written = inner.slice(0, value.index).replace(/,\s*$/, "").trim();
      return { kind: "value", from: before.length - (value[3] ?? "").length, label: value[1] ?? "", quote: value[2] ?? '"', selector: written ? `{${written}}` : "" };
    }
    const label = /(?:^|,)\s*([\w.:]*)$/.exec(inner);
    return label ? { kind: "label", from: before.length - (label[1] ?? "").length, word: label[1] ?? "", selector: "" } : null;
  }
  if (isInString(before)) return null;
  const stage = /\|\s*([a-z_]*)$/.exec(before);
  if (stage) return { kind: "stage", from: before.length - (stage[1] ?? "").length, word: stage[1] ?? "", selector: "" };
  const word = /[A-Za-z_]+$/.exec(before)?.[0] ?? "";
  return { kind: "function", from: before.length - word.length, word, selector: "" };
}

function openBrace(text: string): number | null {
  let open: number | null = null;
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (quote) {
      if (letter === "\\" && quote === '"') at += 1;
      else if (letter === quote) quote = "";
    } else if (letter === '"' || letter === "`") quote = letter;
    else if (letter === "{") open = at;
    else if (letter === "}") open = null;
  }
  return open;
}

function isInString(text: string): boolean {
  const bare = text.replace(/"(?:[^"\\]|\\.)*"|`[^`]*`/g, "");
  return /["`]/.test(bare) || /#[^\n]*$/.test(bare);
}

/** Nothing to complete with is no reason to disturb whoever types: failures give nothing. */
export function completeLogql(client: QueryClient) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const situation = situationOf(context.state.sliceDoc(0, context.pos));
    if (!situation) return null;
    if (situation.kind === "value") {
      const values = await client.fetchQuery(logLabelValuesQuery(situation.label, situation.selector)).catch(() => []);
      const close = context.state.sliceDoc(context.pos, context.pos + 1) === situation.quote ? "" : situation.quote;
      return { from: situation.from, options: values.map((value): Completion => ({ label: value, apply: value.replace(/["\\]/g, "\\$&") + close })), validFor: /^[^"`]*$/ };
    }
    if (situation.kind === "label") {
      const names = await client.fetchQuery(logLabelNamesQuery).catch(() => []);
      return { from: situation.from, options: names.map((name) => ({ label: name, apply: `${name}=` })), validFor: /^[\w.:]*$/ };
    }
    if (situation.kind === "function" && !situation.word && !context.explicit) return null;
    const words = situation.kind === "stage" ? STAGES.map(option) : [...FUNCTIONS.map(option), ...KEYWORDS.map((name) => ({ label: name, type: "keyword" }))];
    return { from: situation.from, options: words, validFor: /^\w*$/ };
  };
}

function option({ name, info, text }: Word): Completion {
  return { label: name, detail: info, ...(text ? { apply: text } : {}) };
}
