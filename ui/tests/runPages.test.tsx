import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeAll, describe, expect, it } from "vitest";
import { open } from "./harness";

const PATIENCE = { timeout: 20_000 };
// Reading the pages takes its time on a busy machine; what the tests wait for is what they show.
beforeAll(() => Promise.all([import("@/pages/runs/Runs"), import("@/pages/runs/Run"), import("@/pages/runs/Queues"), import("@/pages/runs/Schedules")]), 60_000);

const rows = () => [...document.querySelectorAll<HTMLElement>("main tbody tr")];

describe("the list of runs", () => {
  it("shows what stands in the URL, with counts of all states beside it", async () => {
    open("/runs?state=failed,stranded", "failing");
    await waitFor(() => expect(rows().length).toBe(3), PATIENCE);
    expect(new Set(rows().map((row) => row.dataset["state"]))).toEqual(new Set(["failed", "stranded"]));
    expect(screen.getByRole("button", { name: /Cancelled\s*3/ })).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: /^Failed/ }));
    await waitFor(() => expect(rows().map((row) => row.dataset["state"])).toEqual(["stranded"]), PATIENCE);
  });

  it("teaches the first workflow when nothing has run", async () => {
    open("/runs", "empty");
    expect(await screen.findByText("Nothing has run yet", undefined, PATIENCE)).toBeTruthy();
    expect(screen.getByText(/@workflow\("shop.refund"/)).toBeTruthy();
  });

  it("lets nobody start a run who may not", async () => {
    const { client } = open("/runs", "failing");
    const start = await screen.findByRole("button", { name: "Start a run" }, PATIENCE);
    expect(start).toHaveProperty("disabled", false);
    client.setQueryData(["session"], (session: object) => ({ ...session, permissions: ["runs.read"] }));
    await waitFor(() => expect(screen.getByRole("button", { name: "Start a run" })).toHaveProperty("disabled", true), PATIENCE);
  });
});

describe("a run", () => {
  it("is started with a checked form, approved, and seen to succeed as it happens", async () => {
    const { router, api } = open("/runs?start=shop.refund", "failing");
    api.desk.pace = 0.01;
    const order = await screen.findByRole("textbox", { name: /^Order/ }, PATIENCE);
    fireEvent.click(screen.getByRole("button", { name: "Start run" }));
    expect(await screen.findByText("This is needed")).toBeTruthy();
    fireEvent.change(order, { target: { value: "A-1" } });
    fireEvent.click(screen.getByRole("button", { name: "Start run" }));
    fireEvent.click(await screen.findByRole("button", { name: "Answer" }, PATIENCE));
    expect(router.state.location.pathname).toMatch(/^\/runs\/0199/);
    const dialog = await screen.findByRole("dialog", undefined, PATIENCE);
    fireEvent.click(within(dialog).getByRole("button", { name: "Send" }));
    await waitFor(() => expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("shop.refundSucceeded"), PATIENCE);
    expect(screen.getByText(/"order": "A-1"/)).toBeTruthy();
  });

  it("that is stranded explains its ways out and opens only those that are open", async () => {
    const { api } = open("/runs?state=stranded", "failing");
    const id = api.desk.runs.find(({ run }) => run.state === "stranded")?.run.id ?? "";
    fireEvent.click(await screen.findByRole("link", { name: "catalog.reindex" }, PATIENCE));
    fireEvent.click(await screen.findByRole("button", { name: "Resolve" }, PATIENCE));
    const dialog = await screen.findByRole("dialog", undefined, PATIENCE);
    expect(within(dialog).getByRole("radio", { name: /Finish on the old code/ })).toHaveProperty("disabled", true);
    fireEvent.click(within(dialog).getByRole("radio", { name: /Cancel and undo/ }));
    fireEvent.click(within(dialog).getByRole("button", { name: "Resolve" }));
    await waitFor(() => expect(api.desk.find(id)?.run.state).toBe("cancelled"), PATIENCE);
    await waitFor(() => expect(screen.getByRole("heading", { level: 1 }).textContent).toContain("Cancelled"), PATIENCE);
  });

  it("with ten thousand items opens, and draws only the rows in sight", async () => {
    const { api } = open("/runs?q=resize", "failing");
    expect(api.desk.runs.some((one) => one.fan?.total === 10_000)).toBe(true);
    fireEvent.click(await screen.findByRole("link", { name: "catalog.resize-images" }, PATIENCE));
    fireEvent.click(await screen.findByRole("button", { name: "Open the items of resize" }, PATIENCE));
    await screen.findByRole("button", { name: "[3]" }, PATIENCE);
    expect(screen.getAllByRole("listitem").length).toBeLessThan(90);
  });

  it("that does not exist says so", async () => {
    open("/runs/nothing", "failing");
    expect((await screen.findByRole("alert", undefined, PATIENCE)).textContent).toMatch(/No such run/);
  });
});

describe("queues and schedules", () => {
  it("are held only after somebody has said yes", async () => {
    const { api } = open("/runs/queues", "failing");
    fireEvent.click(await screen.findByRole("button", { name: "Actions for deploys" }, PATIENCE));
    fireEvent.click(await screen.findByRole("menuitem", { name: "Pause" }, PATIENCE));
    const dialog = await screen.findByRole("dialog", undefined, PATIENCE);
    expect(api.desk.queues.find((queue) => queue.name === "deploys")?.state).toBe("open");
    fireEvent.click(within(dialog).getByRole("button", { name: "Pause the queue" }));
    await waitFor(() => expect(document.querySelector("tr[data-key=deploys]")?.textContent).toContain("Paused"), PATIENCE);
  });

  it("say when they start, in words and in their zone", async () => {
    open("/runs/schedules", "failing");
    await waitFor(() => expect(document.querySelector("tr[data-key=nightly-backup]")?.textContent).toMatch(/at 03:00.*Europe\/Berlin.*Succeeded/), PATIENCE);
  });
});
