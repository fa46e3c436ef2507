// The one way to the server: JSON in and out, the CSRF token on every change, problems as typed errors, a time limit.
import type { Problem } from "./types";

const BASE = "/api/v1";
const TIMEOUT_MS = 20_000;

let csrfToken = "";

export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** What the server refused or could not do; `problem` carries the title, the detail and the hint for people. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = "ApiError";
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }
}

type Param = string | number | boolean | null | undefined;

/** A list becomes a repeated parameter. */
export type Params = Record<string, Param | readonly string[]>;

interface Options {
  params?: Params | undefined;
  body?: unknown;
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
}

/** How long an answer may take that much has to be counted for. */
export const LONG_MS = 60_000;

export const get = <T>(path: string, params?: Params, signal?: AbortSignal, timeoutMs?: number) => request<T>("GET", path, { params, signal, timeoutMs });
export const post = <T>(path: string, body?: unknown, timeoutMs?: number) => request<T>("POST", path, { body, timeoutMs });
export const put = <T>(path: string, body: unknown) => request<T>("PUT", path, { body });
export const patch = <T>(path: string, body: unknown) => request<T>("PATCH", path, { body });
export const remove = <T = void>(path: string) => request<T>("DELETE", path);

async function request<T>(method: string, path: string, { params, body, signal, timeoutMs = TIMEOUT_MS }: Options = {}): Promise<T> {
  const response = await send(method, BASE + path + queryString(params), { signal, timeoutMs, ...(body === undefined ? {} : { json: body }) });
  if (!response.ok) throw new ApiError(await readProblem(response));
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

interface Sending {
  json?: unknown;
  /** A body as forms send it; Prometheus' API reads such. */
  form?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
}

/** Sends one request with the session; raises ApiError with status 0 where no answer comes. */
export async function send(method: string, address: string, { json, form, headers: more = {}, signal, timeoutMs = TIMEOUT_MS }: Sending = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", ...more };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (form !== undefined) headers["Content-Type"] = "application/x-www-form-urlencoded";
  if (method !== "GET") headers["X-CSRF-Token"] = csrfToken;
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    return await fetch(address, {
      method,
      headers,
      body: json === undefined ? (form ?? null) : JSON.stringify(json),
      credentials: "same-origin",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(unreachable(limit.aborted, timeoutMs));
  }
}

export function queryString(params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value as Param]) {
      if (one !== undefined && one !== null && one !== "") query.append(key, String(one));
    }
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}

async function readProblem(response: Response): Promise<Problem> {
  const fallback: Problem = { title: response.statusText || "The request failed", status: response.status };
  try {
    const body = (await response.json()) as Partial<Problem>;
    return { ...fallback, ...body, status: response.status };
  } catch {
    // A proxy in front may answer with HTML; the status is then all there is to say.
    return { ...fallback, detail: `The server answered ${response.status} without a reason.` };
  }
}

/** Nothing came in time. Asked again at once, it would only be waited for as long again. */
const TIMED_OUT = "console.timeout";

export function isTimeout(error: unknown): boolean {
  return error instanceof ApiError && error.problem.code === TIMED_OUT;
}

function unreachable(isLate: boolean, timeoutMs: number): Problem {
  return isLate
    ? { title: "The server is slow to answer", status: 0, code: TIMED_OUT, detail: `No answer within ${timeoutMs / 1000} s.`, hint: "Try again, or choose a shorter time range." }
    : { title: "The server cannot be reached", status: 0, detail: "The connection was refused or lost.", hint: "Is `holdfast up` still running? The console reconnects by itself." };
}
