// All pages with their addresses. Every page is its own chunk; its handle says how it is called and what it shows.
import type { ComponentType } from "react";
import type { RouteObject } from "react-router";
import { Gate } from "./components/Gate";
import { insteadOf } from "./components/PageFailed";
import type { CrumbHandle } from "./components/shell/Breadcrumbs";
import { shortId } from "./lib/runs";
import { shortTraceId } from "./lib/traces/search";

const RANGED = { hasRange: true };
const DASHBOARDS = { label: "Dashboards", to: "/dashboards" };
const METRICS = { label: "Metrics", to: "/explore" };
const TRACES = { label: "Traces", to: "/traces" };
const USAGE = { label: "Usage", to: "/usage" };
const RUNS = { label: "Runs", to: "/runs" };

export const routes: RouteObject[] = [
  { path: "/login", HydrateFallback: Nothing, lazy: async () => ({ Component: (await import("./pages/session/Login")).Login }) },
  { path: "/setup", HydrateFallback: Nothing, lazy: async () => ({ Component: (await import("./pages/session/Setup")).Setup }) },
  {
    Component: Gate,
    HydrateFallback: Nothing,
    children: [
      page("", { crumb: "Overview" }, async () => (await import("./pages/overview/Overview")).Overview),
      page("map", { crumb: "Map" }, async () => (await import("./pages/services/ServiceMap")).ServiceMap),
      page("services/:name", { crumb: named, parent: { label: "Services", to: "/" }, ...RANGED }, async () => (await import("./pages/services/Service")).Service),
      page("checks", { crumb: "Checks" }, async () => (await import("./pages/checks/Checks")).Checks),
      page("checks/:name", { crumb: named, parent: { label: "Checks", to: "/checks" }, ...RANGED }, async () => (await import("./pages/checks/Check")).Check),
      page("runs", { crumb: "Runs" }, async () => (await import("./pages/runs/Runs")).Runs),
      page("runs/queues", { crumb: "Queues", parent: RUNS }, async () => (await import("./pages/runs/Queues")).Queues),
      page("runs/schedules", { crumb: "Schedules", parent: RUNS }, async () => (await import("./pages/runs/Schedules")).Schedules),
      page("runs/:id", { crumb: ({ id }) => `Run ${shortId(id ?? "")}`, parent: RUNS }, async () => (await import("./pages/runs/Run")).Run),
      page("explore", { crumb: "Metrics", ...RANGED }, async () => (await import("./pages/metrics/Explore")).Explore),
      page("explore/targets", { crumb: "Targets", parent: METRICS }, async () => (await import("./pages/metrics/targets/Targets")).Targets),
      page("explore/cardinality", { crumb: "Cardinality", parent: METRICS, ...RANGED }, async () => (await import("./pages/metrics/cardinality/Cardinality")).Cardinality),
      page("logs", { crumb: "Logs", ...RANGED }, async () => (await import("./pages/logs/Logs")).Logs),
      page("traces", { crumb: "Traces", ...RANGED }, async () => (await import("./pages/traces/Traces")).Traces),
      page("traces/groups", { crumb: "Slow and failed", parent: TRACES, ...RANGED }, async () => (await import("./pages/traces/groups/Groups")).Groups),
      page("traces/compare", { crumb: "Compare", parent: TRACES, ...RANGED }, async () => (await import("./pages/traces/compare/Compare")).Compare),
      page("traces/map", { crumb: "Map of calls", parent: TRACES, ...RANGED }, async () => (await import("./pages/traces/map/CallMap")).CallMap),
      page("traces/:id", { crumb: ({ id }) => `Trace ${shortTraceId(id ?? "")}`, parent: TRACES }, async () => (await import("./pages/traces/trace/TracePage")).TracePage),
      page("around", { crumb: "Around a moment" }, async () => (await import("./pages/around/Around")).Around),
      page("saved", { crumb: "Saved searches" }, async () => (await import("./pages/saved/Saved")).Saved),
      page("investigations", { crumb: "Investigations" }, async () => (await import("./pages/investigations/Investigations")).Investigations),
      page("investigations/:id", { crumb: "Investigation", isNamedByPage: true, parent: { label: "Investigations", to: "/investigations" } }, async () => (await import("./pages/investigations/Investigation")).Investigation),
      page("dashboards", { crumb: "Dashboards" }, async () => (await import("./pages/dashboards/Dashboards")).Dashboards),
      page("dashboards/new", { crumb: "New", parent: DASHBOARDS, ...RANGED }, async () => (await import("./pages/dashboards/NewDashboard")).NewDashboard),
      page("dashboards/:id", { crumb: "Dashboard", isNamedByPage: true, parent: DASHBOARDS, ...RANGED }, async () => (await import("./pages/dashboards/Dashboard")).Dashboard),
      page("usage", { crumb: "Usage" }, async () => (await import("./pages/usage/Usage")).Usage),
      page("usage/storage", { crumb: "Storage", parent: USAGE }, async () => (await import("./pages/usage/Storage")).Storage),
      page("usage/scrubbing", { crumb: "Scrubbing", parent: USAGE }, async () => (await import("./pages/usage/Scrubbing")).Scrubbing),
      page("host", { crumb: "Host", ...RANGED }, async () => (await import("./pages/host/Host")).Host),
      page("events", { crumb: "Events", ...RANGED }, async () => (await import("./pages/events/Events")).Events),
      page("settings/:tab?", { crumb: "Settings" }, async () => (await import("./pages/settings/Settings")).Settings),
      page("*", { crumb: "Not found" }, async () => (await import("./pages/session/NotFound")).NotFound),
    ],
  },
];

function page(path: string, handle: CrumbHandle, load: () => Promise<ComponentType>): RouteObject {
  return { path: `/${path}`, handle, lazy: async () => ({ Component: await load().catch(insteadOf) }) };
}

function named({ name }: { name?: string | undefined }): string {
  return name ?? "";
}

/** The first chunk arrives within a blink; a flash of anything would only flicker. */
function Nothing() {
  return null;
}
