// The mock's REST API: a Request in, a Response out, so that the dev server and the component tests share it.
import type { HostMetric, LogEvent, MaintenanceWindow, Problem, ServiceDetail, ServiceGraph, Session, Status, Token, User, Verdict } from "@/api/types";
import { CHECKS, SERVICES } from "./catalog.ts";
import { versions } from "./deploys.ts";
import { hostSeries, hostSnapshot } from "./host.ts";
import { force, record, seedEvents } from "./life.ts";
import { answerLogs } from "./logs.ts";
import * as metrics from "./metrics.ts";
import { RunDesk } from "./runs/desk.ts";
import { answerRuns } from "./runs/routes.ts";
import { answerFindings } from "./findings.ts";
import { answerTraceLogs, answerTraces, readTrace, searchTraces } from "./traces.ts";
import { createWorld, detailOf, latencyPoint, type Mode, resultAt, serviceSummaryOf, summaryOf, type World } from "./world.ts";

const DAY = 86_400_000;
const PERMISSIONS = ["auth.read", "auth.self", "auth.write", "catalog.read", "deploys.read", "events.read", "health.read", "health.run", "health.write", "logs.read", "metrics.read", "runs.manage", "runs.read", "runs.signal", "runs.start", "server.read", "server.reload", "traces.read"];

export class MockApi {
  world: World = createWorld("failing");
  desk = new RunDesk("failing");
  versions = versions();
  private signedIn = true;
  private readonly listeners = new Set<(event: LogEvent) => void>();
  private tokens: Token[] = [];
  private users: User[] = [];
  private windows: MaintenanceWindow[] = [];

  constructor(mode: Mode = "failing") {
    this.reset(mode);
  }

  reset(mode: Mode): void {
    this.world = createWorld(mode);
    this.desk = new RunDesk(mode);
    this.signedIn = mode !== "login" && mode !== "setup";
    seedEvents(this.world);
    const ago = (days: number) => new Date(Date.now() - days * DAY).toISOString();
    const ahead = (days: number) => new Date(Date.now() + days * DAY).toISOString();
    this.tokens = mode === "empty" ? [] : [
      { id: "t1", name: "ci", tenant: "default", role: "viewer", scopes: ["health.read"], created_at: ago(41), expires_at: ahead(49), last_used_at: ago(0.002), created_by: "ada" },
      { id: "t2", name: "deploy-gate", tenant: "default", role: "responder", scopes: [], created_at: ago(12), expires_at: ahead(5), last_used_at: ago(0.4), created_by: "ada" },
      { id: "t3", name: "old laptop", tenant: "default", role: "admin", scopes: [], created_at: ago(310), expires_at: ago(12), last_used_at: ago(44), created_by: "mara" },
    ];
    this.windows = mode === "empty" ? [] : [
      { id: "w1", name: "Grafana upgrade", reason: "to 12.3", selector: { services: ["observability"], checks: [], labels: {} }, starts_at: ago(0.08), ends_at: ahead(0.04), open: true, cron: null, from_file: false },
      { id: "w2", name: "Nightly backup", reason: "", selector: { services: [], checks: ["postgres-replica"], labels: {} }, starts_at: null, ends_at: null, open: false, cron: "0 3 * * *", from_file: true },
    ];
    this.users = [
      { id: "u1", name: "ada", tenant: "*", role: "admin", disabled: false, created_at: ago(120), last_seen_at: ago(0) },
      ...(mode === "empty" ? [] : [
        { id: "u2", name: "mara", tenant: "*", role: "responder" as const, disabled: false, created_at: ago(34), last_seen_at: ago(0.2) },
        { id: "u3", name: "jun", tenant: "*", role: "viewer" as const, disabled: true, created_at: ago(80), last_seen_at: ago(51) },
      ]),
    ];
  }

  emit = (event: LogEvent): void => {
    for (const listener of this.listeners) listener(event);
  };

  async handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const path = url.pathname.replace("/api/v1", "");
    const body = request.method === "GET" ? {} : ((await request.json().catch(() => ({}))) as Record<string, string>);
    if (url.pathname.startsWith("/__mock/")) return this.control(url);
    const open = this.openRoute(request.method, path, body);
    if (open) return open;
    if (!this.signedIn) return problem(401, "Not signed in", "This address needs a session or a token.", "Sign in, or send Authorization: Bearer hf_...");
    if (path === "/session" || path === "/setup") return json(session());
    if (this.world.mode === "slow") await new Promise((resolve) => setTimeout(resolve, 4_000));
    if (this.world.mode === "error" && path !== "/events/stream") {
      return problem(503, "The store does not answer", "ClickHouse refused the connection at 127.0.0.1:8123.", "Check `telemetry.url` in holdfast.toml and that the server runs; reads resume by themselves.");
    }
    return this.route(request, path, url.searchParams, body) ?? problem(404, "No such address", `${request.method} ${url.pathname}`);
  }

  /** `/__mock/mode?is=empty` and `/__mock/set?check=payments-ready&verdict=down&message=...` steer the pretence. */
  private control(url: URL): Response {
    if (url.pathname.endsWith("/mode")) this.reset(url.searchParams.get("is") as Mode);
    const check = url.searchParams.get("check");
    if (check) {
      const event = force(this.world, check, url.searchParams.get("verdict") as Verdict, url.searchParams.get("message") ?? "");
      if (event) this.emit(event);
    }
    return json({ mode: this.world.mode });
  }

  private openRoute(method: string, path: string, body: Record<string, string>): Response | undefined {
    if (path === "/setup" && method === "GET") return json({ required: this.world.mode === "setup" });
    if (path === "/setup" && method === "POST") {
      if (body["token"] !== "letmein") return problem(403, "This link is not valid any more", "It was used, or Holdfast was restarted since.", "Restart `holdfast up`: it prints a new link.");
      this.reset("empty");
      return json(session());
    }
    if (path === "/session" && method === "POST") {
      if (body["password"] === "wrong") return problem(401, "Name or password is wrong", "Four tries are left before a pause of one minute.");
      this.signedIn = true;
      return json(session());
    }
    if (path === "/session" && method === "DELETE") {
      this.signedIn = false;
      return new Response(null, { status: 204 });
    }
    return undefined;
  }

  private route(request: Request, path: string, query: URLSearchParams, body: Record<string, string>): Response | undefined {
    const world = this.world;
    const isEmpty = world.mode === "empty";
    const [, room = "", id = "", verb = ""] = path.split("/").map(decodeURIComponent);
    if (room === "status") return json(status(world));
    if (room === "events") return id === "stream" ? this.stream(request) : page(events(world, query));
    if (room === "deploys") return page(isEmpty ? [] : this.versions.filter((one) => one.service === query.get("service")));
    if (room === "host") return id === "series" ? json(hostSeries(query.get("metric") as HostMetric, ...window(query), Number(query.get("step_s")))) : json(hostSnapshot());
    if (room === "traces" && !id) return searchTraces(query, isEmpty);
    if (room === "traces") return answerFindings(id, query, isEmpty) ?? readTrace(id, verb === "spans" ? path.split("/")[4] : undefined);
    if (room === "jaeger") return answerTraces(new URL(request.url), isEmpty);
    if (room === "loki" && id === "query_range" && /trace_id="/.test(query.get("query") ?? "")) return answerTraceLogs(new URL(request.url));
    if (room === "loki") return answerLogs(id, verb, query, isEmpty);
    if (room === "metrics") return this.metricsRoute(id, verb, query);
    if (new URL(request.url).pathname === "/prometheus/api/v1/targets/relabel_steps") return json({ status: "success", data: metrics.relabelSteps(JSON.parse(query.get("labels") ?? "{}") as Record<string, string>) });
    if (room === "services" && !id) return page(isEmpty ? [] : SERVICES.map((service) => serviceSummaryOf(world, service)));
    if (room === "services" && id === "graph") return json(graph(world, isEmpty));
    if (room === "services") return this.service(id);
    if (room === "checks" && !id) return page(isEmpty ? [] : CHECKS.map((check) => summaryOf(world, check)).filter((check) => !query.has("verdict") || query.getAll("verdict").includes(check.verdict)));
    if (room === "checks") return this.check(id, verb, query);
    if (room === "maintenance") return this.maintenanceRoute(request.method, id, body);
    if (room === "tokens") return this.tokenRoute(request.method, id, body);
    if (room === "users") return this.userRoute(request.method, id, body);
    return answerRuns(this.desk, request.method, path, query, body, (missing) => problem(404, "No such run", `There is no run ${missing}.`, "It may have been removed after its time; the list has what is kept."));
  }

  private metricsRoute(id: string, verb: string, query: URLSearchParams): Response | undefined {
    const [isEmpty, isFailing] = [this.world.mode === "empty", this.world.mode !== "green"];
    if (id === "targets") return json(metrics.targets(isEmpty, isFailing));
    if (verb === "growth") return json(metrics.growth(...window(query), Number(query.get("step_s"))));
    if (verb === "makeup") return json(metrics.makeup(query.get("metric") ?? ""));
    return id === "cardinality" ? json(metrics.cardinality(isEmpty, isFailing)) : undefined;
  }

  private service(name: string): Response {
    const service = SERVICES.find((one) => one.name === name);
    if (!service) return problem(404, "No such service", `Nothing in the catalog is called “${name}”.`, "See ops/services/*.yaml, or run `holdfast check-config`.");
    const detail: ServiceDetail = {
      ...serviceSummaryOf(this.world, service),
      namespace: "default",
      description: service.description,
      labels: {},
      relations: service.depends_on.map((target) => ({ type: "dependsOn", target: `component:default/${target}`, service: target })),
      annotations: { "holdfast.dev/pager": service.owner },
      checks: CHECKS.filter((check) => check.service === name).map((check) => ({ ...summaryOf(this.world, check), impact: "hard" })),
      check_counts: serviceSummaryOf(this.world, service).checks,
      impact: [],
      apis: [],
      defined_at: `services/shop.yaml:${12 + 19 * SERVICES.indexOf(service)}`,
    };
    return json(detail);
  }

  private check(name: string, verb: string, query: URLSearchParams): Response {
    const world = this.world;
    const check = CHECKS.find((one) => one.name === name);
    if (!check) return problem(404, "No such check", `No file in ops/checks declares “${name}”.`, "It may have been renamed; the list of checks has what is loaded now.");
    if (verb === "run") {
      const result = resultAt(world, check, Date.now());
      return json({ ...result, at: new Date().toISOString() });
    }
    if (verb === "pause" || verb === "resume") {
      if (verb === "pause") world.paused.add(name);
      else world.paused.delete(name);
      this.emit(record(world, { kind: `check.${verb}d`, subject: `check/${name}`, service: check.service, actor: "user/ada", data: { check: name } }));
      return json(summaryOf(world, check));
    }
    const [start, end] = window(query);
    if (verb === "history") {
      const results = Array.from({ length: Math.min(2_000, Math.floor((end - start) / check.every_s)) }, (_, index) => resultAt(world, check, (end - index * check.every_s) * 1000));
      const wanted = query.getAll("verdict");
      return page(results.filter((result) => wanted.length === 0 || wanted.includes(result.verdict)).slice(0, 100));
    }
    if (verb === "latency") {
      const step = Number(query.get("step_s"));
      const first = Math.ceil(start / step) * step;
      const points = Array.from({ length: Math.floor((end - first) / step) + 1 }, (_, index) => latencyPoint(world, check, (first + index * step) * 1000, step));
      const of = (pick: "p50_s" | "p95_s" | "p99_s") => points.map((point) => point[pick] ?? 0).sort((a, b) => a - b)[Math.floor(points.length / 2)] ?? null;
      return json({ step_s: step, points, overall: { p50_s: of("p50_s"), p95_s: of("p95_s"), p99_s: of("p99_s") } });
    }
    if (verb === "uptime") {
      const count = Number(query.get("buckets"));
      const width = (end - start) / count;
      const buckets = Array.from({ length: count }, (_, index) => {
        const at = start + index * width;
        const seen = [0.2, 0.5, 0.8].map((part) => resultAt(world, check, (at + part * width) * 1000).verdict);
        const share = (verdict: Verdict) => (seen.filter((one) => one === verdict).length / 3) * width;
        return { at: new Date(at * 1000).toISOString(), up_s: share("up"), degraded_s: share("degraded"), down_s: share("down"), unknown_s: share("unknown") };
      });
      return json({ ratio: 0.9987, coverage: 1, buckets });
    }
    return json(detailOf(world, check));
  }

  private maintenanceRoute(method: string, id: string, body: Record<string, unknown>): Response {
    if (method === "DELETE") {
      this.windows = this.windows.filter((window) => window.id !== id);
      return new Response(null, { status: 204 });
    }
    if (method === "POST") {
      const { name = "", reason = "", ends_at = "" } = body as Record<string, string>;
      const selector = { services: [], checks: [], labels: {}, ...(body["selector"] as object) };
      this.windows = [...this.windows, { id: `w${Date.now()}`, name, reason, ends_at, selector, starts_at: new Date().toISOString(), open: true, cron: null, from_file: false }];
      return json(this.windows.at(-1));
    }
    return page(this.windows);
  }

  private tokenRoute(method: string, id: string, body: Record<string, string>): Response {
    if (method === "DELETE") {
      this.tokens = this.tokens.filter((token) => token.id !== id);
      return new Response(null, { status: 204 });
    }
    if (method === "POST") {
      const token: Token = { id: `t${Date.now()}`, name: body["name"] ?? "", tenant: "default", role: body["role"] as Token["role"], scopes: (body["scopes"] ?? []) as string[], created_at: new Date().toISOString(), expires_at: body["expires_at"] ?? "", last_used_at: null, created_by: "ada" };
      this.tokens = [token, ...this.tokens];
      return json({ ...token, secret: "hf_3nQ8vX2mT7pKc5RwYd0sZbLhFgJ9aEuN" });
    }
    return page(this.tokens);
  }

  private userRoute(method: string, id: string, body: Record<string, string>): Response {
    if (method === "POST") {
      if (this.users.some((user) => user.name === body["name"])) return problem(409, "This name is taken", `A user called “${body["name"]}” exists.`, "Choose another name, or enable the existing user.");
      this.users = [...this.users, { id: `u${Date.now()}`, name: body["name"] ?? "", tenant: "*", role: body["role"] as User["role"], disabled: false, created_at: new Date().toISOString(), last_seen_at: null }];
    }
    if (method === "PATCH") this.users = this.users.map((user) => (user.id === id ? { ...user, ...(body as Partial<User>) } : user));
    if (method === "DELETE") this.users = this.users.filter((user) => user.id !== id);
    return method === "GET" ? page(this.users) : json(this.users.find((user) => user.id === id) ?? this.users.at(-1) ?? {});
  }

  private stream(request: Request): Response {
    if (this.world.mode === "offline") return problem(503, "Not now", "The mock refuses the stream in this mode.");
    const encoder = new TextEncoder();
    let stop = (): void => undefined;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const send = (text: string) => controller.enqueue(encoder.encode(text));
        const listener = (event: LogEvent) => send(`id: ${event.seq}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`);
        send(": hello\n\n");
        const after = Number(request.headers.get("Last-Event-ID") ?? Number.NaN);
        for (const event of this.world.events) if (event.seq > after) listener(event);
        this.listeners.add(listener);
        const beat = setInterval(() => send(": beat\n\n"), 15_000);
        stop = () => {
          clearInterval(beat);
          this.listeners.delete(listener);
        };
      },
      cancel: () => stop(),
    });
    return new Response(stream, { headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-store" } });
  }
}

function window(query: URLSearchParams): [number, number] {
  return [Date.parse(query.get("start") ?? "") / 1000, Date.parse(query.get("end") ?? "") / 1000];
}

function events(world: World, query: URLSearchParams): LogEvent[] {
  const before = Number(query.get("before") ?? Number.POSITIVE_INFINITY);
  const kinds = query.getAll("kind");
  const [subject, service, start, end] = [query.get("subject"), query.get("service"), query.get("start"), query.get("end")];
  return world.events
    .filter((event) => event.seq < before && (kinds.length === 0 || kinds.some((kind) => (kind.endsWith(".") ? event.kind.startsWith(kind) : event.kind === kind))) && (!start || event.at >= start) && (!end || event.at < end) && (!subject || event.subject === subject) && (!service || event.service === service))
    .reverse()
    .slice(0, Number(query.get("limit") ?? 100));
}

function graph(world: World, isEmpty: boolean): ServiceGraph {
  if (isEmpty) return { nodes: [], edges: [] };
  return {
    nodes: SERVICES.map((service) => {
      const { name, title, kind, type, system, tier } = service;
      return { name, title, kind, type, system, tier, health: serviceSummaryOf(world, service).health };
    }),
    edges: SERVICES.flatMap((service) => service.depends_on.map((to) => ({ from: service.name, to, type: "dependsOn" }))),
  };
}

function session(): Session {
  return { user: { id: "u1", name: "ada", role: "admin" }, tenant: "default", csrf_token: "mock", expires_at: null, permissions: PERMISSIONS };
}

function status(world: World): Status {
  return {
    version: "0.1.0", started_at: new Date(world.bornAt).toISOString(), uptime_s: (Date.now() - world.bornAt) / 1000, ready: true, unready: {}, auth: "on",
    roles: ["api", "ingest", "evaluate", "probe", "work"], database: "sqlite", resident_bytes: 312 * 1024 ** 2,
    ops: {
      path: "/srv/shop/ops", loaded_at: new Date(world.bornAt - 3_000).toISOString(), warnings: [],
      problems: world.mode === "failing" ? ["checks/orders.yaml:14: unknown key 'evry' (did you mean 'every'?)"] : [],
    },
    jobs: ["health.engine", "health.host", "store.writer", "events.consumers"].map((name, index) => ({
      name, is_running: true, crashes: index === 2 ? 1 : 0, last_error: index === 2 ? "StorageFullError: no space left on /var/lib/holdfast" : "", last_crash_at: null,
    })),
  };
}

function json(value: unknown, statusCode = 200): Response {
  return Response.json(value, { status: statusCode });
}

function page(items: readonly unknown[]): Response {
  return json({ items, next: null });
}

function problem(statusCode: number, title: string, detail: string, hint: string | null = null): Response {
  const body: Problem = { type: "about:blank", title, status: statusCode, code: "mock", detail, hint };
  return new Response(JSON.stringify(body), { status: statusCode, headers: { "Content-Type": "application/problem+json" } });
}
