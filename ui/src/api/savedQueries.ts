// Saved searches. Key: ["searches"].
import { queryOptions } from "@tanstack/react-query";
import { get, post, put, remove } from "./client";
import type { Page, SavedSearch, SearchBody } from "./types";

export const searchesQuery = queryOptions({
  queryKey: ["searches"],
  queryFn: ({ signal }) => get<Page<SavedSearch>>("/searches", undefined, signal),
  staleTime: 30_000,
});

export const saveSearch = (body: SearchBody) => post<SavedSearch>("/searches", body);
export const changeSearch = (id: string, body: SearchBody) => put<SavedSearch>(`/searches/${encodeURIComponent(id)}`, body);
export const deleteSearch = (id: string) => remove(`/searches/${encodeURIComponent(id)}`);
