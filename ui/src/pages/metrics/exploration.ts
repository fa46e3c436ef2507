// What is being explored: the address holds what was run, the rows what is being written.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { type Exploration, parseExploration, writeExploration } from "@/lib/explore";
import { useQueryHistory } from "@/state/metricsHistory";

export interface QueryDraft {
  id: number;
  text: string;
}

export interface Exploring {
  exploration: Exploration;
  drafts: readonly QueryDraft[];
  /** Whether something was written that has not been run. */
  isDraft: boolean;
  write: (id: number, text: string) => void;
  add: (text?: string) => void;
  drop: (place: number) => void;
  toggle: (place: number) => void;
  run: (texts?: readonly string[]) => void;
  change: (part: Partial<Exploration>) => void;
}

let nextId = 1;
const draftsOf = (queries: readonly string[]): QueryDraft[] => queries.map((text) => ({ id: nextId++, text }));

export function useExploration(): Exploring {
  const [params, setParams] = useSearchParams();
  const exploration = useMemo(() => parseExploration(params), [params]);
  const [drafts, setDrafts] = useState(() => draftsOf(exploration.queries));
  const { remember } = useQueryHistory();
  const client = useQueryClient();
  const written = useRef(JSON.stringify(exploration.queries));
  const inUrl = JSON.stringify(exploration.queries);
  useEffect(() => {
    // Somebody else changed the address: Back, a link, an example.
    if (inUrl === written.current) return;
    written.current = inUrl;
    setDrafts(draftsOf(JSON.parse(inUrl) as string[]));
  }, [inUrl]);

  const change = useCallback(
    (part: Partial<Exploration>, isStep = false) => setParams((current) => writeExploration(current, { ...parseExploration(current), ...part }), { replace: !isStep }),
    [setParams],
  );
  const texts = drafts.map((draft) => draft.text);
  const run = (wanted: readonly string[] = texts): void => {
    const text = JSON.stringify(wanted);
    remember(wanted);
    if (text === inUrl) {
      void client.invalidateQueries({ queryKey: ["metrics"] });
      return;
    }
    if (wanted === texts || wanted.length === drafts.length) written.current = text;
    if (wanted !== texts) setDrafts((current) => wanted.map((one, place) => ({ id: current[place]?.id ?? nextId++, text: one })));
    change({ queries: [...wanted] }, true);
  };
  return {
    exploration,
    drafts,
    isDraft: JSON.stringify(texts) !== inUrl,
    write: (id, text) => setDrafts((current) => current.map((draft) => (draft.id === id ? { ...draft, text } : draft))),
    add: (text = "") => setDrafts((current) => [...current, ...draftsOf([text])]),
    drop: (place) => {
      const rest = drafts.filter((_, at) => at !== place);
      const kept = rest.length > 0 ? rest : draftsOf([""]);
      setDrafts(kept);
      const queries = kept.map((draft) => draft.text);
      written.current = JSON.stringify(queries.every((text) => text === "") ? [""] : queries);
      change({ queries, hidden: exploration.hidden.filter((at) => at !== place).map((at) => (at > place ? at - 1 : at)) }, true);
    },
    toggle: (place) => change({ hidden: exploration.hidden.includes(place) ? exploration.hidden.filter((at) => at !== place) : [...exploration.hidden, place].sort((a, b) => a - b) }),
    run,
    change,
  };
}
