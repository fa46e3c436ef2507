import { fireEvent, screen, waitFor, within } from "@testing-library/react";
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

  it("asks for what the address says", async () => {
    open("/traces?service=payments&status=error", "failing");
    await waitFor(() => expect(main()).toMatch(/7 traces, 7 with errors/), PATIENCE);
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
