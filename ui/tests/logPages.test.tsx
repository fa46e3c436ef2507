import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { open } from "./harness";

// There is no canvas here: what charts draw is seen by the tests in a browser.
vi.mock("@/components/TimeChart", () => ({ TimeChart: ({ label }: { label: string }) => <div role="img" aria-label={label} /> }));

const PATIENCE = { timeout: 8_000 };
const ANY = encodeURIComponent('{service_name=~".+"}');
const rows = () => [...document.querySelectorAll<HTMLElement>("main [data-key]")];

describe("logs", () => {
  it("begin with the services that send some", async () => {
    const { router } = open("/logs", "green");
    fireEvent.click(await screen.findByRole("button", { name: /^orders/ }, PATIENCE));
    await waitFor(() => expect(rows().length).toBeGreaterThan(5), PATIENCE);
    expect(new URLSearchParams(router.state.location.search).get("q")).toBe('{service_name="orders"}');
    expect(rows()[0]?.textContent).toMatch(/order o-\d+ placed|timeout/);
  });

  it("teach how to send the first line when there is none", async () => {
    open("/logs", "empty");
    expect(await screen.findByText("No logs yet", undefined, PATIENCE)).toBeTruthy();
    expect(screen.getByText(/loki\/api\/v1\/push -H/)).toBeTruthy();
  });

  it("are filtered by level and field with a click", async () => {
    const { router } = open(`/logs?q=${ANY}`, "green");
    await waitFor(() => expect(rows().length).toBeGreaterThan(5), PATIENCE);
    fireEvent.click(within(screen.getByRole("group", { name: "Levels" })).getByRole("button", { name: /error/ }));
    await waitFor(() => expect(rows().length > 0 && rows().every((row) => row.dataset["level"] === "error")).toBe(true), PATIENCE);
    fireEvent.click(within(rows()[0] as HTMLElement).getByRole("button", { name: /Details/ }));
    fireEvent.click(await screen.findByRole("button", { name: /^Filter for service_name/ }, PATIENCE));
    await waitFor(() => expect(new URLSearchParams(router.state.location.search).get("q")).toMatch(/^\{service_name="\w+"\} \| detected_level="error"$/), PATIENCE);
  });

  it("name their service where they are of several, and not where they are of one", async () => {
    open(`/logs?q=${ANY}`, "green");
    await waitFor(() => expect(rows().length).toBeGreaterThan(5), PATIENCE);
    expect(rows().every((row) => row.querySelector("[title^='service_name: ']"))).toBe(true);
    cleanup();
    open(`/logs?q=${encodeURIComponent('{service_name="orders"}')}`, "green");
    await waitFor(() => expect(rows().length).toBeGreaterThan(5), PATIENCE);
    expect(document.querySelector("main [title^='service_name: ']")).toBeNull();
  });

  it("show an error of the query in words, at its place", async () => {
    open(`/logs?q=${encodeURIComponent('{a="b"} |= timeout')}`, "green");
    expect((await screen.findByRole("alert", undefined, PATIENCE)).textContent).toMatch(/Error at column 12: syntax error: unexpected IDENTIFIER/);
  });

  it("say why they cannot be shown, with a way to try again", async () => {
    const { api } = open(`/logs?q=${ANY}`, "error");
    const again = await screen.findByRole("button", { name: "Try again" }, PATIENCE);
    api.world.mode = "green";
    fireEvent.click(again);
    await waitFor(() => expect(rows().length).toBeGreaterThan(5), PATIENCE);
  });

  it("draw what gives numbers", async () => {
    open(`/logs?q=${encodeURIComponent('sum by (detected_level) (rate({service_name=~".+"}[5m]))')}`, "green");
    expect(await screen.findByRole("img", { name: "3 series over time" }, PATIENCE)).toBeTruthy();
  });

  it("show what stood around a line, and the patterns", async () => {
    open(`/logs?q=${ANY}`, "green");
    await waitFor(() => expect(rows().length).toBeGreaterThan(5), PATIENCE);
    fireEvent.click(within(rows()[3] as HTMLElement).getByRole("button", { name: /Details/ }));
    fireEvent.click(await screen.findByRole("button", { name: "Lines around it" }, PATIENCE));
    const dialog = await screen.findByRole("dialog", undefined, PATIENCE);
    await waitFor(() => expect(dialog.querySelectorAll("[aria-current=true]").length).toBe(1), PATIENCE);
    open(`/logs?q=${ANY}&tab=patterns`, "green");
    expect(await screen.findByText("order <_> placed", undefined, PATIENCE)).toBeTruthy();
  });
});
