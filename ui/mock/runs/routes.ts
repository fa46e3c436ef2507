// The addresses of the mock's runs, queues and schedules.
import type { RunDetail } from "@/api/types";
import type { RunDesk } from "./desk.ts";
import { WORKFLOWS } from "./desk.ts";
import type { MockRun } from "./stories.ts";

type Body = Record<string, unknown>;

/** Answers `/runs`, `/workflows`, `/queues` and `/schedules`; undefined for what is not theirs. */
export function answerRuns(desk: RunDesk, method: string, path: string, query: URLSearchParams, body: Body, missing: (what: string) => Response): Response | undefined {
  const [, room = "", id = "", verb = "", name = ""] = path.split("/").map(decodeURIComponent);
  if (room === "workflows") return json({ items: desk.runs.length > 0 ? WORKFLOWS : [], faults: [], next: null });
  if (room === "queues") return lever(desk.queues, id, (one) => Object.assign(one, { state: { pause: "paused", resume: "open", drain: "draining" }[verb], changed_by: "user/u1", changed_at: new Date().toISOString() }));
  if (room === "schedules" && verb === "start") return json({ run: desk.start({ workflow: desk.schedules.find((one) => one.name === id)?.workflow }).run, is_new: true }, 201);
  if (room === "schedules") return lever(desk.schedules, id, (one) => Object.assign(one, { is_paused: verb === "pause", changed_by: "user/u1", changed_at: new Date().toISOString() }));
  if (room !== "runs") return undefined;
  if (!id) return method === "POST" ? json({ run: desk.start(body).run, is_new: true }, 201) : json(desk.list(query));
  const story = desk.find(id);
  if (!story) return missing(id);
  if (method === "POST") return change(desk, story, verb, name, body);
  if (verb === "steps") return name ? json(story.steps.find((step) => step.key === name) ?? {}) : json(desk.steps(story, query));
  if (verb === "log") return json(logOf(story, Number(query.get("after") ?? 0)));
  if (verb === "stream") return stream(desk, story);
  return json(detailOf(story));
}

function lever<T extends { name: string }>(items: T[], name: string, change: (one: T) => void): Response {
  if (!name) return json({ items, next: null });
  const one = items.find((item) => item.name === name);
  if (one) change(one);
  return json(one ?? {});
}

function change(desk: RunDesk, story: MockRun, verb: string, name: string, body: Body): Response {
  if (verb === "signals") desk.signal(story, name, body["payload"]);
  if (verb === "cancel") desk.finish(story, "cancelled", { cancel_reason: body["reason"] });
  if (verb === "resolve" && body["way"] === "cancel") desk.finish(story, "cancelled", { cancel_reason: "the code changed", stranded: null });
  else if (["retry", "replay", "resolve"].includes(verb)) desk.again(story);
  return json(story.run, 202);
}

function detailOf(story: MockRun): RunDetail {
  return { ...story.run, steps: countOf(story), maps: story.steps.flatMap((step) => step.items ?? []) };
}

function countOf(story: MockRun): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const step of story.steps) if (!step.parent) counts[step.state] = (counts[step.state] ?? 0) + 1;
  return counts;
}

function logOf(story: MockRun, after: number) {
  const lines = story.log.map(([at, level, step, text], index) => ({ seq: index + 1, at: new Date(at).toISOString(), step, stream: "log", text, fields: level === "info" ? {} : { level } }));
  return { items: lines.filter((line) => line.seq > after), next: null };
}

function stream(desk: RunDesk, story: MockRun): Response {
  const encoder = new TextEncoder();
  let stop = (): void => undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(encoder.encode(": hello\n\n"));
      const write = (kind: string, data: unknown): void => controller.enqueue(encoder.encode(`event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`));
      const tell = (): void => {
        desk.find(story.run.id);
        for (const step of story.steps) if (!step.parent) write("step", step);
        for (const line of logOf(story, 0).items) write("log", line);
        write("run", detailOf(story));
      };
      tell();
      const unlisten = desk.listen(story.run.id, tell);
      const life = story.fan && setInterval(tell, 1_000);
      const beat = setInterval(() => controller.enqueue(encoder.encode(": beat\n\n")), 15_000);
      stop = () => {
        clearInterval(beat);
        clearInterval(life);
        unlisten();
      };
    },
    cancel: () => stop(),
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-store" } });
}

function json(value: unknown, status = 200): Response {
  return Response.json(value, { status });
}
