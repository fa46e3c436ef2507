// The Loki API of the server, as the pages about logs ask it: same session; its errors are plain words.
import { ApiError, queryString, send, type Params } from "./client";
import type { Problem } from "./types";

export const LOKI = "/loki/api/v1";
const TIMEOUT_MS = 130_000;
/** Longer addresses are refused by proxies; such a query goes in the body. */
const LONGEST_ADDRESS = 6_000;
/** Lines then say which of their labels are of the stream, which beside the line, which of its text. */
const CATEGORIZE = { "X-Loki-Response-Encoding-Flags": "categorize-labels" };

export async function askLoki<T>(path: string, params: Params, signal?: AbortSignal): Promise<T> {
  const query = queryString(params);
  const isLong = query.length > LONGEST_ADDRESS;
  const response = await send(isLong ? "POST" : "GET", `${LOKI}${path}${isLong ? "" : query}`, {
    signal,
    timeoutMs: TIMEOUT_MS,
    headers: CATEGORIZE,
    ...(isLong ? { form: query.slice(1) } : {}),
  });
  if (!response.ok) throw new ApiError(await problemOf(response));
  return (await response.json()) as T;
}

/** The address of live tails: a WebSocket. */
export const TAIL = `${LOKI}/tail`;
/** All is well with the tail but that this is no WebSocket. */
const NO_SOCKET = 426;

/** Throws why a tail cannot be opened now, where the server has a reason: browsers do not tell that of a WebSocket. */
export async function askWhyNoTail(path: string): Promise<void> {
  const response = await send("GET", path);
  if (response.status !== NO_SOCKET) throw new ApiError(await problemOf(response));
}

/** Asks what answers in an envelope. */
export async function askData<T>(path: string, params: Params, signal?: AbortSignal): Promise<T> {
  return (await askLoki<{ data: T }>(path, params, signal)).data;
}

/** The fence before the API speaks problems, the API words; what to do about it stands in a header. */
async function problemOf(response: Response): Promise<Problem> {
  const { status } = response;
  const text = await response.text();
  try {
    const body = JSON.parse(text) as Partial<Problem>;
    if (body.title) return { ...body, title: body.title, status };
  } catch {
    // Words, then.
  }
  const title = TITLES[status] ?? "The query failed";
  const hint = response.headers.get("X-Holdfast-Hint") ?? undefined;
  return { title, status, hint, detail: text.trim() || `The server answered ${status} without a reason.` };
}

const TITLES: Record<number, string> = {
  400: "The query cannot be read",
  403: "This is not allowed to you",
  404: "The server does not know this",
  429: "The server has no place for this query now",
  503: "The server has no place for this query now",
  504: "The query took too long",
};
