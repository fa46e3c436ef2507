// The pretended runs: one of every kind that a person may meet, and a believable past of ordinary ones.
import type { Payload, RunAttempt, RunDetail, RunFailure, RunState, RunStep, RunWait, StepKind, StepState } from "@/api/types";
import { noise } from "../world.ts";

export interface MockRun {
  run: RunDetail;
  steps: RunStep[];
  log: [number, "info" | "warning" | "error", string | null, string][];
  /** A fan-out whose items are made up on demand. */
  fan?: { key: string; total: number; done: number; failed: number; perSecond: number };
}

const TRACEBACK = `Traceback (most recent call last):
  File "/srv/shop/ops/workflows/refund.py", line 41, in charge_back
    answer = await provider.refund(charge.id, amount=charge.amount, key=step.idempotency_key)
  File "/usr/lib/python3.13/site-packages/httpx/_client.py", line 1729, in send
    raise exc
httpx.ConnectTimeout: no connection to api.cards.example.com:443 within 5 s`;

export const TIMED_OUT: RunFailure = { is_in_doubt: true, type: "ConnectTimeout", message: "no connection to api.cards.example.com:443 within 5 s", traceback: TRACEBACK };
const FULL: RunFailure = { is_in_doubt: false, type: "OutOfStock", message: "warehouse 3 has 0 of 2 “desk lamp, brass”", traceback: TRACEBACK.replaceAll("refund", "checkout") };
const EDITED = "version 2 was edited while this run was under way: step “rebuild” stood where “snapshot” stands now";

const iso = (ms: number): string => new Date(ms).toISOString();

/** A JSON value as the API wraps it. */
export function payload(value: unknown): Payload {
  const text = JSON.stringify(value);
  return { value, size_bytes: text.length, is_cut: false, preview: "" };
}

interface StepOptions {
  parent?: string;
  output?: unknown;
  failure?: RunFailure;
  attempts?: RunAttempt[];
  wait?: RunWait;
  by?: string;
  child?: string;
  compensates?: string;
  items?: RunStep["items"];
}

/** A story is told in seconds from the run's beginning; `null` as the end means that it lasts still. */
class Story {
  readonly steps: RunStep[] = [];
  readonly log: MockRun["log"] = [];
  private readonly id: string;
  private readonly start: number;

  constructor(id: string, start: number) {
    this.id = id;
    this.start = start;
  }

  step(kind: StepKind, key: string, state: StepState, from: number, to: number | null, options: StepOptions = {}): this {
    const at = (seconds: number): string => iso(this.start + seconds * 1000);
    const finished = to === null ? null : at(to);
    const attempts = options.attempts ?? [];
    this.steps.push({
      key, kind, state, name: key.replace(/.*\//, "").replace(/[#[].*/, ""), parent: options.parent ?? null, order: this.steps.length + 1,
      started_at: at(from), finished_at: finished, duration_s: to === null ? null : to - from, attempts, attempt_count: attempts.length + 1, attempt_group: 1,
      output: options.output === undefined ? null : payload(options.output), failure: options.failure ?? null, wait: options.wait ?? null,
      items: options.items ?? null, child_id: options.child ?? null, compensates: options.compensates ?? null,
      signalled_by: options.by ?? null, idempotency_key: `${this.id}:${key}:1`, plan: null,
    });
    return this;
  }

  /** Attempts one after the other with growing pauses; all but the last fail, and the last too unless `isHealed`. */
  tries(key: string, from: number, lengths: number[], error: RunFailure, isHealed: boolean, options: StepOptions = {}): this {
    let at = from;
    const attempts = lengths.map((length, index) => {
      const isBad = index < lengths.length - 1 || !isHealed;
      const end = this.start + (at + length) * 1000;
      const isLast = index === lengths.length - 1;
      const one: RunAttempt = { number: index + 1, group: 1, state: isBad ? "failed" : "succeeded", started_at: iso(this.start + at * 1000), finished_at: iso(end), failure: isBad ? error : null};
      at += length + (isLast ? 0 : 0.5 * 2 ** index);
      return one;
    });
    return this.step("step", key, isHealed ? "succeeded" : "failed", from, at, { ...options, attempts: attempts.slice(0, -1), ...(isHealed ? {} : { failure: error }) });
  }

  say(seconds: number, level: "info" | "warning" | "error", step: string | null, text: string): this {
    this.log.push([this.start + seconds * 1000, level, step, text]);
    return this;
  }
}

export function blankRun(id: string, workflow: string, state: RunState, created: number, more: Partial<RunDetail> = {}): RunDetail {
  const isOver = ["succeeded", "failed", "cancelled"].includes(state);
  return {
    id, workflow, version: 1, state, queue: "default", priority: 0, concurrency_key: null, service: null, key: null, actor: "user/u1", schedule: null, parent_id: null, is_dry_run: false,
    created_at: iso(created), due_at: null, started_at: state === "queued" ? null : iso(created + 12), finished_at: isOver ? iso(created + 4_000) : null,
    deadline_at: null, attempt_group: 1, waits: [], failure: null, 
    input: payload({}), output: null, owner: isOver || state === "queued" ? null : "shop-1/4211", recoveries: 0, cancelled_by: null, cancel_reason: null,
    steps: {}, maps: [], signals: [], children: [], queries: [], compensations: {}, stranded: null, plan: [], ...more,
  };
}

const runId = (n: number): string => `0199a7c4-${(0x1000 + n).toString(16)}-7d3e-9f21-${(0x4b0000000000 + n * 7919).toString(16)}`;

export function makeStories(now: number, isGreen: boolean): MockRun[] {
  const stories = [approval(now), deploy(now), fanOut(now), nightly(now), dryRun(now), queued(now, 11), queued(now, 12), sleeping(now)];
  if (!isGreen) stories.push(stranded(now), saga(now), refused(now), cancelling(now));
  return [...stories, ...past(now)];
}

function approval(now: number): MockRun {
  const start = now - 412_000;
  const id = runId(1);
  const wait: RunWait = { kind: "signal", name: "approve", step: "approve", since: iso(start + 14_620), until: iso(start + 3_600_000) };
  const story = new Story(id, start)
    .step("step", "inspect", "succeeded", 0.02, 1.9, { output: { replicas: 4, healthy: 3, version: "2.14.1" } })
    .step("step", "drain", "succeeded", 1.92, 14.6, { output: { drained: 41, left: 0 } })
    .step("signal", "approve", "waiting", 14.62, null, { wait })
    .say(0.05, "info", "inspect", "4 replicas, 3 healthy: payments-3 answers 503")
    .say(2, "info", "drain", "41 requests under way")
    .say(14.6, "info", "drain", "0 requests under way")
    .say(14.7, "info", null, "waiting for “approve” until the deadline");
  const run = blankRun(id, "shop.restart", "waiting", start, {
    version: 3, service: "payments", actor: "user/u2", key: "restart-payments-3", queue: "changes", deadline_at: iso(start + 3_600_000), owner: null,
    input: payload({ service: "payments", replica: 3, reason: "503 since 09:41" }), concurrency_key: "payments",
    waits: [wait],
  });
  return { run, steps: story.steps, log: story.log };
}

function deploy(now: number): MockRun {
  const start = now - 96_000;
  const id = runId(2);
  const story = new Story(id, start)
    .step("step", "plan", "succeeded", 0.03, 3.1, { output: { release: "orders 5.2.0", replicas: 6 } })
    .tries("build", 3.2, [6.5, 21.4], { ...TIMED_OUT, type: "RegistryUnavailable", message: "registry.example.net answered 502" }, true, { output: { image: "orders@sha256:7be1…" } })
    .step("step", "scan", "succeeded", 31.7, 44.2, { output: { critical: 0, high: 2 } })
    .step("step", "migrate", "succeeded", 31.7, 39.4, { output: { revision: "0047" } })
    .step("step", "warm-cache", "succeeded", 31.7, 58.1, { output: { keys: 18_204 } })
    .step("child", "canary", "succeeded", 58.2, 71.4, { child: runId(21), output: { error_rate: 0.0004 } })
    .step("map", "roll-out", "running", 71.5, null, { items: { key: "roll-out", total: 6, counts: { succeeded: 3, running: 1 } } })
    .say(3.3, "info", "build", "#7 [stage-1 4/6] RUN pip install -r requirements.lock")
    .say(9.6, "warning", "build", "registry.example.net answered 502; again in 0.5 s")
    .say(31, "info", "build", "pushed orders@sha256:7be1c40e")
    .say(44, "info", "scan", "2 findings of severity high, none critical")
    .say(71.6, "info", "roll-out", "replica 1 of 6 takes traffic");
  for (let index = 0; index < 4; index += 1) {
    story.step("step", `roll-out[${index}]`, index < 3 ? "succeeded" : "running", 71.5 + index * 7, index < 3 ? 78.3 + index * 7 : null, { parent: "roll-out", ...(index < 3 ? { output: { ready: true } } : {}) });
  }
  const run = blankRun(id, "shop.deploy", "running", start, {
    version: 7, service: "orders", queue: "deploys", key: "orders-5.2.0", concurrency_key: "orders", 
    input: payload({ service: "orders", release: "5.2.0", strategy: { kind: "canary", steps: [5, 25, 100] } }), deadline_at: iso(start + 1_800_000),
    children: [{ id: runId(21), workflow: "shop.canary", state: "succeeded", step: "canary" }],
  });
  return { run, steps: story.steps, log: story.log };
}

function fanOut(now: number): MockRun {
  const start = now - 148_000;
  const id = runId(3);
  const total = 10_000;
  const story = new Story(id, start)
    .step("step", "list-images", "succeeded", 0.04, 2.7, { output: { images: total } })
    .step("map", "resize", "running", 2.8, null, { items: { key: "resize", total, counts: {} } })
    .say(2.7, "info", "list-images", "10,000 images of 4 sizes")
    .say(31, "warning", "resize[412]", "image 412 is a CMYK JPEG; converted")
    .say(64, "error", "resize[1904]", "image 1904 is cut off after 12,288 bytes");
  const run = blankRun(id, "catalog.resize-images", "running", start, { service: "catalog", queue: "media", actor: "schedule/catalog.resize-images", schedule: "catalog.resize-images", input: payload({ since: "2026-11-19", sizes: [64, 256, 1024, 2048] }) });
  return { run, steps: story.steps, log: story.log, fan: { key: "resize", total, done: 7_290, failed: 14, perSecond: 49 } };
}

function nightly(now: number): MockRun {
  const start = now - 19_200_000;
  const id = runId(4);
  const kids = ["postgres", "redis", "search"].map((name, index) => blankRun(runId(41 + index), `backup.${name}`, "succeeded", start + 1_100, { parent_id: id, service: name, finished_at: iso(start + 61_000 + index * 40_000), actor: "run/parent" }));
  const story = new Story(id, start).step("step", "freeze", "succeeded", 0.1, 1, { output: { lag_s: 0 } });
  kids.forEach((kid, index) => story.step("child", `backup-${kid.service}`, "succeeded", 1.1, 61 + index * 40, { child: kid.id, output: { bytes: 41_230_118_912 / (index + 1) } }));
  story.step("sleep", "settle", "succeeded", 141.1, 201.1).step("step", "verify", "succeeded", 201.2, 244.9, { output: { restored: 3, differences: 0 } }).say(1, "info", "freeze", "writes held for 0.9 s");
  const run = blankRun(id, "platform.nightly-backup", "succeeded", start, { version: 2, service: "postgres", actor: "schedule/nightly-backup", schedule: "nightly-backup", queue: "backups", finished_at: iso(start + 244_900), children: kids.map(({ id: kid, workflow, state, service }) => ({ id: kid, workflow, state, step: `backup-${service}` })), output: payload({ bytes: 61_845_178_368, differences: 0 }) });
  return { run, steps: story.steps, log: story.log };
}

function dryRun(now: number): MockRun {
  const start = now - 1_260_000;
  const id = runId(5);
  const story = new Story(id, start)
    .step("step", "read-schema", "succeeded", 0.02, 0.3, { output: { revision: "0046" } })
    .step("step", "alter", "skipped", 0.31, 0.34)
    .step("step", "scale", "skipped", 0.35, 0.36)
    .step("step", "purge", "skipped", 0.37, 0.38);
  const run = blankRun(id, "orders.migrate", "succeeded", start, {
    service: "orders", is_dry_run: true, queue: "changes", finished_at: iso(start + 400), input: payload({ revision: "0047" }),
    plan: [
      { step: "read-schema", kind: "read", summary: "read", changes: [] },
      { step: "alter", kind: "change", summary: "adds a column and an index", changes: [{ resource: "table orders.lines", action: "alter", note: "locks it for about 2 s", diff: "--- orders.lines (now)\n+++ orders.lines (then)\n@@ -1,4 +1,6 @@\n id          uuid        not null\n order_id    uuid        not null\n-price       float       not null\n+price       numeric     not null\n+currency    text        not null default 'EUR'\n+lines_by_currency (currency)" }] },
      { step: "scale", kind: "change", summary: "6 replicas become 8", changes: [{ resource: "deployment/orders", action: "update", note: "", diff: "--- deployment/orders (now)\n+++ deployment/orders (then)\n@@ -3 +3 @@\n-replicas: 6\n+replicas: 8" }, { resource: "18,204 keys orders:v1:*", action: "delete", note: "", diff: "" }] },
    ],
  });
  return { run, steps: story.steps, log: story.log };
}

function queued(now: number, n: number): MockRun {
  const created = now - (n - 6) * 21_000;
  return { run: blankRun(runId(n), "shop.deploy", "queued", created, { version: 7, service: n % 2 ? "gateway" : "catalog", queue: "deploys", priority: n % 2 ? 5 : 0, input: payload({ service: n % 2 ? "gateway" : "catalog", release: "1.9.3" }) }), steps: [], log: [] };
}

function sleeping(now: number): MockRun {
  const start = now - 5_400_000;
  const id = runId(13);
  const wait: RunWait = { kind: "sleep", name: "two-days", step: "two-days", since: iso(start + 900), until: iso(now + 167_400_000) };
  const story = new Story(id, start)
    .step("step", "send-reminder", "succeeded", 0.1, 0.8, { output: { mails: 1 } })
    .step("sleep", "two-days", "waiting", 0.9, null, { wait });
  return { run: blankRun(id, "shop.unpaid-order", "waiting", start, { service: "orders", actor: "service/orders", waits: [wait], owner: null, input: payload({ order: "A-118204" }) }), steps: story.steps, log: story.log };
}

function stranded(now: number): MockRun {
  const start = now - 7_900_000;
  const id = runId(6);
  const story = new Story(id, start)
    .step("step", "snapshot", "succeeded", 0.1, 42, { output: { index: "products-0411" } })
    .step("step", "rebuild", "succeeded", 42.1, 921, { output: { documents: 184_022 } })
    .step("step", "compare", "succeeded", 921.2, 934, { output: { missing: 0 } });
  return { run: blankRun(id, "catalog.reindex", "stranded", start, { version: 2, service: "search", queue: "media", stranded: { reason: EDITED, ways: ["replay", "cancel"] }, owner: null, input: payload({ index: "products" }) }), steps: story.steps, log: story.log };
}

function saga(now: number): MockRun {
  const start = now - 3_100_000;
  const id = runId(7);
  const story = new Story(id, start)
    .step("step", "reserve-stock", "compensated", 0.02, 0.4, { output: { reservation: "R-5512" } })
    .step("step", "authorise-card", "compensated", 0.42, 1.7, { output: { authorisation: "7H2K" } })
    .step("step", "book-courier", "compensated", 0.42, 1.1, { output: { booking: "DHL-88213" } })
    .tries("ship", 1.8, [0.6, 0.5, 0.7], FULL, false)
    .step("compensation", "book-courier!undo", "succeeded", 5.3, 5.9, { output: { cancelled: true } })
    .tries("authorise-card!undo", 6, [5, 5, 1.2], TIMED_OUT, true, { output: { voided: true } })
    .step("compensation", "reserve-stock!undo", "succeeded", 18.9, 19.1, { output: { released: 2 } })
    .say(1.9, "error", "ship", FULL.message)
    .say(5.2, "warning", null, "undoing 3 steps in reverse order")
    .say(19.2, "info", null, "everything is undone");
  for (const step of story.steps) if (step.key.endsWith("!undo")) step.kind = "compensation";
  return { run: blankRun(id, "shop.checkout", "failed", start, { version: 4, service: "orders", actor: "service/orders", failure: FULL, finished_at: iso(start + 19_200), compensations: { succeeded: 3 }, key: "order-A-118177", input: payload({ order: "A-118177", lines: [{ sku: "lamp-brass", count: 2 }] }) }), steps: story.steps, log: story.log };
}

function refused(now: number): MockRun {
  const start = now - 940_000;
  const id = runId(8);
  const story = new Story(id, start)
    .step("step", "load-order", "succeeded", 0.01, 0.09, { output: { order: "A-118121", amount: 8_950, currency: "EUR" } })
    .step("signal", "approve", "succeeded", 0.1, 61.4, { by: "user/u2", output: { approved: true, note: "customer called" } })
    .tries("charge-back", 61.5, [5.01, 5.02, 5.01, 5.03, 5.02], TIMED_OUT, false);
  for (const [index, at] of [61.6, 67.1, 73.1, 80.1, 89.1].entries()) story.say(at, "info", "charge-back", `attempt ${index + 1}: POST https://api.cards.example.com/refunds`).say(at + 5, "error", "charge-back", TIMED_OUT.message);
  return { run: blankRun(id, "shop.refund", "failed", start, { version: 2, service: "payments", failure: TIMED_OUT, finished_at: iso(start + 94_200), signals: [{ id: "s1", name: "approve", actor: "user/u2", at: iso(start + 61_400), payload: payload({ approved: true, note: "customer called" }), key: null, taken_by: "approve", refused: null }], input: payload({ order: "A-118121", reason: "damaged" }) }), steps: story.steps, log: story.log };
}

function cancelling(now: number): MockRun {
  const start = now - 54_000;
  const id = runId(9);
  const story = new Story(id, start)
    .step("step", "reserve-window", "succeeded", 0.1, 0.4, { output: { from: "22:00" } })
    .step("step", "move-traffic", "succeeded", 0.5, 44, { output: { percent: 40 } })
    .step("compensation", "move-traffic!undo", "running", 46, null, {});
  return { run: blankRun(id, "shop.move-region", "cancelling", start, { service: "gateway", queue: "changes", cancelled_by: "user/u1", compensations: { running: 1 }, cancel_reason: "wrong region", input: payload({ to: "eu-west" }) }), steps: story.steps, log: story.log };
}

const ORDINARY: [string, string, number][] = [["shop.refund", "payments", 2], ["shop.checkout", "orders", 4], ["catalog.price-update", "catalog", 1], ["shop.invoice-mail", "notifier", 1], ["platform.rotate-secret", "postgres", 1]];

function past(now: number): MockRun[] {
  return Array.from({ length: 160 }, (_, index) => {
    const [workflow, service, version] = ORDINARY[Math.floor(noise("ordinary", index) * ORDINARY.length)] ?? ["shop.refund", "payments", 2];
    const start = now - 62_000 - index * 340_000 - noise("when", index) * 200_000;
    const took = 400 + noise("took", index) ** 4 * 90_000;
    const id = runId(100 + index);
    const state: RunState = index % 41 === 40 ? "cancelled" : "succeeded";
    const story = new Story(id, start)
      .step("step", "load", "succeeded", 0.01, 0.1, { output: { found: true } })
      .step("step", "apply", state === "succeeded" ? "succeeded" : "skipped", 0.11, took / 1000 - 0.05, { output: { done: true } });
    return { run: blankRun(id, workflow, state, start, { service, version, actor: index % 3 ? `service/${service}` : "user/u2", finished_at: iso(start + took), cancel_reason: state === "cancelled" ? "ordered twice" : null, input: payload({ order: `A-${118_300 - index}` }), output: payload({ ok: true }) }), steps: story.steps, log: story.log };
  });
}
