import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { createMemoryRouter, RouterProvider } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createClient } from "@/api/cache";
import { marksQuery } from "@/api/markQueries";
import { sessionQuery } from "@/api/queries";
import type { LogEvent } from "@/api/types";
import { DeployMarks } from "@/components/DeployMarks";
import { deployedAt, deployOf, deployState } from "@/lib/deploys";
import { clusterMarks, deployUnder } from "@/lib/marks";
import { DeploysBefore } from "@/pages/metrics/DeploysBefore";
import { theme } from "@/theme";
import { deployEvent, versions } from "../mock/deploys.ts";
import { MockApi } from "../mock/handler.ts";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const told = (seq: number, minutes: number, event: ReturnType<typeof deployEvent>): LogEvent => ({ ...event, seq, id: `e${seq}`, at: new Date(Date.now() - minutes * 60_000).toISOString(), correlation_id: null });
const SEEN = told(7, 189, deployEvent("deploy.seen", "1.1.0", "1.0.0", { signal: "traces", instance: "payments-1", trace_id: "4bf92f3577b34da6a3ce929d0e0e4736" }));
const RECORDED = { ...told(9, 22, deployEvent("deploy.recorded", "1.1.0", "1.0.0", { commit: "4f2a9c1", by: "ci" })), actor: "token/ci" };
const marks = [SEEN, RECORDED].map((event, at) => ({ atS: 20 + at * 60, text: `payments runs ${String(event.data["version"])}`, verdict: null, event }));
const clusters = clusterMarks([...marks, { atS: 50, text: "ops files were loaded", verdict: null }], (atS) => atS, 100);

function Chart() {
  const [opened, setOpened] = useState<number | null>(null);
  return <DeployMarks clusters={clusters} opened={opened} onOpen={setOpened} />;
}

async function show(): Promise<void> {
  const api = new MockApi("failing");
  vi.stubGlobal("fetch", (url: string, init?: RequestInit) => api.handle(new Request(`http://console.test${url}`, init)));
  const router = createMemoryRouter([{ path: "*", element: <Chart /> }], { initialEntries: ["/"] });
  const client = createClient();
  await client.fetchQuery(sessionQuery);
  render(
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  );
}

describe("a deploy that was recorded afterwards", () => {
  it("stands where it was, not where it was told", () => {
    expect(deployedAt({ ...RECORDED, data: { ...RECORDED.data, at: "2026-01-05T10:00:00+00:00" } })).toBe("2026-01-05T10:00:00+00:00");
    expect(deployedAt({ ...RECORDED, data: { ...RECORDED.data, at: "long ago" } })).toBe(RECORDED.at);
    expect(deployedAt(SEEN)).toBe(SEEN.at);
  });
});

describe("the marks of a time", () => {
  const range = { kind: "fixed", from: new Date("2026-01-05T10:00:00Z"), to: new Date("2026-01-05T11:00:00Z") } as const;
  const recorded = (seq: number, at: string): LogEvent => ({ ...RECORDED, seq, at: "2026-01-05T12:00:00Z", data: { ...RECORDED.data, at } });

  it("have deploys that were recorded later, and keep theirs however much else happened", async () => {
    const asked: URLSearchParams[] = [];
    const page = (items: LogEvent[]) => new Response(JSON.stringify({ items, next: null }));
    vi.stubGlobal("fetch", async (url: string) => {
      const params = new URL(url, "http://console.test").searchParams;
      asked.push(params);
      if (params.getAll("kind").includes("service.")) return page(Array.from({ length: 200 }, (_, seq) => ({ ...SEEN, seq: 100 + seq, kind: "service.changed" })));
      return page(params.has("end") ? [SEEN] : [recorded(50, "2026-01-05T10:30:00+00:00"), recorded(51, "2026-01-05T13:30:00+02:00"), recorded(52, "2026-01-04T09:00:00Z")]);
    });
    const events = await createClient().fetchQuery(marksQuery(range));
    expect(events.filter(({ kind }) => kind.startsWith("deploy.")).map(({ seq }) => seq)).toEqual([SEEN.seq, 50]);
    expect(asked.find((params) => !params.has("end"))?.get("start")).toBe("2026-01-05T11:00:00.000Z");
  });

  it("tell of a deploy before them beside the chart", () => {
    const event = recorded(60, "2026-01-04T09:00:00Z");
    const marks = [event, recorded(61, "2026-01-05T10:30:00Z")].map((one) => ({ atS: 0, text: "payments was deployed as 1.1.0", verdict: null, event: one }));
    const entry = "/explore?from=2026-01-05T10:00:00Z&to=2026-01-05T11:00:00Z";
    const router = createMemoryRouter([{ path: "*", element: <DeploysBefore marks={marks} /> }], { initialEntries: [entry] });
    render(<RouterProvider router={router} />);
    const links = screen.getAllByRole("link").map((link) => [link.textContent, decodeURIComponent(link.getAttribute("href") ?? "")]);
    expect(links).toEqual([[expect.stringMatching(/^payments was deployed as 1.1.0 before this time, 4 Jan 2026/), expect.stringContaining("at=2026-01-04T09:00:00")]]);
  });
});

describe("deploys on a chart", () => {
  it("are one stop for the Tab key, and arrows go from one to the next", async () => {
    await show();
    const [first, second, ...rest] = screen.getAllByRole("button");
    expect([first?.tabIndex, second?.tabIndex, rest]).toEqual([0, -1, []]);
    first?.focus();
    fireEvent.keyDown(first as HTMLElement, { key: "ArrowRight" });
    expect(document.activeElement).toBe(second);
  });

  it("open what was deployed, when, who says so, how it ended, and the ways on", async () => {
    await show();
    fireEvent.click(screen.getAllByRole("button")[0] as HTMLElement);
    const card = await screen.findByRole("dialog");
    expect(card.textContent).toMatch(/payments runs 1\.1\.0, after 1\.0\.0.*3h ago.*Seen in its traces, first from payments-1; in production/);
    await waitFor(() => expect(card.textContent).toMatch(/Version 1\.1\.0 rolled back to 1\.0\.0/));
    const links = Object.fromEntries([...card.querySelectorAll("a")].map((link) => [link.textContent, link.getAttribute("href")]));
    expect(links["payments"]).toBe("/services/payments");
    expect(links["Around this moment"]).toContain(`at=${encodeURIComponent(SEEN.at)}`);
    expect(links["First trace"]).toContain("4bf92f3577b34da6a3ce929d0e0e4736");
    fireEvent.click(screen.getAllByRole("button", { hidden: true }).at(-1) as HTMLElement);
    await waitFor(() => expect(screen.getByRole("dialog").textContent).toMatch(/was deployed as 1\.1\.0.*Recorded by a token; in production, commit 4f2a9c1, by ci/));
  });

  it("are found by their line, and other events are not", () => {
    expect([18, 50, 82].map((x) => deployUnder(clusters, x))).toEqual([7, null, 9]);
  });

  it("belong to the deploy that had begun last, where a version was deployed again", () => {
    const deploys = versions();
    expect([SEEN, RECORDED].map((event) => deployState(deployOf(deploys, event) as (typeof deploys)[0]))).toEqual(["rolled back to 1.0.0 in production", "runs alone in production"]);
  });
});
