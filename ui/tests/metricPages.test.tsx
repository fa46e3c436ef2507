import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { open } from "./harness";

// There is no canvas here: what charts draw is seen by the tests in a browser.
vi.mock("@/components/TimeChart", () => ({ TimeChart: ({ label }: { label: string }) => <div role="img" aria-label={label} /> }));

const PATIENCE = { timeout: 8_000 };
const main = () => document.querySelector("main")?.textContent ?? "";

describe("cardinality", () => {
  it("says which label exploded, who sends it, and what is refused", async () => {
    open("/explore/cardinality", "failing");
    const table = await screen.findByRole("region", { name: "Which label exploded" }, PATIENCE);
    expect(table.textContent).toMatch(/http_requests_total.*user_id: at least 2,973 values.*u-88121.*shop\/10.0.0.21:8000.*48,112/);
    expect(main()).toMatch(/New series are refused: 48,112 times.*metrics.max_series_per_metric/);
    expect(await screen.findByRole("img", { name: "Series over time" }, PATIENCE)).toBeTruthy();
  });

  it("is calm where nothing is refused", async () => {
    open("/explore/cardinality", "green");
    await screen.findByRole("heading", { name: "Senders" }, PATIENCE);
    expect(main()).not.toMatch(/exploded|are refused/);
    expect(main()).toMatch(/Largest metric1,024/); // not the one of which the most is kept
  });

  it("opens what a metric is made of, and keeps it in the address", async () => {
    const { router } = open("/explore/cardinality", "failing");
    await screen.findByRole("heading", { name: "Senders" }, PATIENCE);
    const heading = screen.getByRole("heading", { name: "Metrics" });
    fireEvent.click(within(heading.closest("section") as HTMLElement).getByRole("button", { name: "http_requests_total" }));
    const dialog = await screen.findByRole("dialog", undefined, PATIENCE);
    await within(dialog).findByText("u-1 (4), u-2 (4)", undefined, PATIENCE);
    expect(dialog.textContent).toMatch(/200,000 active series, 100% of 200,000/);
    expect(router.state.location.search).toBe("?metric=http_requests_total");
  });

  it("shows what unused metrics free and the rule that drops them", async () => {
    open("/explore/cardinality", "failing");
    fireEvent.click(await screen.findByRole("checkbox", { name: "Choose shop.orders" }, PATIENCE));
    expect(main()).toMatch(/Dropping all 2 metrics frees 1,036 of 231,400 active series/);
    expect(main()).toMatch(/regex: 'shop\\\.orders'/);
  });

  it("teaches what to scrape when there is nothing, and says why it fails", async () => {
    open("/explore/cardinality", "empty");
    expect(await screen.findByText("No series yet", undefined, PATIENCE)).toBeTruthy();
    open("/explore/cardinality", "error");
    expect((await screen.findByRole("alert", undefined, PATIENCE)).textContent).toMatch(/The store does not answer/);
  });
});

describe("targets", () => {
  it("puts trouble first and filters by health", async () => {
    const { router } = open("/explore/targets", "failing");
    await screen.findByText("10.0.0.11:9100", undefined, PATIENCE);
    expect([...document.querySelectorAll("main h2")].map((one) => one.textContent)).toEqual(["shop", "kubernetes", "node"]);
    expect(main()).toMatch(/5 targets of 3 jobs, 1 down, 1 dropped/);
    expect(main()).toMatch(/Discovery by kubernetes began to fail.*answered with status 403/);
    fireEvent.click(screen.getByRole("switch", { name: "Unhealthy only" }));
    await waitFor(() => expect(document.querySelectorAll("main tbody tr")).toHaveLength(2), PATIENCE);
    expect(router.state.location.search).toBe("?health=unhealthy");
  });

  it("shows labels before and after relabelling, rule by rule", async () => {
    open("/explore/targets", "failing");
    fireEvent.click(await screen.findByRole("button", { name: "10.0.0.21:8000" }, PATIENCE));
    const dialog = await screen.findByRole("dialog", undefined, PATIENCE);
    await within(dialog).findByText("removes __meta_filepath", undefined, PATIENCE);
    expect(dialog.textContent).toMatch(/Down.*answered 503/);
    expect(within(dialog).getByRole("link", { name: "Explore up" }).getAttribute("href")).toContain(encodeURIComponent('instance="10.0.0.21:8000"'));
  });

  it("teaches the first file when there is nothing", async () => {
    open("/explore/targets", "empty");
    expect(await screen.findByText("Nothing is scraped yet", undefined, PATIENCE)).toBeTruthy();
  });
});
