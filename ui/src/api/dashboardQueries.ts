// Dashboards: the list, one of them, what it was. Keys: ["dashboards","list"], ["dashboards","one",id,...].
import { queryOptions } from "@tanstack/react-query";
import { get } from "./client";
import type { Dashboard, DashboardDetail, DashboardDocument, DashboardVersion, Page } from "./types";

const path = (id: string): string => `/dashboards/${encodeURIComponent(id)}`;

export const dashboardsQuery = queryOptions({
  queryKey: ["dashboards", "list"],
  queryFn: ({ signal }) => get<Page<Dashboard>>("/dashboards", undefined, signal),
  refetchInterval: 60_000,
});

export const dashboardQuery = (id: string) =>
  queryOptions({
    queryKey: ["dashboards", "one", id],
    queryFn: ({ signal }) => get<DashboardDetail>(path(id), undefined, signal),
    staleTime: 30_000,
  });

export const versionsQuery = (id: string) =>
  queryOptions({
    queryKey: ["dashboards", "one", id, "versions"],
    queryFn: ({ signal }) => get<Page<DashboardVersion>>(`${path(id)}/versions`, undefined, signal),
  });

export const versionQuery = (id: string, version: number) =>
  queryOptions({
    queryKey: ["dashboards", "one", id, "versions", version],
    queryFn: ({ signal }) => get<DashboardDocument>(`${path(id)}/versions/${version}`, undefined, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const dashboardPath = path;
