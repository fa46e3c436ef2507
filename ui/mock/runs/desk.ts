// The mock's runs: lists, pages of steps, logs, and what happens when somebody starts, approves, cancels or retries one.
import type { RunList, RunQueue, RunSchedule, RunState, RunStep, RunWait, StepList, StepState, Workflow } from "@/api/types";
import { noise } from "../world.ts";
import { blankRun, makeStories, type MockRun, payload, TIMED_OUT } from "./stories.ts";

const workflow = (name: string, version: number, queue: string, summary: string, properties: Record<string, object>, required: string[]): Workflow => ({
  name, version, queue, summary, versions: Array.from({ length: version }, (_, index) => index + 1), fingerprint: "c07fa1d2be31", source: `workflows/${name.replace(/.*\./, "")}.py:14`,
  timeout_s: 3_600, events: "faults", input_schema: { type: "object", properties, required }, output_schema: {},
  signals: { approve: { type: "object", required: ["approved"], properties: { approved: { type: "boolean", title: "Approved", default: true }, note: { type: "string", title: "Note", description: "Why, for whoever reads this later" } } } },
});

export const WORKFLOWS: Workflow[] = [
  workflow("catalog.price-update", 1, "default", "Writes new prices and clears what the cache holds of the old ones.", { percent: { type: "number", title: "Change in percent" }, category: { type: "string", title: "Category", enum: ["lamps", "desks", "chairs"] } }, ["percent"]),
  workflow("catalog.resize-images", 1, "media", "Makes every size of every new image.", { since: { type: "string", format: "date", title: "Since" }, sizes: { type: "array", items: { type: "integer" } } }, ["since"]),
  workflow("shop.deploy", 7, "deploys", "Builds a release, tries it on a few, then rolls it out.", { service: { type: "string", title: "Service" }, release: { type: "string", title: "Release", description: "As it is tagged" }, force: { type: "boolean", title: "Skip the canary", default: false } }, ["service", "release"]),
  workflow("shop.refund", 2, "default", "Gives the money for an order back, after somebody has approved it.", { order: { type: "string", title: "Order" }, reason: { type: "string", title: "Reason", enum: ["damaged", "late", "other"] }, amount: { type: "integer", title: "Amount in cents", minimum: 1 } }, ["order"]),
  workflow("shop.restart", 3, "changes", "Drains one replica and starts it anew.", { service: { type: "string", title: "Service" }, replica: { type: "integer", title: "Replica", minimum: 0 } }, ["service"]),
];

export class RunDesk {
  runs: MockRun[] = [];
  queues: RunQueue[] = [];
  schedules: RunSchedule[] = [];
  /** How long the steps of runs that are started here take, as a share of what a person would like to watch. */
  pace = 1;
  private readonly born = Date.now();
  private readonly listeners = new Map<string, Set<() => void>>();

  constructor(mode: string) {
    if (mode === "empty" || mode === "setup") return;
    this.runs = makeStories(this.born, mode === "green");
    const queue = (name: string, queued: number, running: number, more: Partial<RunQueue> = {}): RunQueue => ({ name, state: "open", is_known: true, changed_by: null, changed_at: null, queued, delayed: 0, running, concurrency: null, per_worker: null, per_key: null, rate: null, oldest_wait_s: queued > 0 ? queued * 47 : null, ...more });
    this.queues = [
      queue("backups", 0, 0, { concurrency: 2 }),
      queue("changes", 0, 2, { concurrency: 4, per_key: 1 }),
      queue("default", 0, 6, { concurrency: 200, per_worker: 100 }),
      queue("deploys", 2, 1, { concurrency: 1, per_key: 1, rate: "10/1h" }),
      queue("mails", 312, 0, { state: "paused", changed_by: "user/u2", changed_at: ago(this.born, 1_900), concurrency: 20, rate: "100/1m" }),
      queue("media", 0, 1, { state: "draining", concurrency: 2, per_worker: 1 }),
    ];
    const last = (name: string) => this.runs.find(({ run }) => run.workflow === name)?.run;
    const schedule = (name: string, flow: string, rule: string, nextS: number, stepS: number, more: Partial<RunSchedule> = {}): RunSchedule => ({
      name, workflow: flow, kind: "cron", rule, zone: "UTC", overlap: "skip", catch_up: "skip", jitter_s: 0, is_known: true, last_outcome: "started", is_paused: false, changed_by: null, changed_at: null, next_at: ago(this.born, -nextS),
      upcoming: Array.from({ length: 5 }, (_, index) => ago(this.born, -(nextS + index * stepS))), last_at: last(flow)?.created_at ?? null, last_run_id: last(flow)?.id ?? null, ...more,
    });
    this.schedules = [
      schedule("black-friday-prices", "catalog.price-update", ago(this.born, -590_000), 590_000, 0, { kind: "once", zone: null, upcoming: [ago(this.born, -590_000)], last_at: null, last_run_id: null }),
      schedule("catalog.resize-images", "catalog.resize-images", "*/15 * * * *", 212, 900),
      schedule("nightly-backup", "platform.nightly-backup", "0 3 * * *", 21_400, 86_400, { zone: "Europe/Berlin", catch_up: "last" }),
      schedule("price-feed", "catalog.price-update", "2m", 88, 120, { kind: "interval", zone: null, jitter_s: 15, overlap: "queue", catch_up: "all" }),
      schedule("weekly-report", "shop.invoice-mail", "30 8 * * MON-FRI", 230_000, 604_800, { zone: "America/New_York", is_paused: true, next_at: null, upcoming: [], changed_by: "user/u2", changed_at: ago(this.born, 88_000) }),
    ];
  }

  find(id: string): MockRun | undefined {
    const story = this.runs.find(({ run }) => run.id === id);
    if (story?.fan) this.turnFan(story);
    return story ?? this.child(id);
  }

  private child(id: string): MockRun | undefined {
    const parent = this.runs.find((one) => one.run.children.some((kid) => kid.id === id));
    const kid = parent?.run.children.find((one) => one.id === id);
    return parent && kid && { run: blankRun(id, kid.workflow, kid.state, Date.parse(parent.run.created_at) + 58_200, { parent_id: parent.run.id, actor: `run/${parent.run.id}`, service: parent.run.service }), steps: [], log: [] };
  }

  private doneOf({ fan }: MockRun): number {
    return fan ? Math.min(fan.total, Math.floor(fan.done + ((Date.now() - this.born) / 1000) * fan.perSecond)) : 0;
  }

  private turnFan(story: MockRun): void {
    const { fan, run } = story;
    const map = story.steps.find((step) => step.key === fan?.key);
    if (!fan || !map?.items) return;
    const done = this.doneOf(story);
    map.items.counts = { succeeded: done - fan.failed, failed: fan.failed, running: Math.min(50, fan.total - done) };
    if (done < fan.total || run.finished_at) return;
    Object.assign(map, { state: "succeeded", finished_at: new Date().toISOString() });
    Object.assign(run, { state: "succeeded", finished_at: new Date().toISOString(), owner: null });
  }

  list(query: URLSearchParams): RunList {
    for (const story of this.runs) if (story.fan) this.turnFan(story);
    const [workflow, queue, service, actor, since, text, parent] = ["workflow", "queue", "service", "actor", "since", "q", "parent"].map((name) => query.get(name));
    const states = query.getAll("state");
    const matching = this.runs
      .map(({ run }) => run)
      .filter((run) => (!workflow || run.workflow === workflow) && (!queue || run.queue === queue) && (!service || run.service === service) && (!actor || run.actor === actor) && (!since || run.created_at >= since) && (!parent || run.parent_id === parent) && (!text || JSON.stringify([run.id, run.workflow, run.key, run.failure?.message]).toLowerCase().includes(text.toLowerCase())))
      .sort((a, b) => b.created_at.localeCompare(a.created_at));
    const counts: Record<string, number> = {};
    for (const { run } of this.runs) if (run.state !== "succeeded") counts[run.state] = (counts[run.state] ?? 0) + 1;
    const shown = matching.filter((run) => states.length === 0 || states.includes(run.state));
    const from = Number(query.get("cursor") ?? 0);
    const limit = Number(query.get("limit") ?? 50);
    return { items: shown.slice(from, from + limit), next: from + limit < shown.length ? String(from + limit) : null, counts };
  }

  steps(story: MockRun, query: URLSearchParams): StepList {
    const parent = query.get("parent");
    const from = Number(query.get("cursor") ?? 0);
    const limit = Number(query.get("limit") ?? 500);
    const { fan } = story;
    if (fan && parent === fan.key) {
      const begun = Math.min(fan.total, this.doneOf(story) + 50);
      const count = Math.max(0, Math.min(limit, begun - from));
      return { items: Array.from({ length: count }, (_, index) => this.item(story, from + index)), next: from + count < begun ? String(from + count) : null };
    }
    const all = story.steps.filter((step) => step.parent === (parent || null));
    return { items: all.slice(from, from + limit), next: from + limit < all.length ? String(from + limit) : null };
  }

  private item(story: MockRun, index: number): RunStep {
    const fan = story.fan as NonNullable<MockRun["fan"]>;
    const isBad = index % Math.floor(fan.done / fan.failed) === 412 % Math.floor(fan.done / fan.failed);
    const done = this.doneOf(story);
    const state: StepState = index >= done ? "running" : isBad ? "failed" : "succeeded";
    const from = Date.parse(story.run.started_at ?? "") + 2_800 + (index / fan.perSecond) * 1_000;
    const took = 300 + noise("resize", index) * 1_400;
    const finished = state === "running" ? null : new Date(from + took).toISOString();
    const failure = state === "failed" ? { ...TIMED_OUT, type: "TruncatedImage", is_in_doubt: false, message: `image ${index} is cut off after ${12_288 + index} bytes` } : null;
    const started = new Date(from).toISOString();
    const key = `${fan.key}[${index}]`;
    return {
      ...stepOf(story.run.id, key, "step", state), name: fan.key, parent: fan.key, order: index + 3, started_at: started, finished_at: finished, duration_s: finished ? took / 1000 : null, failure,
      output: state === "succeeded" ? payload({ bytes: 20_000 + Math.floor(noise("bytes", index) * 90_000) }) : null,
    };
  }

  start(body: Record<string, unknown>): MockRun {
    const workflow = WORKFLOWS.find((one) => one.name === body["workflow"]);
    const isDry = body["dry_run"] === true;
    const now = Date.now();
    const id = `0199a9ff-${(now % 65_536).toString(16).padStart(4, "0")}-7a10-8c44-${now.toString(16).padStart(12, "0")}`;
    const run = blankRun(id, String(body["workflow"]), "running", now, { version: workflow?.version ?? 1, queue: workflow?.queue ?? "default", input: payload(body["input"] ?? null), key: (body["key"] as string | null) ?? null, is_dry_run: isDry, service: (body["service"] as string | null) ?? null });
    const story: MockRun = { run, steps: [], log: [[now, "info", null, `started by ada${isDry ? ", dry" : ""}`]] };
    this.runs.unshift(story);
    this.act(story, "load", now, 1_200, () => {
      if (isDry) return this.finish(story, "succeeded", { plan: [{ step: "apply", kind: "change", summary: "one order", changes: [{ resource: "order", action: "update", note: "", diff: "--- order (now)\n+++ order (then)\n-state: paid\n+state: refunded" }] }] });
      story.steps.push(stepOf(run.id, "approve", "signal", "waiting"));
      const wait: RunWait = { kind: "signal", name: "approve", step: "approve", since: new Date().toISOString(), until: new Date(Date.now() + 3_600_000).toISOString() };
      Object.assign(run, { state: "waiting", waits: [wait] });
      this.tell(run.id);
    });
    return story;
  }

  signal(story: MockRun, name: string, value: unknown): void {
    const step = story.steps.find((one) => one.key === name && one.state === "waiting");
    const isYes = (value as { approved?: boolean } | null)?.approved !== false;
    if (step) Object.assign(step, { state: "succeeded", finished_at: new Date().toISOString(), output: payload(value), signalled_by: "user/u1" });
    Object.assign(story.run, { state: "running", waits: [], owner: "shop-1/4211" });
    this.tell(story.run.id);
    if (isYes) this.act(story, "apply", Date.now(), 1_800, () => this.finish(story, "succeeded", { output: payload({ ok: true }) }));
    else this.finish(story, "cancelled", { cancel_reason: "not approved" });
  }

  finish(story: MockRun, state: RunState, more: object = {}): void {
    const at = new Date().toISOString();
    for (const step of story.steps) if (!step.finished_at) Object.assign(step, { state: state === "succeeded" ? "succeeded" : "skipped", finished_at: at });
    Object.assign(story.run, { state, finished_at: at, owner: null, waits: [], ...more });
    story.log.push([Date.now(), "info", null, `${state}`]);
    this.tell(story.run.id);
  }

  again(story: MockRun): void {
    Object.assign(story.run, { state: "running", finished_at: null, failure: null, stranded: null, attempt_group: story.run.attempt_group + 1 });
    this.tell(story.run.id);
    this.act(story, `go-on#${story.run.attempt_group}`, Date.now(), 2_000, () => this.finish(story, "succeeded"));
  }

  private act(story: MockRun, key: string, from: number, ms: number, then: () => void): void {
    const step = stepOf(story.run.id, key, "step", "running");
    story.steps.push(step);
    story.log.push([from, "info", key, `${key} begins`]);
    this.tell(story.run.id);
    setTimeout(() => {
      Object.assign(step, { state: "succeeded", finished_at: new Date().toISOString(), output: payload({ ok: true }) });
      story.log.push([Date.now(), "info", key, `${key} is done`]);
      then();
      this.tell(story.run.id);
    }, ms * this.pace);
  }

  listen(id: string, listener: () => void): () => void {
    const mine = this.listeners.get(id) ?? new Set();
    this.listeners.set(id, mine.add(listener));
    return () => void mine.delete(listener);
  }

  private tell(id: string): void {
    for (const listener of this.listeners.get(id) ?? []) listener();
  }
}

function stepOf(id: string, key: string, kind: RunStep["kind"], state: StepState): RunStep {
  const started = new Date().toISOString();
  return {
    key, name: key, kind, state, parent: null, order: Date.now(), started_at: started, finished_at: null, duration_s: null, attempts: [], attempt_count: 1, attempt_group: 1, output: null, failure: null,
    wait: null, items: null, child_id: null, compensates: null, signalled_by: null, idempotency_key: `${id}:${key}:1`, plan: null,
  };
}

function ago(now: number, seconds: number): string {
  return new Date(now - seconds * 1000).toISOString();
}
