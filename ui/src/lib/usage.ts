// What figures of usage are called, and how amounts are written.
import type { Intake, IntakeHour, LeftOut, UsageReport, Use } from "@/api/types";
import { NOTHING } from "./format";

export function diskOf(use: Use): number {
  return use.disk_bytes + use.span_disk_bytes;
}

export function hasPrice(report: Pick<UsageReport, "stored_gib_month" | "read_gib">): boolean {
  return report.stored_gib_month > 0 || report.read_gib > 0;
}

/** An amount with its currency: small ones are told as such, for they are estimates. */
export function costText(cost: number | null | undefined, currency: string): string {
  if (cost === null || cost === undefined) return NOTHING;
  if (cost > 0 && cost < 0.01) return `under 0.01 ${currency}`;
  return `${cost.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })} ${currency}`;
}

/** The labels of a stream as a selector writes them, its service first: of many streams that is what is looked for. */
export function selectorOf(labels: Record<string, string>): string {
  const entries = Object.entries(labels).sort(([a], [b]) => Number(b === "service_name") - Number(a === "service_name"));
  return `{${entries.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ")}}`;
}

/** Where its lines are explored. */
export function logsPath(labels: Record<string, string>): string {
  return `/logs?q=${encodeURIComponent(selectorOf(labels))}`;
}

/** What the API takes and the console writes for a service that was not known when something was refused. */
export const NOT_TOLD = "(not told)";

/** What may be chosen of an intake: everything that is in it, in the order of the alphabet. */
export function choicesOf(intake: Pick<Intake, "services" | "drops">) {
  const sorted = (values: string[]) => [...new Set(values)].sort((a, b) => a.localeCompare(b));
  const each = [...intake.services, ...intake.drops];
  return {
    signal: sorted(each.map((one) => one.signal)),
    service: sorted(each.map((one) => one.service || NOT_TOLD)),
    team: sorted(each.map((one) => one.team).filter(Boolean)),
    reason: sorted(intake.drops.map((drop) => drop.reason)),
  };
}

const HOUR_MS = 3_600_000;
const MOST_BARS = 48;

/** What came of one signal between two moments. */
export interface IntakeBar {
  start: Date;
  end: Date;
  stored: number;
  bytes: number;
  dropped: number;
}

/** The signals that something came of, most bytes first. */
export function signalsOf(intake: Pick<Intake, "hours">): string[] {
  const sums = new Map<string, number>();
  for (const hour of intake.hours) sums.set(hour.signal, (sums.get(hour.signal) ?? 0) + hour.stored.bytes + hour.dropped.records + hour.dropped.requests);
  return [...sums].filter(([, sum]) => sum > 0).sort((a, b) => b[1] - a[1]).map(([signal]) => signal);
}

/** The bars of one signal: an hour each, or several where the hours are too many to be told apart. */
export function barsOf(intake: Pick<Intake, "start" | "end" | "hours">, signal: string): IntakeBar[] {
  const start = new Date(intake.start).getTime();
  const hours = Math.max(1, Math.round((new Date(intake.end).getTime() - start) / HOUR_MS));
  const each = Math.ceil(hours / MOST_BARS);
  const bars = Array.from({ length: Math.ceil(hours / each) }, (_, place): IntakeBar => ({
    start: new Date(start + place * each * HOUR_MS),
    end: new Date(start + Math.min((place + 1) * each, hours) * HOUR_MS),
    stored: 0,
    bytes: 0,
    dropped: 0,
  }));
  for (const hour of intake.hours.filter((one) => one.signal === signal)) addTo(bars, hour, start, each);
  return bars;
}

function addTo(bars: IntakeBar[], hour: IntakeHour, start: number, each: number): void {
  const bar = bars[Math.floor((new Date(hour.hour).getTime() - start) / HOUR_MS / each)];
  if (!bar) return;
  bar.stored += hour.stored.records;
  bar.bytes += hour.stored.bytes;
  bar.dropped += hour.dropped.records || hour.dropped.requests;
}

/** Everything that was left out for one reason, with the services that it happened to, most first. */
export interface ReasonSum {
  first: LeftOut;
  records: number;
  requests: number;
  services: string[];
}

export function byReason(drops: readonly LeftOut[]): ReasonSum[] {
  const sums = new Map<string, ReasonSum>();
  for (const drop of drops) {
    const key = `${drop.signal} ${drop.reason}`;
    const sum = sums.get(key) ?? { first: drop, records: 0, requests: 0, services: [] };
    sum.records += drop.amount.records;
    sum.requests += drop.amount.requests;
    sum.services.push(drop.service || NOT_TOLD);
    sums.set(key, sum);
  }
  return [...sums.values()].sort((a, b) => b.records - a.records || b.requests - a.requests);
}
