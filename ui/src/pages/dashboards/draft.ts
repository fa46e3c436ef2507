// A dashboard that is being changed: the document as it is written, step by step, and saving it over the version it was
// made from.
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useBlocker, useNavigate } from "react-router";
import { dashboardPath, dashboardQuery } from "@/api/dashboardQueries";
import { ApiError, get, post, put } from "@/api/client";
import type { Dashboard, DashboardDetail, DashboardDocument } from "@/api/types";
import { begin, change, redo, undo } from "@/lib/history";
import { useCarry } from "@/state/timerange";

export interface Draft {
  document: DashboardDocument;
  isChanged: boolean;
  /** Changes of one group that follow each other soon are one step back. */
  change: (document: DashboardDocument, group?: string) => void;
  steps: { undo: () => void; redo: () => void; past: number; future: number };
  save: (message: string) => void;
  /** Saves although somebody else has saved since: theirs stays as a version. */
  saveOver: (message: string) => void;
  isSaving: boolean;
  error: Error | null;
  isConflict: boolean;
  /** Somebody is about to lose what was changed, by the button or by going elsewhere; null where nobody is. */
  leaving: { go: () => void; stay: () => void } | null;
  /** Leaves the builder; asks first where something would be lost. */
  leave: () => void;
}

export function useDraft(id: string | null, started: { document: DashboardDocument; version: number }, onDone: () => void): Draft {
  const [history, setHistory] = useState(() => begin(started.document));
  const { now: document, past, future } = history;
  const isChanged = document !== started.document;
  const isSaved = useRef(false);
  const [isLeaving, setLeaving] = useState(false);
  const blocker = useBlocker(({ currentLocation, nextLocation }) => isChanged && !isSaved.current && currentLocation.pathname !== nextLocation.pathname);
  useEffect(() => {
    if (!isChanged) return undefined;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [isChanged]);
  const client = useQueryClient();
  const navigate = useNavigate();
  const carry = useCarry();
  const saving = useMutation({
    mutationFn: async ({ message, isOver }: { message: string; isOver: boolean }): Promise<Dashboard> => {
      if (id === null) return post<Dashboard>("/dashboards", { document, message });
      const version = isOver ? (await get<DashboardDetail>(dashboardPath(id))).dashboard.version : started.version;
      return put<Dashboard>(dashboardPath(id), { document, version, message });
    },
    onSuccess: async (saved) => {
      isSaved.current = true;
      client.setQueryData(dashboardQuery(saved.id).queryKey, { dashboard: saved, document });
      void client.invalidateQueries({ queryKey: ["dashboards"] });
      notifications.show({ message: `Saved as version ${saved.version}.` });
      if (id === null) await navigate(carry(`/dashboards/${encodeURIComponent(saved.id)}`), { replace: true });
      else onDone();
    },
  });
  return {
    document,
    isChanged,
    change: (next, group) => setHistory((before) => change(before, next, Date.now(), group)),
    steps: { undo: () => setHistory(undo), redo: () => setHistory(redo), past: past.length, future: future.length },
    save: (message) => saving.mutate({ message, isOver: false }),
    saveOver: (message) => saving.mutate({ message, isOver: true }),
    isSaving: saving.isPending,
    error: saving.error,
    isConflict: saving.error instanceof ApiError && saving.error.status === 409,
    leaving: blocker.state === "blocked" ? { go: blocker.proceed, stay: blocker.reset } : isLeaving ? { go: onDone, stay: () => setLeaving(false) } : null,
    leave: () => (isChanged ? setLeaving(true) : onDone()),
  };
}
