// Carries one live event into the caches: patches what the event states, refetches only what it may have changed.
import type { QueryClient } from "@tanstack/react-query";
import { isVerdict } from "@/lib/status";
import type { CheckDetail, CheckSummary, LogEvent, ServiceSummary } from "./types";
import { checksQuery, servicesQuery } from "./queries";

const RECENT_KEPT = 40;
const CALM_MS = 1_000;

/** Applies events to a query client; refetches of the same key are held together. */
export function createPatcher(client: QueryClient): (event: LogEvent) => void {
  const refetch = calmRefetch(client);
  return (event) => {
    if (event.kind === "check.changed") patchVerdict(client, event);
    if (event.kind.startsWith("check.") || event.kind.startsWith("maintenance.")) {
      // A turn is patched into the list, which may be long; the list's own pace brings the rest.
      if (event.kind !== "check.changed") refetch(["checks", "list"]);
      refetch(["checks", "sick"]);
      const name = checkName(event);
      if (name) refetch(["checks", "one", name]);
    }
    if (event.kind.startsWith("run.")) {
      for (const key of [["runs", "list"], ["runs", "needy"], ["queues"]]) refetch(key);
      if (event.subject.startsWith("run/")) refetch(["runs", "one", event.subject.slice("run/".length)]);
    }
    if (event.kind.startsWith("queue.")) refetch(["queues"]);
    if (event.kind.startsWith("schedule.")) refetch(["schedules"]);
    if (/^(check|service|maintenance)\./.test(event.kind)) refetch(["services"]);
    if (event.kind.startsWith("service.")) patchHealth(client, event);
    if (/^(ops|catalog|server)\./.test(event.kind)) for (const key of ["checks", "services", "status", "workflows", "queues", "schedules"]) refetch([key]);
    if (event.kind.startsWith("maintenance.")) refetch(["maintenance"]);
    if (event.kind.startsWith("deploy.")) refetch(["deploys"]);
    if (event.kind.startsWith("search.")) refetch(["searches"]);
    if (event.kind.startsWith("investigation.")) refetch(["investigations"]);
    if (event.kind.startsWith("auth.token")) refetch(["tokens"]);
    if (event.kind.startsWith("auth.")) refetch(["users"]);
  };
}

export function checkName(event: LogEvent): string | null {
  if (typeof event.data["check"] === "string") return event.data["check"];
  return event.subject.startsWith("check/") ? event.subject.slice("check/".length) : null;
}

function patchVerdict(client: QueryClient, event: LogEvent): void {
  const name = checkName(event);
  const verdict = event.data["to"];
  if (!name || !isVerdict(verdict)) return;
  const message = typeof event.data["message"] === "string" ? event.data["message"] : "";
  const duration = typeof event.data["duration_s"] === "number" ? event.data["duration_s"] : 0;
  const apply = <T extends CheckSummary>(check: T): T => {
    // A refetch may already have brought a newer result than this event; time must not run backwards.
    if (check.name !== name || (check.last_at && check.last_at > event.at)) return check;
    const recent = [...check.recent, { at: event.at, verdict, duration_s: duration }].slice(-RECENT_KEPT);
    return { ...check, verdict, message, since: event.at, last_at: event.at, duration_s: duration, recent };
  };
  client.setQueryData(checksQuery.queryKey, (checks) => checks?.map(apply));
  client.setQueryData<CheckDetail>(["checks", "one", name], (check) => check && apply(check));
}

function patchHealth(client: QueryClient, event: LogEvent): void {
  const health = event.data["to"];
  if (!isVerdict(health)) return;
  const apply = (service: ServiceSummary): ServiceSummary =>
    service.name === event.service ? { ...service, health, health_since: event.at } : service;
  client.setQueryData(servicesQuery.queryKey, (services) => services?.map(apply));
}

/**
 * Refetches at once, then again only after the answer and a pause as long as the answer took: of a storm of events a quick
 * server feels a request a second, a slow one is never asked anew before it has answered, and a page comes to rest.
 */
function calmRefetch(client: QueryClient): (key: readonly string[]) => void {
  const waiting = new Map<string, boolean>();
  const run = async (key: readonly string[], id: string): Promise<void> => {
    // A question that was already under way may be answered with what was before the event: it is asked once more.
    const early = new Set(client.getQueryCache().findAll({ queryKey: key, type: "active", fetchStatus: "fetching" }));
    waiting.set(id, early.size > 0);
    const began = Date.now();
    await client.invalidateQueries({ queryKey: key }, { cancelRefetch: false });
    setTimeout(() => {
      const isWanted = waiting.get(id);
      waiting.delete(id);
      if (isWanted) void run(key, id);
    }, Math.max(CALM_MS, Date.now() - began));
  };
  return (key) => {
    const id = key.join("/");
    if (waiting.has(id)) waiting.set(id, true);
    else void run(key, id);
  };
}
