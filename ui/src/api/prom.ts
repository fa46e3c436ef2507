// The Prometheus API of the server, as the pages about metrics ask it: same session, same problems, its own envelope.
import { ApiError, queryString, send, type Params } from "./client";
import type { Problem } from "./types";

export const PROM = "/prometheus/api/v1";
/** What the query desk allows by default is less; this only frees the page from a dead connection. */
const TIMEOUT_MS = 130_000;
/** Longer addresses are refused by proxies; such a query goes in the body. */
const LONGEST_ADDRESS = 6_000;

export type Metric = Record<string, string>;
export type Sample = [number, string];

export interface HistogramValue {
  count: string;
  sum: string;
  /** Rule of the bounds, lower bound, upper bound, count. */
  buckets?: [number, string, string, string][];
}

export interface MatrixSeries {
  metric: Metric;
  values?: Sample[];
  histograms?: [number, HistogramValue][];
}

export interface VectorSeries {
  metric: Metric;
  value?: Sample;
  histogram?: [number, HistogramValue];
}

export type Result =
  | { resultType: "matrix"; result: MatrixSeries[] }
  | { resultType: "vector"; result: VectorSeries[] }
  | { resultType: "scalar" | "string"; result: Sample };

export interface Stats {
  timings?: { execTotalTime?: number; evalTotalTime?: number };
  samples?: { totalQueryableSamples?: number; peakSamples?: number };
  holdfast?: { series: number; peakBytes: number };
}

/** An answer with what the server said beside it. */
export interface Answer<T = Result> {
  data: T;
  warnings: string[];
  infos: string[];
}

export interface ExemplarSeries {
  seriesLabels: Metric;
  exemplars: { labels: Metric; value: string; timestamp: number }[];
}

export interface Metadata {
  type: string;
  help: string;
  unit: string;
}

interface Envelope {
  status: "success" | "error";
  data?: unknown;
  errorType?: string;
  error?: string;
  warnings?: string[];
  infos?: string[];
}

/** An answer in either form: the fence before the API speaks problems, the API its own envelope. */
type Body = Envelope & Omit<Partial<Problem>, "status">;

export async function ask<T>(path: string, params: Params, signal?: AbortSignal): Promise<Answer<T>> {
  const query = queryString(params);
  const isLong = query.length > LONGEST_ADDRESS;
  const response = await send(isLong ? "POST" : "GET", `${PROM}${path}${isLong ? "" : query}`, {
    signal,
    timeoutMs: TIMEOUT_MS,
    ...(isLong ? { form: query.slice(1) } : {}),
  });
  const body = (await response.json().catch(() => null)) as Body | null;
  if (body?.status === "success") return { data: body.data as T, warnings: body.warnings ?? [], infos: body.infos ?? [] };
  throw new ApiError(problemFrom(response, body));
}

function problemFrom(response: Response, body: Body | null): Problem {
  if (body?.status === "error") {
    return { title: TITLES[body.errorType ?? ""] ?? "The query failed", status: response.status, detail: body.error ?? "", code: body.errorType ?? "" };
  }
  if (body?.title) return { ...body, title: body.title, status: response.status } as Problem;
  return { title: "The query failed", status: response.status, detail: `The server answered ${response.status} without a reason.` };
}

const TITLES: Record<string, string> = {
  bad_data: "The query cannot be read",
  execution: "The query cannot be answered",
  timeout: "The query took too long",
  canceled: "The query was cancelled",
  unavailable: "The server has no place for this query now",
  unauthorized: "This is not allowed to you",
};
