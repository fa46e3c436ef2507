// The mock's event log: a believable past, and a present in which something happens every few seconds.
import type { LogEvent, Verdict } from "@/api/types";
import { CHECKS } from "./catalog.ts";
import { deployEvent } from "./deploys.ts";
import { noise, resultAt, type World } from "./world.ts";

export type Listener = (event: LogEvent) => void;

export function seedEvents(world: World): void {
  if (world.mode === "empty" || world.mode === "setup") return;
  const now = world.bornAt;
  const past: [number, Omit<LogEvent, "seq" | "id" | "at" | "correlation_id">][] = [];
  for (let index = 0; index < 140; index += 1) {
    const check = CHECKS[Math.floor(noise("seed", index) * CHECKS.length)];
    if (!check || /^(payments|search|office|legacy)/.test(check.name)) continue;
    const ago = 1_800 + index * 1_300 + noise("ago", index) * 900;
    past.push([ago, changed(check.name, check.service, "up", index % 3 ? "degraded" : "down", index % 3 ? "latency over the limit" : "timed out after 5 s (2 attempts)", 1.2)]);
    past.push([ago - 60 - noise("len", index) * 600, changed(check.name, check.service, index % 3 ? "degraded" : "down", "up", "200 OK", 0.012)]);
  }
  for (const [ago, event] of [
    [86_000, { kind: "auth.user_created", subject: "user/mara", service: null, actor: "user/ada", data: { name: "mara", role: "responder" } }],
    [84_100, { kind: "auth.token_created", subject: "token/ci", service: null, actor: "user/ada", data: { name: "ci", role: "viewer" } }],
    [41_000, { kind: "ops.loaded", subject: "ops", service: null, actor: "system", data: { files: 31, checks: 60 } }],
    [11_400, deployEvent("deploy.seen", "1.1.0", "1.0.0", { signal: "traces", instance: "payments-1", trace_id: "4bf92f3577b34da6a3ce929d0e0e4736" })],
    [8_640, deployEvent("deploy.rolled_back", "1.0.0", "1.1.0")],
    [7_400, { kind: "maintenance.started", subject: "maintenance/grafana-upgrade", service: "observability", actor: "user/mara", data: { name: "Grafana upgrade", reason: "12.3" } }],
    [3_300, { kind: "auth.login", subject: "user/ada", service: null, actor: "user/ada", data: { address: "127.0.0.1" } }],
    [1_440, { ...deployEvent("deploy.recorded", "1.1.0", "1.0.0", { commit: "4f2a9c1", by: "ci", url: "https://ci.example/builds/7" }), actor: "token/ci" }],
    [2_900, { kind: "ops.refused", subject: "ops", service: null, actor: "system", data: { message: "checks/orders.yaml:14: unknown key 'evry' (did you mean 'every'?)" } }],
  ] as [number, Omit<LogEvent, "seq" | "id" | "at" | "correlation_id">][]) past.push([ago, event]);
  if (world.mode !== "green") {
    past.push([5_260, changed("search-node-2", "search", "up", "down", "connect to 10.0.4.12:9300: connection refused", 0.002)]);
    past.push([5_220, changed("search-cluster", "search", "up", "degraded", "cluster health is yellow: 4 unassigned shards", 0.19)]);
    past.push([437, changed("payments-ready", "payments", "up", "down", "expected status 200, got 503 Service Unavailable (3 attempts)", 0.025)]);
    past.push([431, changed("payments-authorise", "payments", "up", "down", "expected status 200, got 503 Service Unavailable (3 attempts)", 0.31)]);
    past.push([301, changed("payments-live", "payments", "up", "degraded", "latency 812 ms is over the limit of 500 ms", 0.812)]);
    past.push([430, { kind: "service.changed", subject: "service/payments", service: "payments", actor: "system", data: { service: "payments", from: "up", to: "down", reasons: [{ check: "payments-ready", verdict: "down", message: "expected status 200, got 503 Service Unavailable" }] } }]);
    past.push([120, { kind: "check.flapping", subject: "check/payments-live", service: "payments", actor: "system", data: { check: "payments-live", changes: 7 } }]);
  }
  past.sort((a, b) => b[0] - a[0]);
  for (const [ago, event] of past) record(world, event, now - ago * 1000);
}

export function changed(check: string, service: string | null, from: Verdict, to: Verdict, message: string, duration_s: number) {
  return { kind: "check.changed", subject: `check/${check}`, service, actor: "system", data: { check, from, to, message, duration_s } };
}

export function record(world: World, event: Omit<LogEvent, "seq" | "id" | "at" | "correlation_id">, at = Date.now()): LogEvent {
  const seq = (world.events.at(-1)?.seq ?? 0) + 1;
  const full: LogEvent = { ...event, seq, id: `0199-${seq}`, at: new Date(at).toISOString(), correlation_id: null };
  world.events.push(full);
  if (world.events.length > 2_000) world.events.shift();
  return full;
}

/** Sets a check's verdict as if it had just been observed, and tells everybody who listens. */
export function force(world: World, name: string, verdict: Verdict, message: string): LogEvent | null {
  const check = CHECKS.find((one) => one.name === name);
  if (!check) return null;
  const from = resultAt(world, check, Date.now()).verdict;
  world.forced.set(name, { at: Date.now(), verdict, message });
  return from === verdict ? null : record(world, changed(name, check.service, from, verdict, message, check.base_s));
}

/** One check comes and goes, so that live updates can be looked at. Returns a function that ends this life. */
export function startLife(world: () => World, emit: Listener): () => void {
  let turn = 0;
  const timer = setInterval(() => {
    if (world().mode !== "failing") return;
    turn += 1;
    const event = turn % 2
      ? force(world(), "catalog-search", "degraded", "latency 612 ms is over the limit of 500 ms")
      : force(world(), "catalog-search", "up", "200 OK");
    if (event) emit(event);
  }, 20_000);
  return () => clearInterval(timer);
}
