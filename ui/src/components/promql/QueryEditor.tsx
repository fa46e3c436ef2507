// The editor as pages use it: its code comes in a chunk of its own; until then a box of the same height stands there.
import { lazy, Suspense } from "react";
import type { QueryEditorProps } from "../editor/CodeEditor";
import classes from "../editor/CodeEditor.module.css";

export type { EditorHandle } from "../editor/CodeEditor";

const PromEditor = lazy(() => import("./PromEditor"));

export function QueryEditor(props: QueryEditorProps) {
  return (
    <Suspense fallback={<div className={classes.editor} role="group" aria-busy="true" aria-label="Loading the editor" />}>
      <PromEditor {...props} />
    </Suspense>
  );
}
