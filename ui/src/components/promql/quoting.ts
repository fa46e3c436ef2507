// Completion of names with dots and their like. PromQL takes them in quotes only; its mode offers them, and inserts them bare.
import { syntaxTree } from "@codemirror/language";
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { type CompleteStrategy, newCompleteStrategy, type PrometheusClient } from "@prometheus-io/codemirror-promql";
import { GroupingLabels, LabelMatchers, StringLiteral } from "@prometheus-io/lezer-promql";
import { labelName, selectorOf } from "@/lib/cardinality";

/** A name that is being written with a dot, which the mode reads as the end of one name and the beginning of another. */
const DOTTED = /[a-zA-Z_:][\w:]*\.[\w:.]*/;
const NAMES = "constant";

export function quotingStrategy(remote: PrometheusClient): CompleteStrategy {
  const mode = newCompleteStrategy({ remote });
  return {
    promQL: async (context) => {
      const place = placeOf(context);
      const dotted = place === "string" ? null : context.matchBefore(DOTTED);
      if (dotted) return completeDotted(await (place === "labels" ? remote.labelNames() : remote.metricNames()), dotted.from, place);
      const found = await mode.promQL(context);
      return found && (place === "string" ? insideOf(found, context) : { ...found, options: found.options.map((one) => quoted(one, place)) });
    },
  };
}

type Place = "string" | "labels" | "expression";

function placeOf({ state, pos }: CompletionContext): Place {
  for (let node = syntaxTree(state).resolveInner(pos, -1); ; ) {
    if (node.type.id === StringLiteral) return "string";
    if (node.type.id === LabelMatchers || node.type.id === GroupingLabels) return "labels";
    if (!node.parent) return "expression";
    node = node.parent;
  }
}

function completeDotted(names: readonly string[], from: number, place: Place): CompletionResult {
  return { from, options: names.map((label) => quoted({ label, type: NAMES }, place)), validFor: /^[\w:.]*$/ };
}

function quoted(option: Completion, place: Place): Completion {
  if (option.type !== NAMES) return option;
  const text = place === "labels" ? labelName(option.label) : selectorOf(option.label);
  return text === option.label ? option : { ...option, apply: text };
}

/** What stands between quotes is completed without them. */
function insideOf(found: CompletionResult, { state, pos }: CompletionContext): CompletionResult {
  if (found.from >= pos) return found; // behind the quote already, as for the value of a label
  const quote = state.sliceDoc(found.from, found.from + 1);
  if (!/["'`]/.test(quote)) return found;
  const isClosed = found.to !== undefined && found.to > found.from + 1 && state.sliceDoc(found.to - 1, found.to) === quote;
  const options = found.options.filter((one) => one.type === NAMES).map((one) => ({ ...one, apply: JSON.stringify(one.label).slice(1, -1) }));
  return { from: found.from + 1, to: isClosed ? (found.to as number) - 1 : found.to, options, validFor: /^[^"'`]*$/ };
}
