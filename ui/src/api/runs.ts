// Shapes of durable runs, queues and schedules as the REST contract states them.

export type RunState = "queued" | "running" | "waiting" | "cancelling" | "succeeded" | "failed" | "cancelled" | "stranded";
export type StepState = "running" | "waiting" | "succeeded" | "failed" | "compensated" | "compensation_failed" | "skipped";
export type StepKind = "step" | "sleep" | "signal" | "child" | "map" | "compensation";

export interface Payload {
  value: unknown;
  size_bytes: number;
  is_cut: boolean;
  preview: string;
}

export interface RunFailure {
  type: string;
  message: string;
  step: string | null;
  traceback: string;
}

export interface RunWait {
  kind: string;
  name: string;
  step: string | null;
  since: string;
  until: string | null;
  payload_schema?: Record<string, unknown> | null;
}

export interface RunProgress {
  done: number;
  total: number | null;
}

export interface RunSummary {
  id: string;
  workflow: string;
  version: number;
  state: RunState;
  queue: string;
  priority: number;
  concurrency_key: string | null;
  service: string | null;
  key: string | null;
  actor: string;
  schedule: string | null;
  parent_id: string | null;
  is_dry_run: boolean;
  created_at: string;
  due_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  deadline_at: string | null;
  attempt_group: number;
  waits: RunWait[];
  failure: RunFailure | null;
  progress?: RunProgress | null;
}

export interface RunSignal {
  id: string;
  name: string;
  actor: string;
  at: string;
  payload: Payload | null;
  key: string | null;
  taken_by: string | null;
}

export interface RunChild {
  id: string;
  workflow: string;
  state: RunState;
  step: string;
}

export interface RunMap {
  key: string;
  total: number | null;
  counts: Record<string, number>;
}

export interface RunPlan {
  step: string;
  summary: string;
  diff: string;
  value: Payload | null;
}

export interface RunDetail extends RunSummary {
  input: Payload;
  output: Payload | null;
  fingerprint: string;
  owner: string | null;
  cancel_reason: string | null;
  steps: Record<string, number>;
  maps: RunMap[];
  signals: RunSignal[];
  children: RunChild[];
  queries: string[];
  compensation: { declared: number; done: number; failed: number; waiting: number } | null;
  stranded: { reason: string; started_with: string; registered: string | null; ways: string[] } | null;
  plan: RunPlan[];
  timeout_s: number | null;
}

export interface RunList {
  items: RunSummary[];
  next: string | null;
  counts?: Partial<Record<RunState, number>>;
}

export interface RunAttempt {
  number: number;
  group: number;
  state: StepState;
  started_at: string;
  finished_at: string | null;
  failure: RunFailure | null;
  retry_at: string | null;
}

export interface RunStep {
  key: string;
  name: string;
  parent: string | null;
  kind: StepKind;
  state: StepState;
  order: number;
  place: string | null;
  started_at: string | null;
  finished_at: string | null;
  duration_s: number | null;
  attempt_count: number;
  attempts: RunAttempt[];
  output: Payload | null;
  failure: RunFailure | null;
  wait: RunWait | null;
  items: RunMap | null;
  child_id: string | null;
  compensates: string | null;
  has_compensation: boolean;
  signalled_by: string | null;
  idempotency_key: string | null;
  plan: RunPlan | null;
}

export interface StepList {
  items: RunStep[];
  next: string | null;
}

export interface RunLogLine {
  seq: number;
  at: string;
  step: string | null;
  stream: string;
  text: string;
  fields: Record<string, unknown>;
}

export interface RunLogPage {
  items: RunLogLine[];
  next: number | null;
  dropped: number;
}

export interface StartedRun {
  run: RunSummary;
  is_new: boolean;
}

export interface Workflow {
  name: string;
  version: number;
  versions: number[];
  fingerprint: string;
  summary: string;
  source: string;
  queue: string;
  timeout_s: number | null;
  events: string;
  input_schema: Record<string, unknown>;
  output_schema: Record<string, unknown>;
}

export interface WorkflowList {
  items: Workflow[];
  faults: string[];
  next: string | null;
}

export interface RunQueue {
  name: string;
  state: string;
  changed_by: string | null;
  changed_at: string | null;
  concurrency: number | null;
  per_worker: number | null;
  per_key: number | null;
  rate: string | null;
  queued: number;
  delayed: number;
  running: number;
  oldest_wait_s: number | null;
}

export interface RunSchedule {
  name: string;
  workflow: string;
  kind: string;
  rule: string;
  zone: string | null;
  catch_up: string;
  overlap: string;
  jitter_s: number;
  is_paused: boolean;
  changed_by: string | null;
  changed_at: string | null;
  next_at: string | null;
  upcoming?: string[];
  last_at: string | null;
  last_run_id: string | null;
}
