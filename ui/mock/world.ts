// How the pretended estate behaves: every result is a pure function of check and time, so that history, percentiles
// and uptime agree with each other and with what the lists show.
import type { CheckDetail, CheckResult, CheckSummary, LatencyPoint, LogEvent, Phases, ServiceSummary, Verdict } from "@/api/types";
import { countVerdicts, worst } from "../src/lib/status.ts";
import { CHECKS, type MockCheck, type MockService, SERVICES } from "./catalog.ts";

export type Mode = "failing" | "green" | "empty" | "error" | "slow" | "login" | "setup" | "offline";

export interface World {
  mode: Mode;
  bornAt: number;
  paused: Set<string>;
  events: LogEvent[];
  /** Checks whose verdict was set while the mock runs: by its own life, or by a test through /__mock/set. */
  forced: Map<string, { at: number; verdict: Verdict; message: string }>;
}

export function createWorld(mode: Mode): World {
  return { mode, bornAt: Date.now(), paused: new Set(), events: [], forced: new Map() };
}

/** A fair number in 0..1 from text and number: the same answer every time. */
export function noise(text: string, n: number): number {
  let hash = (2166136261 ^ Math.trunc(n)) >>> 0;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 16777619) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 15), 2246822507) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 3266489909) >>> 0;
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296;
}

interface Trouble {
  pattern: RegExp;
  fromAgoS: number;
  verdict: Verdict;
  message: string;
}

const TROUBLES: Trouble[] = [
  { pattern: /^payments-(ready|authorise)$/, fromAgoS: 437, verdict: "down", message: "expected status 200, got 503 Service Unavailable (3 attempts)" },
  { pattern: /^payments-live$/, fromAgoS: 301, verdict: "degraded", message: "latency 812 ms is over the limit of 500 ms" },
  { pattern: /^search-cluster$/, fromAgoS: 5_220, verdict: "degraded", message: "cluster health is yellow: 4 unassigned shards" },
  { pattern: /^search-node-2$/, fromAgoS: 5_260, verdict: "down", message: "connect to 10.0.4.12:9300: connection refused" },
  { pattern: /^office-gateway-ping$/, fromAgoS: 93_000, verdict: "down", message: "no answer from 192.0.2.1 within 1 s, 5 of 5 lost" },
  { pattern: /^legacy-kafka$/, fromAgoS: 93_000, verdict: "unknown", message: "not probed: its parent office-gateway-ping is down" },
];

function troubleOf(world: World, check: MockCheck, at: number): { verdict: Verdict; message: string } | null {
  const forced = world.forced.get(check.name);
  if (forced && at >= forced.at - check.every_s * 1000) return forced.verdict === "up" ? null : forced;
  if (world.mode !== "green") {
    const trouble = TROUBLES.find((one) => one.pattern.test(check.name));
    if (trouble && at >= world.bornAt - trouble.fromAgoS * 1000) return trouble;
  }
  // Old scars: about one six-hour window in forty holds an outage of a few minutes.
  const window = Math.floor(at / 21_600_000);
  if (noise(check.name, window) < 0.025) {
    const into = (at % 21_600_000) / 1000;
    const start = noise(check.name, window + 7) * 20_000;
    const length = 60 + noise(check.name, window + 9) * 500;
    if (into > start && into < start + length && at < world.bornAt - 1_200_000) {
      return noise(check.name, window + 3) < 0.5
        ? { verdict: "down", message: "timed out after 5 s (2 attempts)" }
        : { verdict: "degraded", message: "latency over the limit" };
    }
  }
  return null;
}

export function resultAt(world: World, check: MockCheck, at: number): CheckResult {
  const slot = Math.floor(at / (check.every_s * 1000));
  const time = slot * check.every_s * 1000;
  const trouble = troubleOf(world, check, time);
  const tail = noise(check.name, slot) ** 6 * 4;
  const daily = 1 + 0.25 * Math.sin((time / 86_400_000) * 2 * Math.PI);
  const slow = trouble?.verdict === "degraded" ? 9 : trouble?.verdict === "down" ? 3 : 1;
  const duration = check.base_s * (0.75 + 0.5 * noise(check.name, slot + 1) + tail) * daily * slow;
  const hasDuration = check.kind !== "heartbeat" && trouble?.verdict !== "unknown";
  const code = trouble?.verdict === "down" ? 503 : 200;
  return {
    at: new Date(time).toISOString(),
    verdict: trouble?.verdict ?? "up",
    message: trouble?.message ?? okMessage(check),
    observed: trouble?.verdict ?? "up",
    blocked_by: trouble?.verdict === "unknown" ? (check.parents[0] ?? null) : null,
    duration_s: hasDuration ? duration : 0,
    phases: hasDuration ? phasesOf(check, duration) : NO_PHASES,
    attempts: trouble?.verdict === "down" ? 3 : 1,
    facts: check.kind === "http" ? { status: code, http_version: "1.1", body_bytes: 412, remote: "127.0.0.1" } : check.kind === "tls" ? { days_left: 61, issuer: "Example CA R3", protocol: "TLSv1.3" } : {},
  };
}

function okMessage(check: MockCheck): string {
  const said: Record<string, string> = {
    http: "200 OK", tcp: "connected", tls: "valid for 61 more days", dns: "1 record", grpc: "SERVING", icmp: "5 of 5 answered",
    heartbeat: "on time", postgres: "connected, lag 0 s, 23 of 100 connections", redis: "PONG", nats: "ok", script: "exit 0",
    elasticsearch: "cluster health is green", kibana: "available", kubernetes: "all ready", prometheus: "ready", grafana: "ok", ssh: "SSH-2.0-OpenSSH_9.2",
  };
  return said[check.kind] ?? "ok";
}

const NO_PHASES: Phases = { dns_s: null, connect_s: null, tls_s: null, first_byte_s: null, transfer_s: null };

function phasesOf(check: MockCheck, duration: number): Phases {
  if (check.kind === "tcp") return { ...NO_PHASES, dns_s: duration * 0.1, connect_s: duration * 0.9 };
  if (check.kind === "tls") return { ...NO_PHASES, dns_s: duration * 0.12, connect_s: duration * 0.3, tls_s: duration * 0.58 };
  if (check.kind !== "http") return { ...NO_PHASES, connect_s: duration * 0.25, first_byte_s: duration * 0.75 };
  const isTls = check.target.startsWith("https");
  return {
    dns_s: duration * 0.05,
    connect_s: duration * 0.12,
    tls_s: isTls ? duration * 0.28 : null,
    first_byte_s: duration * (isTls ? 0.47 : 0.75),
    transfer_s: duration * 0.08,
  };
}

function sinceOf(world: World, check: MockCheck): string {
  const forced = world.forced.get(check.name);
  if (forced) return new Date(forced.at).toISOString();
  const trouble = world.mode === "green" ? undefined : TROUBLES.find((one) => one.pattern.test(check.name));
  const ago = trouble ? trouble.fromAgoS : 90_000 + noise(check.name, 5) * 2_000_000;
  return new Date(world.bornAt - ago * 1000).toISOString();
}

export function summaryOf(world: World, check: MockCheck): CheckSummary {
  const now = Date.now();
  const latest = resultAt(world, check, now);
  const every = check.every_s * 1000;
  const recent = Array.from({ length: 40 }, (_, index) => resultAt(world, check, now - (39 - index) * every));
  const scar = noise(check.name, 77) ** 3 * 0.004 + (latest.verdict === "down" ? 0.005 : 0);
  return {
    name: check.name,
    kind: check.kind,
    service: check.service,
    services: check.service ? [check.service] : [],
    labels: { env: "production", ...(check.service ? { service: check.service } : {}) },
    target: check.target,
    every_s: check.every_s,
    verdict: latest.verdict,
    since: sinceOf(world, check),
    message: latest.message,
    duration_s: latest.duration_s || null,
    last_at: latest.at,
    next_at: new Date(Date.parse(latest.at) + every).toISOString(),
    uptime: {
      d1: { ratio: 1 - scar * 2, coverage: 1 },
      d7: { ratio: 1 - scar, coverage: 1 },
      d30: { ratio: 1 - scar * 0.6, coverage: 0.97 },
      d90: { ratio: 1 - scar * 0.5, coverage: 0.34 },
    },
    recent: recent.map(({ at, verdict, duration_s }) => ({ at, verdict, duration_s })),
    paused: world.paused.has(check.name),
    maintenance: check.name === "grafana-health",
    flapping: check.name === "payments-live" && world.mode !== "green",
    parents: check.parents,
  };
}

export function detailOf(world: World, check: MockCheck): CheckDetail {
  const latest = resultAt(world, check, Date.now());
  return {
    ...summaryOf(world, check),
    config: {
      kind: check.kind,
      target: check.target,
      every: `${check.every_s}s`,
      timeout: "5s",
      retry: { attempts: 3, backoff: "200ms" },
      ...(check.kind === "http" ? { method: "GET", headers: { Authorization: "***" }, assert: [{ status: 200 }, { latency_below: "500ms" }] } : {}),
      ...(check.parents.length > 0 ? { parents: check.parents } : {}),
    },
    phases: latest.phases,
    facts: latest.facts,
    blocked_by: latest.verdict === "unknown" ? (check.parents[0] ?? null) : null,
    breaker: latest.verdict === "down" ? "open" : "closed",
    attempts: latest.attempts,
    paused_by: null,
    paused_at: null,
    maintenance_window: check.name === "grafana-health" ? "Grafana upgrade" : null,
    ping_path: check.kind === "heartbeat" ? "/api/v1/heartbeats/hb_4f9a2c71d0" : null,
  };
}

export function serviceSummaryOf(world: World, service: MockService): ServiceSummary {
  const checks = CHECKS.filter((check) => check.service === service.name).map((check) => summaryOf(world, check));
  const own = worst(checks.map((check) => check.verdict));
  const sick = checks.filter((check) => check.verdict !== "up");
  const softReasons = service.depends_on
    .filter((name) => CHECKS.some((check) => check.service === name && summaryOf(world, check).verdict === "down"))
    .map((name) => ({ check: null, service: name, verdict: "degraded" as Verdict, message: "is down, and this service depends on it" }));
  const health = own === "up" && softReasons.length > 0 ? "degraded" : own;
  const first = checks[0];
  return {
    name: service.name,
    title: service.title,
    kind: service.kind,
    type: service.type,
    owner: service.owner,
    system: service.system,
    tier: service.tier,
    lifecycle: "production",
    maintenance: service.name === "observability",
    is_catalogued: true,
    links: [
      { title: "Runbook", url: `https://wiki.example.net/runbooks/${service.name}` },
      { title: "Repository", url: `https://git.example.net/shop/${service.name}` },
    ],
    tags: service.tags,
    health,
    health_since: sick[0]?.since ?? first?.since ?? null,
    reasons: [...sick.map((check) => ({ check: check.name, service: null, verdict: check.verdict, message: check.message })), ...softReasons],
    uptime: first?.uptime ?? { d1: none, d7: none, d30: none, d90: none },
    checks: countVerdicts(checks.map((check) => check.verdict)),
    depends_on: service.depends_on,
    dependents: SERVICES.filter((other) => other.depends_on.includes(service.name)).map((other) => other.name),
    recent: (first?.recent ?? []).map((_, index) => ({
      at: first?.recent[index]?.at ?? "",
      verdict: worst(checks.flatMap((check) => check.recent[index]?.verdict ?? [])),
    })),
  };
}

const none = { ratio: null, coverage: 0 };

export function latencyPoint(world: World, check: MockCheck, start: number, stepS: number): LatencyPoint {
  const samples = Array.from({ length: 12 }, (_, index) => resultAt(world, check, start + (index / 12) * stepS * 1000));
  const durations = samples.flatMap((sample) => (sample.duration_s > 0 ? sample.duration_s : [])).sort((a, b) => a - b);
  const at = (quantile: number) => durations[Math.min(durations.length - 1, Math.floor(quantile * durations.length))] ?? null;
  const counts = countVerdicts(samples.map((sample) => sample.verdict));
  return {
    at: new Date(start).toISOString(),
    p50_s: at(0.5),
    p95_s: at(0.9),
    p99_s: at(0.99),
    max_s: durations.at(-1) ?? null,
    phases: samples[6]?.phases ?? NO_PHASES,
    ...counts,
  };
}
