// Times for people: short relative ones to read, absolute ones (local and UTC) to hover and copy.

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const DAY_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const ZONE = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });

/** "now", "12s ago", "5m ago", "3h ago", "2d ago"; "in 12s" for what is to come. */
export function formatRelative(at: Date, now: Date): string {
  const seconds = Math.round((now.getTime() - at.getTime()) / 1000);
  if (seconds === 0) return "now";
  const text = compact(Math.abs(seconds));
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

/** How long something has lasted, in one unit: "12s", "5m", "3h", "2d". */
export function formatAge(since: Date, now: Date): string {
  return compact(Math.max(0, Math.round((now.getTime() - since.getTime()) / 1000)));
}

function compact(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  if (seconds < 63_072_000) return `${Math.floor(seconds / 86_400)}d`;
  return `${Math.floor(seconds / 31_536_000)}y`;
}

/** "20 Nov 2025, 14:03:09 CET · 13:03:09 UTC". */
export function formatAbsolute(at: Date): string {
  const zone = ZONE.formatToParts(at).find((part) => part.type === "timeZoneName")?.value ?? "";
  const local = `${DAY_YEAR.format(at)}, ${CLOCK.format(at)} ${zone}`;
  return zone === "UTC" ? local : `${local} · ${at.toISOString().slice(11, 19)} UTC`;
}

export function formatClock(at: Date): string {
  return CLOCK.format(at);
}

/** "14:03" on a short axis, "20 Nov 14:03" on one that spans days. */
export function formatMoment(at: Date, spanS: number): string {
  const clock = CLOCK.format(at);
  if (spanS <= 3_600) return clock;
  return spanS <= 86_400 ? clock.slice(0, 5) : `${DAY.format(at)} ${clock.slice(0, 5)}`;
}

/** From when to when: with the day where that is not today, once where it is one. */
export function formatWindow(from: Date, to: Date, now: Date): string {
  const letters = to.getTime() - from.getTime() <= 600_000 ? 8 : 5; // of few minutes the seconds matter
  const [begin = "", end = ""] = [from, to].map((at) => CLOCK.format(at).slice(0, letters));
  const isOneDay = from.toDateString() === to.toDateString();
  if (isOneDay && from.toDateString() === now.toDateString()) return `${begin} to ${end}`;
  return `${dayOf(from, now)} ${begin} to ${isOneDay ? "" : `${dayOf(to, now)} `}${end}`;
}

function dayOf(at: Date, now: Date): string {
  return at.getFullYear() === now.getFullYear() ? DAY.format(at) : DAY_YEAR.format(at);
}

export function formatDay(at: Date, now: Date): string {
  if (at.toDateString() === now.toDateString()) return "Today";
  const yesterday = new Date(now.getTime() - 86_400_000);
  if (at.toDateString() === yesterday.toDateString()) return "Yesterday";
  return dayOf(at, now);
}

/** The value an `<input type="datetime-local">` expects: local time, without a zone. */
export function toLocalInput(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
