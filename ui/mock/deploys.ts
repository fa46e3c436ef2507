// Which versions of services run, in the mock: what CI recorded last, and what ran before it.
import type { Deploy } from "@/api/types";

export function versions(): Deploy[] {
  const at = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  const shared = { service: "payments", environment: "production", instance: "payments-1", settled_at: null };
  return [
    { ...shared, version: "1.1.0", from_version: "1.0.0", state: "running", is_baseline: false, began_at: at(24), first_seen: at(24), last_seen: at(0), ended_at: null, trace_id: "4bf92f3577b34da6a3ce929d0e0e4736", commit: "4f2a9c1", url: "https://ci.example/builds/7", by: "ci" },
    { ...shared, version: "1.0.0", from_version: null, state: "ended", is_baseline: true, began_at: at(9_000), first_seen: at(9_000), last_seen: at(23), ended_at: at(18), trace_id: "", commit: "", url: "", by: "" },
  ];
}
