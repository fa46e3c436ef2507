// Which versions of services run, in the mock: what CI recorded last, and what ran before it.
import type { Deploy } from "@/api/types";

export function versions(): Deploy[] {
  const at = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  const shared = { service: "payments", environment: "production", instance: "payments-1", is_rollback: false, is_baseline: false, trace_id: "", commit: "", url: "", by: "" };
  const ended = (minutes: number, ending: "replaced" | "rolled_back", to_version: string) => ({ state: "ended", ending, to_version, ended_at: at(minutes) }) as const;
  const first = { ...shared, version: "1.0.0", from_version: null, is_baseline: true, began_at: at(9_000), first_seen: at(9_000), last_seen: at(190), settled_at: at(9_000), ...ended(184, "replaced", "1.1.0") };
  const failed = { ...shared, version: "1.1.0", from_version: "1.0.0", began_at: at(190), first_seen: at(190), last_seen: at(150), settled_at: null, ...ended(144, "rolled_back", "1.0.0") };
  const back = { ...shared, version: "1.0.0", from_version: "1.1.0", is_rollback: true, began_at: at(150), first_seen: at(150), last_seen: at(23), settled_at: at(144), ...ended(18, "replaced", "1.1.0") };
  const again = { ...shared, version: "1.1.0", from_version: "1.0.0", began_at: at(24), first_seen: at(24), last_seen: at(0), settled_at: at(18), state: "running", ending: null, to_version: null, ended_at: null } as const;
  const ci = { trace_id: "4bf92f3577b34da6a3ce929d0e0e4736", commit: "4f2a9c1", url: "https://ci.example/builds/7", by: "ci" };
  return [{ ...again, ...ci }, back, failed, first];
}

export function deployEvent(kind: string, version: string, from: string, more: Record<string, string> = {}) {
  return { kind, subject: "service/payments", service: "payments", actor: "system", data: { service: "payments", environment: "production", version, from, ...more } };
}
