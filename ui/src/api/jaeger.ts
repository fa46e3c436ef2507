// Jaeger's API, where it tells of a whole week what services and operations there are.
import { ApiError, type Params, queryString, send } from "./client";
import type { Problem } from "./types";

const JAEGER = "/jaeger/api";
const TIMEOUT_MS = 60_000;

export async function askJaeger<T>(path: string, params: Params, signal?: AbortSignal): Promise<T> {
  const response = await send("GET", `${JAEGER}${path}${queryString(params)}`, { signal, timeoutMs: TIMEOUT_MS });
  const body = (await response.json().catch(() => null)) as ({ data?: T; errors?: { msg: string }[] | null } & Omit<Partial<Problem>, "status">) | null;
  if (response.ok && body) return body.data as T;
  const detail = body?.errors?.[0]?.msg ?? body?.detail ?? `The server answered ${response.status} without a reason.`;
  throw new ApiError({ ...(body?.title ? (body as Omit<Partial<Problem>, "status">) : {}), title: body?.title ?? TITLES[response.status] ?? "The traces cannot be read", status: response.status, detail });
}

const TITLES: Record<number, string> = { 400: "The search cannot be read", 403: "This is not allowed to you", 404: "No such trace" };
