import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createClient } from "@/api/cache";
import { ApiError } from "@/api/client";
import { createPatcher } from "@/api/patches";
import { checksQuery } from "@/api/queries";
import type { CheckSummary, LogEvent } from "@/api/types";
import { CHECKS } from "../mock/catalog.ts";
import { createWorld, summaryOf } from "../mock/world.ts";

const event = (seq: number, fields: Partial<LogEvent>) =>
  ({ seq, id: `${seq}`, actor: "system", service: "catalog", correlation_id: null, at: new Date(Date.now() + seq * 1000).toISOString(), kind: "check.changed", subject: "check/catalog-live", data: { check: "catalog-live", from: "up", to: "down", message: "refused", duration_s: 0.1 }, ...fields }) satisfies LogEvent;

describe("a live event", () => {
  let client: QueryClient;
  beforeEach(() => {
    vi.useFakeTimers();
    client = new QueryClient();
    const world = createWorld("green");
    client.setQueryData(checksQuery.queryKey, CHECKS.map((check) => summaryOf(world, check)));
  });
  afterEach(() => vi.useRealTimers());
  const check = () => client.getQueryData<CheckSummary[]>(checksQuery.queryKey)?.find((one) => one.name === "catalog-live");

  it("changes its check at once and no other", () => {
    const before = client.getQueryData<CheckSummary[]>(checksQuery.queryKey);
    createPatcher(client)(event(1, {}));
    expect(check()).toMatchObject({ verdict: "down", message: "refused", duration_s: 0.1 });
    expect(check()?.recent.at(-1)).toMatchObject({ verdict: "down" });
    const others = client.getQueryData<CheckSummary[]>(checksQuery.queryKey)?.filter((one) => one.name !== "catalog-live");
    expect(others?.every((one) => before?.includes(one))).toBe(true);
  });

  it("never turns time back", () => {
    createPatcher(client)(event(-3_600, {}));
    expect(check()?.verdict).toBe("up");
  });

  it("comes in a storm: refetches at once, then once a second", async () => {
    const refetch = vi.spyOn(client, "invalidateQueries");
    const apply = createPatcher(client);
    for (let seq = 1; seq <= 50; seq += 1) apply(event(seq, {}));
    const lists = () => refetch.mock.calls.filter(([filter]) => String(filter?.queryKey) === "services").length;
    expect(lists()).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lists()).toBe(2);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(lists()).toBe(2);
  });

  it("comes in a storm to a slow server: it is never asked anew before it has answered, and the last answer is new", async () => {
    const [tookMs, asked] = [4_000, { began: 0, cancelled: 0, answered: 0 }];
    const observer = new QueryObserver(client, {
      queryKey: ["services"],
      retry: false,
      queryFn: async ({ signal }) => {
        asked.began += 1;
        signal.addEventListener("abort", () => (asked.cancelled += 1));
        const knew = lastEvent;
        await new Promise((resolve) => setTimeout(resolve, tookMs));
        asked.answered += 1;
        return knew;
      },
    });
    let lastEvent = 0;
    const stop = observer.subscribe(() => undefined);
    const apply = createPatcher(client);
    for (lastEvent = 1; lastEvent <= 100; lastEvent += 1) {
      apply(event(lastEvent, {}));
      await vi.advanceTimersByTimeAsync(100);
    }
    const last = lastEvent;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual({ began: 3, cancelled: 0, answered: 3 });
    expect(client.isFetching()).toBe(0);
    expect(client.getQueryData(["services"])).toBe(last);
    stop();
  });

  it("with nonsense in it changes nothing", () => {
    createPatcher(client)(event(1, { data: { check: "catalog-live", to: "sideways" } }));
    expect(check()?.verdict).toBe("up");
  });
});

describe("a question that fails", () => {
  const isRetried = (status: number, code?: string): unknown => {
    const { retry } = createClient().getDefaultOptions().queries ?? {};
    return typeof retry === "function" ? retry(0, new ApiError({ title: "It failed", status, ...(code ? { code } : {}) })) : retry;
  };
  it("is asked again where the server stumbled or was away", () => expect([isRetried(503), isRetried(0)]).toEqual([true, true]));
  it("is not where it was refused, nor where no answer came in time: that would only be waited for again", () => expect([isRetried(404), isRetried(0, "console.timeout")]).toEqual([false, false]));
});
