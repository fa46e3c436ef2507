// Shapes of durable runs as the contract of the API states them.

export type RunState = "queued" | "running" | "waiting" | "cancelling" | "succeeded" | "failed" | "cancelled" | "stranded";

export type StepState = "running" | "waiting" | "succeeded" | "failed" | "compensated" | "compensation_failed" | "skipped";

export type StepKind = "step" | "sleep" | "signal" | "child" | "map" | "compensation";

export interface Payload {
  is_cut: boolean;
  preview: string;
  size_bytes: number;
  value: unknown;
}

export interface RunFailure {
  is_in_doubt: boolean;
  message: string;
  traceback: string;
  type: string;
}

export interface RunWait {
  kind: StepKind;
  name: string;
  since: string | null;
  step: string;
  until: string | null;
}

export interface RunSummary {
  actor: string;
  attempt_group: number;
  concurrency_key: string | null;
  created_at: string;
  deadline_at: string | null;
  due_at: string | null;
  failure: RunFailure | null;
  finished_at: string | null;
  id: string;
  is_dry_run: boolean;
  key: string | null;
  parent_id: string | null;
  priority: number;
  queue: string;
  schedule: string | null;
  service: string | null;
  started_at: string | null;
  state: RunState;
  version: number;
  waits: RunWait[];
  workflow: string;
}

export interface RunDetail {
  actor: string;
  attempt_group: number;
  cancel_reason: string | null;
  cancelled_by: string | null;
  children: RunChild[];
  compensations: {
    [key: string]: number;
  };
  concurrency_key: string | null;
  created_at: string;
  deadline_at: string | null;
  due_at: string | null;
  failure: RunFailure | null;
  finished_at: string | null;
  id: string;
  input: Payload;
  is_dry_run: boolean;
  key: string | null;
  maps: RunMap[];
  output: Payload | null;
  owner: string | null;
  parent_id: string | null;
  plan: RunPlan[];
  priority: number;
  queries: string[];
  queue: string;
  recoveries: number;
  schedule: string | null;
  service: string | null;
  signals: RunSignal[];
  started_at: string | null;
  state: RunState;
  steps: {
    [key: string]: number;
  };
  stranded: RunStranded | null;
  version: number;
  waits: RunWait[];
  workflow: string;
}

export interface RunList {
  counts: {
    [key: string]: number;
  };
  items: RunSummary[];
  next: string | null;
}

export interface PlannedChange {
  action: string;
  diff: string;
  note: string;
  resource: string;
}

export interface RunPlan {
  changes: PlannedChange[];
  kind: string;
  step: string;
  summary: string;
}

export interface RunSignal {
  actor: string;
  at: string;
  id: string;
  key: string | null;
  name: string;
  payload: Payload | null;
  refused: string | null;
  taken_by: string | null;
}

export interface RunAttempt {
  failure: RunFailure | null;
  finished_at: string;
  group: number;
  number: number;
  started_at: string;
  state: StepState;
}

export interface RunStep {
  attempt_count: number;
  attempt_group: number;
  attempts: RunAttempt[];
  child_id: string | null;
  compensates: string | null;
  duration_s: number | null;
  failure: RunFailure | null;
  finished_at: string | null;
  idempotency_key: string;
  items: RunMap | null;
  key: string;
  kind: StepKind;
  name: string;
  order: number;
  output: Payload | null;
  parent: string | null;
  plan: RunPlan | null;
  signalled_by: string | null;
  started_at: string;
  state: StepState;
  wait: RunWait | null;
}

export interface RunMap {
  counts: {
    [key: string]: number;
  };
  key: string;
}

export interface RunChild {
  id: string;
  state: RunState;
  step: string;
  workflow: string;
}

export interface RunStranded {
  reason: string;
  ways: string[];
}

export interface StepList {
  items: RunStep[];
  next: string | null;
}

export interface RunLogLine {
  at: string;
  fields: {
    [key: string]: unknown;
  };
  seq: number;
  step: string | null;
  stream: string;
  text: string;
}

export interface RunLogPage {
  items: RunLogLine[];
  next: number | null;
}

export interface StartBody {
  concurrency_key?: string | null;
  deadline_at?: string | null;
  delay_s?: number | null;
  dry_run: boolean;
  input?: unknown;
  key?: string | null;
  priority: number;
  queue?: string | null;
  service?: string | null;
  version?: number | null;
  workflow: string;
}

export interface SignalBody {
  key?: string | null;
  payload?: unknown;
}

export interface ReasonBody {
  reason: string;
}

export interface ReplayBody {
  from_step?: string | null;
}

export interface ResolveBody {
  from_step?: string | null;
  way: "finish-old" | "replay" | "cancel";
}

export interface StartedRun {
  is_new: boolean;
  run: RunSummary;
}

export interface Workflow {
  events: string;
  fingerprint: string;
  input_schema: {
    [key: string]: unknown;
  };
  name: string;
  output_schema: {
    [key: string]: unknown;
  };
  queue: string;
  source: string;
  summary: string;
  timeout_s: number | null;
  version: number;
  versions: number[];
}

export interface WorkflowList {
  faults: string[];
  items: Workflow[];
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
  upcoming: string[];
  last_at: string | null;
  last_run_id: string | null;
}
