import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { HUGE_ID, SKEWED_ID } from "../mock/traces.ts";
import { open } from "./harness";

const PATIENCE = { timeout: 12_000 };
const main = () => document.querySelector("main")?.textContent ?? "";
const items = () => [...document.querySelectorAll("[role=treeitem]")];
const names = () => items().map((item) => item.querySelector("b")?.textContent);
const ORDER = "c0ffee00000000000000000000000004";

describe("traces", () => {
  it("lists what a search finds, and opens one", async () => {
    const { router } = open("/traces", "failing");
    const [link] = await screen.findAllByRole("link", { name: "POST /checkout" }, PATIENCE);
    expect(main()).toMatch(/60 traces, 7 with errors; the longest took 2.16 s/);
    fireEvent.click(link as HTMLElement);
    await waitFor(() => expect(router.state.location.pathname).toMatch(/^\/traces\/c0ffee/), PATIENCE);
  });

  it("leaves out those of a single span until somebody wants them", async () => {
    const { router } = open("/traces", "failing");
    expect(await screen.findByText("12 without errors left out", undefined, PATIENCE)).toBeTruthy();
    expect(screen.queryByRole("link", { name: "GET /healthz" })).toBeNull();
    fireEvent.click(screen.getByRole("switch", { name: "Traces of a single span" }));
    expect((await screen.findAllByRole("link", { name: "GET /healthz" }, PATIENCE)).length).toBe(12);
    expect(router.state.location.search).toBe("?singles=1");
    expect(main()).toMatch(/72 traces/);
  });

  it("leaves nothing out where it is said which spans are meant", async () => {
    open("/traces?spans=root", "failing");
    expect((await screen.findAllByRole("link", { name: "GET /healthz" }, PATIENCE)).length).toBe(12);
    expect(screen.queryByRole("switch", { name: "Traces of a single span" })).toBeNull();
  });

  it("asks for what the address says", async () => {
    open("/traces?service=payments&status=error", "failing");
    await waitFor(() => expect(main()).toMatch(/7 traces, 7 with errors/), PATIENCE);
  });

  it("stays where it is read when it comes anew, with what was folded", async () => {
    const { client } = open(`/traces/${ORDER}?q=POST`, "failing");
    const tree = await screen.findByRole("tree", { name: "Spans" }, PATIENCE);
    tree.scrollTop = 5_000;
    const before = client.getQueryData(["trace", ORDER]);
    await act(() => client.invalidateQueries({ queryKey: ["trace", ORDER] }));
    await waitFor(() => expect(client.getQueryData(["trace", ORDER])).not.toBe(before), PATIENCE);
    expect(tree.scrollTop).toBe(5_000);
  });

  it("refuses attributes and durations that cannot be read, at their field", async () => {
    open("/traces?min=fast", "failing");
    expect(await screen.findByText(/Write a number with its unit/, undefined, PATIENCE)).toBeTruthy();
  });

  it("opens a trace by its id", async () => {
    const { router } = open("/traces", "failing");
    const field = await screen.findByRole("textbox", { name: "Attributes, or a trace id" }, PATIENCE);
    fireEvent.change(field, { target: { value: ORDER } });
    fireEvent.keyDown(field, { key: "Enter" });
    await waitFor(() => expect(router.state.location.pathname).toBe(`/traces/${ORDER}`), PATIENCE);
  });

  it("teaches how to send spans when there are none, and says why it fails", async () => {
    open("/traces", "empty");
    expect(await screen.findByText(/opentelemetry-instrument python app.py/, undefined, PATIENCE)).toBeTruthy();
    open("/traces", "error");
    expect((await screen.findByRole("alert", undefined, PATIENCE)).textContent).toMatch(/The store does not answer/);
  });
});

describe("many traces together", () => {
  it("are drawn by duration and time", async () => {
    open("/traces?min=100ms", "failing");
    expect(await screen.findByRole("group", { name: /spans, 14 failed; p50 52.0 ms, p95 118 ms/ }, PATIENCE)).toBeTruthy();
    expect(screen.getByRole("link", { name: "Compare with the rest" }).getAttribute("href")).toBe("/traces/compare?min=100ms&spans=root");
  });

  it("are grouped where an error began, each with its traces", async () => {
    open("/traces/groups", "failing");
    const link = await screen.findByRole("link", { name: "POST api.bank.example/charge" }, PATIENCE);
    expect(link.getAttribute("href")).toContain("status=error");
    expect(main()).toMatch(/ConnectionResetError.*the bank hung up after/);
    expect(screen.getByRole("link", { name: "example 1 of POST api.bank.example/charge" }).getAttribute("href")).toContain("/traces/c0ffee");
    fireEvent.click(screen.getByRole("radio", { name: "Slow" }));
    expect(await screen.findByText("SELECT * FROM prices WHERE sku = ?", undefined, PATIENCE)).toBeTruthy();
  });

  it("are compared when it is said which", async () => {
    open("/traces/compare", "failing");
    expect(await screen.findByText("Which traces are in question?", undefined, PATIENCE)).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Failed" }));
    const row = await screen.findByRole("row", { name: /service.version 2.4.0/ }, PATIENCE);
    expect(row.textContent).toMatch(/98.*31.*3.16×.*significant/);
    expect(main()).toMatch(/may be chance.*SELECT prices/);
    expect(screen.getAllByRole("row", { name: /http.route/ })).toHaveLength(18);
    fireEvent.click(screen.getByRole("button", { name: "Show all 32" }));
    expect(screen.getAllByRole("row", { name: /http.route/ })).toHaveLength(30);
    expect(within(row).getByRole("link").getAttribute("href")).toBe("/traces?attributes=service.version%3D2.4.0");
  });

  it("make a map whose table says the same as the picture", async () => {
    open("/traces/map", "failing");
    const opener = await screen.findByRole("button", { name: /gateway to orders/ }, PATIENCE);
    expect(main()).toMatch(/8 connections between 9 nodes: 1 failing, 1 worse than before, 1 new, 1 gone/);
    fireEvent.click(opener);
    const dialog = await screen.findByRole("dialog", undefined, PATIENCE);
    expect(dialog.textContent).toMatch(/Failing.*more errors, slower.*p95180 ms60.0 ms/);
    expect(within(dialog).getByRole("link", { name: "Its traces" }).getAttribute("href")).toBe("/traces?service=orders");
  });
});

describe("a trace", () => {
  it("shows spans, the services, errors, and the lines of its logs", async () => {
    open(`/traces/${ORDER}`, "failing");
    await screen.findByRole("tree", undefined, PATIENCE);
    expect(names().slice(0, 3)).toEqual(["POST /checkout", "POST /orders", "validate basket"]);
    expect(main()).toMatch(/9 spans3 errors/);
    expect(await screen.findByText("the bank answers slowly, trying once more", undefined, PATIENCE)).toBeTruthy();
    expect(screen.getByRole("link", { name: "open in Logs" }).getAttribute("href")).toContain(`trace_id%3D%22${ORDER}`);
  });

  it("is walked, collapsed and opened by keys", async () => {
    const { router } = open(`/traces/${ORDER}`, "failing");
    const tree = await screen.findByRole("tree", undefined, PATIENCE);
    fireEvent.keyDown(tree, { key: "ArrowDown" });
    fireEvent.keyDown(tree, { key: "ArrowLeft" });
    await waitFor(() => expect(names()).toEqual(["POST /checkout", "POST /orders"]), PATIENCE);
    expect(main()).toMatch(/2 of 9 spans/);
    fireEvent.keyDown(tree, { key: "ArrowRight" });
    await waitFor(() => expect(names()).toHaveLength(9), PATIENCE);
    fireEvent.keyDown(tree, { key: "Enter" });
    await waitFor(() => expect(router.state.location.search).toBe("?span=00000000000000a2"), PATIENCE);
  });

  it("opens a span with all that it says", async () => {
    open(`/traces/${ORDER}?span=00000000000000a7`, "failing");
    const dialog = await screen.findByRole("dialog", undefined, PATIENCE);
    await within(dialog).findByText("the bank hung up", undefined, PATIENCE);
    expect(dialog.textContent).toMatch(/exception.*ConnectionResetError.*host.name/s);
  });

  it("finds spans and reveals them", async () => {
    open(`/traces/${ORDER}?q=insert`, "failing");
    await screen.findByRole("tree", undefined, PATIENCE);
    await waitFor(() => expect(document.querySelector("[aria-selected=true]")?.textContent).toMatch(/INSERT orders/), PATIENCE);
    expect(main()).toMatch(/1 of 1/);
  });

  it("tells a missing root and clocks that differ", async () => {
    open(`/traces/${SKEWED_ID}`, "failing");
    await screen.findByRole("tree", undefined, PATIENCE);
    expect(main()).toMatch(/The root span has not come.*Clocks differ/);
  });

  it("folds into a flame", async () => {
    open(`/traces/${ORDER}?view=flame`, "failing");
    fireEvent.click(await screen.findByRole("button", { name: "POST /charge" }, PATIENCE));
    await waitFor(() => expect(main()).toMatch(/payments: POST \/charge, /), PATIENCE);
  });

  it("of 100,000 spans keeps few rows in the page, wherever it is scrolled", async () => {
    open(`/traces/${HUGE_ID}`, "failing");
    const tree = await screen.findByRole("tree", undefined, PATIENCE);
    expect(main()).toMatch(/100,000 spans/);
    expect(items().length).toBeLessThan(120);
    fireEvent.keyDown(tree, { key: "End" });
    fireEvent.scroll(tree);
    await waitFor(() => expect(document.getElementById("span-99999")).toBeTruthy(), PATIENCE);
    expect(items().length).toBeLessThan(120);
  });

  it("says that there is no such trace", async () => {
    open("/traces/00000000000000000000000000000bad", "failing");
    expect((await screen.findByRole("alert", undefined, PATIENCE)).textContent).toMatch(/No such trace/);
  });
});
