// The editor for PromQL: completion and syntax from Prometheus' own CodeMirror mode.
import { PromQLExtension } from "@prometheus-io/codemirror-promql";
import type { QueryClient } from "@tanstack/react-query";
import { CodeEditor, type QueryEditorProps, type QueryLanguage } from "../editor/CodeEditor";
import { completionClient } from "./client";
import { quotingStrategy } from "./quoting";

export default function PromEditor(props: QueryEditorProps) {
  return <CodeEditor {...props} language={promql} />;
}

function promql(client: QueryClient): QueryLanguage {
  const mode = new PromQLExtension().setComplete({ completeStrategy: quotingStrategy(completionClient(client)) }).activateLinter(false);
  const findSyntaxErrors = mode.getLinter().promQL();
  return {
    extension: mode.asExtension(),
    // The server's parser decides; this one only helps until it has spoken, and knows nothing of a dashboard's variables.
    findErrors: async (editor) => (/\$|\[\[/.test(editor.state.doc.toString()) ? [] : [...(await findSyntaxErrors(editor))]),
  };
}
