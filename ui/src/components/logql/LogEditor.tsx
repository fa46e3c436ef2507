// The editor for LogQL: our own colours and completion; the server's parser is the only judge.
import type { QueryClient } from "@tanstack/react-query";
import { CodeEditor, type QueryEditorProps, type QueryLanguage } from "../editor/CodeEditor";
import { completeLogql } from "./completion";
import { logqlLanguage } from "./language";

export default function LogEditor(props: QueryEditorProps) {
  return <CodeEditor {...props} language={logql} />;
}

function logql(client: QueryClient): QueryLanguage {
  return {
    extension: [logqlLanguage, logqlLanguage.data.of({ autocomplete: completeLogql(client), closeBrackets: { brackets: ["(", "[", "{", '"', "`"] } })],
    findErrors: async () => [],
  };
}
