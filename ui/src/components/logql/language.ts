// Colours of LogQL, word by word. It does not parse: what is wrong, the server says.
import { type StreamParser, StreamLanguage } from "@codemirror/language";
import { FUNCTIONS, KEYWORDS, STAGES } from "./words";

interface State {
  /** Within a raw string, which may span lines. */
  isRaw: boolean;
}

const FUNCTION_NAMES = new Set(FUNCTIONS.map(({ name }) => name));
const STAGE_NAMES = new Set(STAGES.map(({ name }) => name));
const KEYWORD_NAMES = new Set(KEYWORDS);

const parser: StreamParser<State> = {
  name: "logql",
  startState: () => ({ isRaw: false }),
  token: (stream, state) => {
    if (state.isRaw) {
      state.isRaw = !stream.skipTo("`");
      if (state.isRaw) stream.skipToEnd();
      else stream.next();
      return "string";
    }
    if (stream.eatSpace()) return null;
    if (stream.match("#")) {
      stream.skipToEnd();
      return "comment";
    }
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return "string";
    if (stream.eat("`")) {
      state.isRaw = true;
      return "string";
    }
    if (stream.match(/^(?:\|=|\|~|\|>|!=|!~|!>|=~|==|>=|<=|[=<>|+\-*/%^,])/)) return "operator";
    if (stream.match(/^-?\d+(?:\.\d+)?(?:ns|us|µs|ms|[smhdwy]|[KMGT]i?B|B)?(?:\d+(?:ms|[smhdwy]))*\b/i)) return "number";
    const word = stream.match(/^[A-Za-z_][\w.]*/) as RegExpMatchArray | null;
    if (word) return wordKind(word[0], stream.string.slice(stream.pos));
    if (stream.match(/^[()]/)) return "paren";
    if (stream.match(/^[{}]/)) return "brace";
    if (stream.match(/^[[\]]/)) return "squareBracket";
    stream.next();
    return null;
  },
  languageData: { commentTokens: { line: "#" } },
};

function wordKind(word: string, rest: string): string {
  if (FUNCTION_NAMES.has(word)) return "variableName.function";
  if (KEYWORD_NAMES.has(word) || STAGE_NAMES.has(word)) return "keyword";
  return /^\s*(?:=|!=|!~|>|<)/.test(rest) ? "labelName" : "variableName";
}

export const logqlLanguage = StreamLanguage.define(parser);
