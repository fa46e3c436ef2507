// What is shown of the logs: the address holds what was run, the editor what is being written.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { type LogView, parseLogView, writeLogView } from "@/lib/logview";

export interface Viewing {
  view: LogView;
  draft: string;
  isDraft: boolean;
  write: (text: string) => void;
  /** Runs what is written, or another text. */
  run: (text?: string) => void;
  change: (part: Partial<LogView>) => void;
}

export function useLogView(): Viewing {
  const [params, setParams] = useSearchParams();
  const view = useMemo(() => parseLogView(params), [params]);
  const [draft, setDraft] = useState(view.expr);
  const client = useQueryClient();
  const written = useRef(view.expr);
  useEffect(() => {
    // Somebody else changed the address: Back, a link, an example.
    if (view.expr === written.current) return;
    written.current = view.expr;
    setDraft(view.expr);
  }, [view.expr]);
  const change = useCallback(
    (part: Partial<LogView>) => setParams((current) => writeLogView(current, { ...parseLogView(current), ...part }), { replace: part.expr === undefined }),
    [setParams],
  );
  const run = (text = draft): void => {
    setDraft(text);
    written.current = text;
    if (text === view.expr) void client.resetQueries({ queryKey: ["logs"] });
    else change({ expr: text });
  };
  return { view, draft, isDraft: draft !== view.expr, write: setDraft, run, change };
}
