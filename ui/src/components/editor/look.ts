// How the editor looks: our colours by variables, which reach into its shadow root, so that light and dark need no rebuild.
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const frame = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "transparent", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px" },
  ".cm-content": { padding: "5px 0", caretColor: "var(--text)" },
  ".cm-line": { padding: "0 9px" },
  ".cm-placeholder": { color: "var(--text-3)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 28%, transparent)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-wash)", outline: "1px solid var(--line-strong)" },
  ".cm-nonmatchingBracket, &.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", color: "var(--down-ink)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--down-fill) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--degraded-fill) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-info": { backgroundImage: "none", textDecoration: "underline dotted var(--text-3) 1px", textUnderlineOffset: "3px" },
  ".cm-diagnostic": { padding: "5px 10px", borderLeft: "0", whiteSpace: "pre-wrap", maxWidth: "min(480px, 80vw)" },
  ".cm-diagnostic-error": { color: "var(--down-ink)" },
  ".cm-diagnostic-warning": { color: "var(--degraded-ink)" },
  ".cm-tooltip": {
    border: "1px solid var(--line-strong)",
    borderRadius: "6px",
    backgroundColor: "var(--surface)",
    boxShadow: "var(--shadow)",
    color: "var(--text)",
    fontSize: "12px",
    zIndex: "250",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "260px", maxWidth: "min(620px, 92vw)", padding: "4px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px 8px", borderRadius: "4px", lineHeight: "20px", display: "flex", alignItems: "baseline", gap: "8px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--selected)", color: "var(--text)" },
  ".cm-completionIcon": { display: "none" },
  ".cm-completionMatchedText": { textDecoration: "none", color: "var(--accent)", fontWeight: "600" },
  ".cm-completionDetail": { marginLeft: "auto", fontStyle: "normal", fontFamily: "'Inter Variable', system-ui, sans-serif", color: "var(--text-3)" },
  ".cm-tooltip.cm-completionInfo": { padding: "6px 10px", maxWidth: "320px", fontFamily: "'Inter Variable', system-ui, sans-serif", lineHeight: "18px", whiteSpace: "pre-wrap" },
});

/** No status colours: an operator is neither up nor down. */
const words = HighlightStyle.define([
  { tag: tags.labelName, color: "var(--series-10)" },
  { tag: tags.string, color: "var(--series-7)" },
  { tag: [tags.number, tags.literal], color: "var(--series-9)" },
  { tag: tags.variableName, color: "var(--text)" },
  { tag: tags.function(tags.variableName), color: "var(--series-1)" },
  { tag: [tags.keyword, tags.modifier, tags.definitionKeyword], color: "var(--series-5)" },
  { tag: tags.operator, color: "var(--text-2)" },
  { tag: [tags.paren, tags.brace, tags.squareBracket], color: "var(--text-2)" },
  { tag: tags.comment, color: "var(--text-3)", fontStyle: "italic" },
  { tag: tags.invalid, color: "var(--down-ink)" },
]);

export const look = [frame, syntaxHighlighting(words)];
