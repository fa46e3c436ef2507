// An editor for queries: errors where they are, Ctrl-Enter runs; a language brings colours and completion. It lives in a
// shadow root: there CodeMirror adopts its stylesheets instead of writing <style>, which the page's policy refuses.
import { autocompletion, closeBrackets, closeBracketsKeymap, acceptCompletion, closeCompletion, completionKeymap, completionStatus } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { type Diagnostic, forceLinting, linter, lintKeymap } from "@codemirror/lint";
import { EditorState, type Extension, Prec, StateEffect } from "@codemirror/state";
import { EditorView, keymap, placeholder as hint, tooltips } from "@codemirror/view";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useImperativeHandle, useLayoutEffect, useRef, type Ref } from "react";
import { flushSync } from "react-dom";
import { markedOf, type Note } from "@/lib/promql";
import { look } from "./look";
import classes from "./CodeEditor.module.css";

export interface EditorHandle {
  focus: () => void;
  insert: (text: string) => void;
}

/** What an editor knows of a query language. */
export interface QueryLanguage {
  extension: Extension;
  /** Finds what is wrong until the server has spoken. */
  findErrors: (editor: EditorView) => Promise<readonly Diagnostic[]>;
}

export interface QueryEditorProps {
  value: string;
  onChange: (value: string) => void;
  onRun: () => void;
  /** What the server said about `notesOf`; it is shown while the text is still that. */
  notes: readonly Note[];
  /** The text that the server has answered, without notes where it is fine; "" until then. */
  notesOf: string;
  label: string;
  placeholder?: string;
  ref?: Ref<EditorHandle>;
}

export function CodeEditor({ language, value, onChange, onRun, notes, notesOf, label, placeholder = "", ref }: QueryEditorProps & { language: (client: QueryClient) => QueryLanguage }) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const client = useQueryClient();
  const latest = useRef({ value, onChange, onRun, notes, notesOf });
  const told = useRef<string[]>([]); // texts that the page has not rendered yet
  const name = useRef({ label, placeholder });
  useLayoutEffect(() => {
    latest.current = { value, onChange, onRun, notes, notesOf };
    if (view.current?.state.doc.toString() === value) told.current = [];
  });

  useEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const made = new EditorView({
      parent: root as unknown as HTMLElement,
      root,
      state: EditorState.create({ doc: latest.current.value, extensions: extensions(latest, told, language(client), root, name.current) }),
    });
    view.current = made;
    return () => {
      view.current = null;
      made.destroy();
    };
  }, [client, language]);

  useEffect(() => {
    const editor = view.current;
    const echo = told.current.indexOf(value);
    told.current = echo < 0 ? [] : told.current.slice(echo + 1);
    // What comes back late from the page is older than what has been typed since.
    if (editor && echo < 0 && editor.state.doc.toString() !== value) editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    if (!view.current) return;
    view.current.dispatch({ effects: spoke.of(null) });
    forceLinting(view.current);
  }, [notes, notesOf]);

  useImperativeHandle(ref, () => ({
    focus: () => view.current?.focus(),
    insert: (text) => {
      const editor = view.current;
      if (!editor) return;
      editor.dispatch(editor.state.replaceSelection(text));
      editor.focus();
    },
  }));

  // Escape belongs to the editor: a dialog around it stays open.
  return <div ref={host} className={classes.editor} data-mantine-stop-propagation="true" />;
}

const PATIENCE_MS = 1000;
const AGAIN_MS = 20;

/** Takes the chosen completion; where the list is still being looked up for the last letters, as soon as it is there. */
function take(editor: EditorView): boolean {
  if (acceptCompletion(editor)) return true;
  if (completionStatus(editor.state) === null) return false;
  const { doc } = editor.state;
  const until = Date.now() + PATIENCE_MS;
  const again = () => {
    if (editor.dom.isConnected && editor.state.doc === doc && !acceptCompletion(editor) && Date.now() < until) setTimeout(again, AGAIN_MS);
  };
  setTimeout(again, AGAIN_MS);
  return true;
}

/** The server has spoken about the text: what is underlined is looked up again. */
const spoke = StateEffect.define<null>();

interface Latest {
  current: Pick<QueryEditorProps, "value" | "onChange" | "onRun" | "notes" | "notesOf">;
}

function extensions(latest: Latest, told: { current: string[] }, { extension, findErrors }: QueryLanguage, root: ShadowRoot, { label, placeholder }: { label: string; placeholder: string }) {
  const findAll = async (editor: EditorView): Promise<Diagnostic[]> => {
    const text = editor.state.doc.toString();
    if (text.trim() === "") return [];
    const marked = markedOf(text, latest.current.notes, latest.current.notesOf);
    return marked?.map(({ severity, message, from, to }) => ({ severity, message, from, to })) ?? [...(await findErrors(editor))];
  };
  return [
    look,
    history(),
    bracketMatching(),
    closeBrackets(),
    autocompletion({ icons: false, interactionDelay: 0 }), // what is seen can be taken: Tab would leave the editor else
    linter(findAll, { delay: 400, needsRefresh: (update) => update.transactions.some((one) => one.effects.some((effect) => effect.is(spoke))) }),
    tooltips({ parent: tipsIn(root), position: "fixed" }),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ "aria-label": label }),
    hint(placeholder),
    extension,
    Prec.highest(
      keymap.of([
        { key: "Mod-Enter", run: runWritten(latest) },
        { key: "Shift-Enter", run: insertNewlineAndIndent },
        { key: "Tab", run: take },
        { key: "Escape", run: leave },
      ]),
    ),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap, ...lintKeymap]),
    EditorView.updateListener.of((update) => {
      if (!update.docChanged) return;
      const text = update.state.doc.toString();
      told.current.push(text);
      latest.current.onChange(text);
    }),
  ];
}

/** Runs what stands in the editor, also where the page has not rendered the last key yet. */
function runWritten(latest: Latest) {
  return (editor: EditorView) => {
    closeCompletion(editor); // it would lie over the answer
    flushSync(() => latest.current.onChange(editor.state.doc.toString()));
    latest.current.onRun();
    return true;
  };
}

/** Where tips hang: beside the editor in its root, for an element can be measured when a dialog moves it, and a root cannot. */
function tipsIn(root: ShadowRoot): HTMLElement {
  const found = root.querySelector<HTMLElement>("[data-tips]");
  if (found) return found;
  const made = document.createElement("div");
  made.dataset["tips"] = "";
  made.style.position = "relative";
  root.append(made);
  return made;
}

/** Escape closes completion first; then it gives the keys back to the page. */
function leave(editor: EditorView): boolean {
  if (completionStatus(editor.state) === "active") return false;
  editor.contentDOM.blur();
  return true;
}
