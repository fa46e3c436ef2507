// Says in one sentence what an event states. Unknown kinds still read well: their kind and subject are words.
import type { LogEvent, Verdict } from "@/api/types";
import { shortId } from "./runs";
import { isVerdict, VERDICT_WORD } from "./status";
import { entityName } from "./text";

export interface EventText {
  /** What it happened to, as a name. */
  subject: string;
  /** What happened, without the subject. */
  text: string;
  detail: string | null;
  verdict: Verdict | null;
}

/** Ids of people with their names, as far as they are known. */
export type Names = ReadonlyMap<string, string>;

const NO_NAMES: Names = new Map();

export function describeEvent(event: LogEvent, names: Names = NO_NAMES): EventText {
  const { data } = event;
  const subject = personName(event.subject, names) ?? entityName(event.subject);
  const to = isVerdict(data["to"]) ? data["to"] : null;
  const detail = words(data["message"]) ?? words(data["reason"]) ?? words(data["error"]) ?? firstReason(data["reasons"]);
  if (to) return { subject, text: `is ${VERDICT_WORD[to].toLowerCase()}`, detail, verdict: to };
  const [area, verb = event.kind] = event.kind.split(".");
  const text = TEXTS[event.kind] ?? verb.replaceAll("_", " ");
  if (area === "dashboard") return { subject: words(data["title"]) ?? subject, text: dashboardText(event, text), detail, verdict: null };
  if (area === "search" || area === "investigation") return { subject: words(data["name"]) ?? words(data["title"]) ?? (area === "search" ? "A" : "An"), text, detail, verdict: null };
  if (area === "run") return { subject: words(data["workflow"]) ?? `Run ${shortId(subject)}`, text: runText(event, text), detail, verdict: null };
  if (area === "deploy" && words(data["version"])) return { subject, text: deployText(event, text), detail: deployDetail(event), verdict: null };
  if (event.kind === "queue.changed") return { subject, text: `queue is ${words(data["state"]) ?? "changed"}`, detail, verdict: null };
  if (event.kind === "schedule.changed") return { subject, text: `schedule ${data["paused"] === true ? "is paused" : "goes on"}`, detail, verdict: null };
  return { subject: words(data["name"]) ?? subject, text, detail, verdict: null };
}

const TEXTS: Record<string, string> = {
  "check.flapping": "is flapping",
  "check.paused": "is paused",
  "check.resumed": "goes on",
  "maintenance.added": "maintenance is planned",
  "maintenance.removed": "maintenance is called off",
  "maintenance.started": "maintenance has begun",
  "maintenance.ended": "maintenance is over",
  "auth.login": "signed in",
  "auth.logout": "signed out",
  "auth.login_failed": "failed to sign in",
  "auth.throttled": "is slowed down after failed sign-ins",
  "auth.administrator_created": "was made the first administrator",
  "auth.user_created": "was added",
  "auth.user_changed": "was changed",
  "auth.user_removed": "was removed",
  "auth.token_created": "token was made",
  "auth.token_revoked": "token was revoked",
  "catalog.changed": "has changed",
  "dashboard.saved": "dashboard was saved",
  "dashboard.deleted": "dashboard was deleted",
  "search.saved": "search was saved",
  "search.changed": "search was changed",
  "search.deleted": "search was deleted",
  "investigation.opened": "investigation was begun",
  "investigation.renamed": "investigation has another title",
  "investigation.deleted": "investigation was deleted",
  "investigation.cell_added": "investigation got a cell",
  "investigation.cell_changed": "investigation got a changed cell",
  "investigation.cell_moved": "investigation got its cells in another order",
  "investigation.cell_removed": "investigation lost a cell",
  "deploy.seen": "runs",
  "deploy.recorded": "was deployed as",
  "deploy.settled": "runs nothing but",
  "deploy.rolled_back": "went back to",
  "ops.loaded": "files were loaded",
  "ops.refused": "files were refused",
  "run.started": "was started",
  "run.succeeded": "has succeeded",
  "run.failed": "has failed",
  "run.cancelling": "is to be cancelled",
  "run.cancelled": "was cancelled",
  "run.compensation_failed": "could not undo a step",
  "run.stranded": "is stranded: its code changed",
  "run.signal_received": "was signalled",
  "run.retried": "goes on after a failure",
  "run.replayed": "is done anew from a step",
  "run.resolved": "is no longer stranded",
  "server.started": "has started",
  "server.stopped": "was stopped",
};

function dashboardText({ data }: LogEvent, text: string): string {
  return typeof data["version"] === "number" ? `${text} as version ${data["version"]}` : text;
}

/** "runs 1.1.0, after 1.0.0" */
function deployText({ kind, data }: LogEvent, text: string): string {
  const before = kind === "deploy.settled" ? null : words(data["from"]);
  return `${text} ${words(data["version"]) ?? ""}${before ? `, after ${before}` : ""}`;
}

function deployDetail({ data }: LogEvent): string | null {
  const [environment, commit, by] = [words(data["environment"]), words(data["commit"]), words(data["by"])];
  return [environment && `in ${environment}`, commit && `commit ${commit}`, by && `by ${by}`].filter(Boolean).join(", ") || null;
}

/** A run is known by its workflow, without it by the end of its id; of a signal, a step and a way out the name is told. */
function runText({ kind, data }: LogEvent, text: string): string {
  if (kind === "run.signal_received") return `got the signal “${words(data["signal"]) ?? "?"}”`;
  if (kind === "run.resolved") return `${text}: ${(words(data["way"]) ?? "resolved").replaceAll("-", " ")}`;
  const step = words(data["step"]) ?? words(data["from_step"]);
  return step ? `${text} at “${step}”` : text;
}

/** A service says why by its checks: the first one is told. */
function firstReason(reasons: unknown): string | null {
  const [first] = Array.isArray(reasons) ? (reasons as Partial<Record<string, unknown>>[]) : [];
  const cause = words(first?.["check"]) ?? words(first?.["service"]);
  const message = words(first?.["message"]);
  return cause && message ? `${cause}: ${message}` : message;
}

/** How far apart a check's turn and that of its service may be to be told as one. */
const TOGETHER_MS = 15_000;

/** Leaves out turns of checks that the turn of their service already tells with its reasons. Newest first, as it comes. */
export function condense(events: readonly LogEvent[]): LogEvent[] {
  const told = events.filter((event) => event.kind === "service.changed");
  return events.filter(
    (event) =>
      event.kind !== "check.changed" ||
      !told.some(
        (service) =>
          service.service === event.service &&
          service.data["to"] === event.data["to"] &&
          Math.abs(Date.parse(service.at) - Date.parse(event.at)) <= TOGETHER_MS,
      ),
  );
}

/** The first word of a kind names its area; these are what people filter by. */
export const EVENT_AREAS: Record<string, string> = {
  check: "Checks",
  service: "Services",
  deploy: "Deploys",
  run: "Runs",
  queue: "Queues",
  schedule: "Schedules",
  maintenance: "Maintenance",
  dashboard: "Dashboards",
  investigation: "Investigations",
  search: "Saved searches",
  ops: "Configuration",
  catalog: "Catalog",
  auth: "People and tokens",
  server: "Server",
};

/** What a text filter searches. */
export function eventText(event: LogEvent): string[] {
  const { subject, text, detail } = describeEvent(event);
  return [event.kind, event.subject, subject, text, detail ?? "", event.service ?? "", event.actor];
}

function words(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** "user/<id>" is a person, "system" is nobody worth naming. */
export function actorName(actor: string, names: Names = NO_NAMES): string | null {
  if (actor === "system" || actor === "") return null;
  return personName(actor, names) ?? (actor.startsWith("token/") ? "a token" : entityName(actor));
}

function personName(reference: string, names: Names): string | null {
  if (!reference.startsWith("user/")) return null;
  const id = reference.slice("user/".length);
  return names.get(id) ?? (/^[0-9a-f]{8}-/.test(id) ? `user ${id.slice(-6)}` : null);
}

/** Where a click on the event leads, if anywhere. */
export function eventPath(event: LogEvent): string | null {
  const [room, name] = event.subject.split("/", 2);
  if (!name) return null;
  if (room === "check") return `/checks/${encodeURIComponent(name)}`;
  if (room === "run") return `/runs/${encodeURIComponent(name)}`;
  if (room === "queue") return "/runs/queues";
  if (room === "schedule") return "/runs/schedules";
  if (room === "dashboard" && event.kind !== "dashboard.deleted") return `/dashboards/${encodeURIComponent(name)}`;
  if (room === "investigation" && event.kind !== "investigation.deleted") return `/investigations/${encodeURIComponent(name)}`;
  if (room === "service") return `/services/${encodeURIComponent(name)}`;
  return null;
}
