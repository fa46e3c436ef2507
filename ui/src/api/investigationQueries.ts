// Investigations: the list, one with its cells, what changes them. Keys: ["investigations","list"|"one",id].
import { queryOptions } from "@tanstack/react-query";
import { get, post, put, remove } from "./client";
import type { CellBody, CellContent, Investigation, InvestigationCell, InvestigationDetail, Page } from "./types";

const FOLLOW_MS = 15_000;
const path = (id: string): string => `/investigations/${encodeURIComponent(id)}`;
const cellPath = (id: string, cell: string): string => `${path(id)}/cells/${encodeURIComponent(cell)}`;

export const investigationsQuery = queryOptions({
  queryKey: ["investigations", "list"],
  queryFn: ({ signal }) => get<Page<Investigation>>("/investigations", undefined, signal),
  refetchInterval: 60_000,
});

export const investigationQuery = (id: string) =>
  queryOptions({
    queryKey: ["investigations", "one", id],
    queryFn: ({ signal }) => get<InvestigationDetail>(path(id), undefined, signal),
    refetchInterval: FOLLOW_MS,
  });

export const openInvestigation = (title: string) => post<Investigation>("/investigations", { title });
export const renameInvestigation = (id: string, title: string) => put<Investigation>(path(id), { title });
export const deleteInvestigation = (id: string) => remove(path(id));
export const addCell = (id: string, body: CellBody) => post<InvestigationCell>(`${path(id)}/cells`, body);
export const changeCell = (id: string, cell: string, content: CellContent, version: number) => put<InvestigationCell>(cellPath(id, cell), { content, version });
export const moveCell = (id: string, cell: string, after: string | null) => post<undefined>(`${cellPath(id, cell)}/move`, { after });
export const removeCell = (id: string, cell: string) => remove(cellPath(id, cell));
export const exportAddress = (id: string): string => `/api/v1${path(id)}/export`;
export const investigationPath = (id: string): string => `/investigations/${encodeURIComponent(id)}`;
