import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { createMemoryRouter, RouterProvider } from "react-router";
import { describe, expect, it, vi } from "vitest";
import { insteadOf } from "@/components/PageFailed";
import { Prose } from "@/components/Prose";
import { force } from "../mock/life.ts";
import { open } from "./harness";

const PATIENCE = { timeout: 8_000 };
const rows = () => [...document.querySelectorAll<HTMLElement>("main tbody tr")];

describe("the overview", () => {
  it("puts what is down first, with its reason in words", async () => {
    open("/", "failing");
    await screen.findByText("4 of 14 services need attention.", undefined, PATIENCE);
    expect(rows()[0]?.textContent).toMatch(/Down.*Payments/);
    expect(screen.getAllByText(/503 Service Unavailable/).length).toBeGreaterThan(0);
  });

  it("shows the services of one team, and only where there are several teams a choice of them", async () => {
    const { router } = open("/", "failing");
    await screen.findByText("4 of 14 services need attention.", undefined, PATIENCE);
    const before = rows().length;
    fireEvent.click(screen.getByRole("combobox", { name: "Team" }));
    const [first] = await screen.findAllByRole("option", undefined, PATIENCE);
    fireEvent.click(first as HTMLElement);
    await waitFor(() => expect(rows().length).toBeLessThan(before), PATIENCE);
    expect(router.state.location.search).toBe(`?team=${first?.textContent}`);
    expect(rows().every((row) => row.textContent?.includes(first?.textContent ?? "?"))).toBe(true);
  });

  it("teaches the first file when there is nothing", async () => {
    open("/", "empty");
    expect(await screen.findByText("No services yet", undefined, PATIENCE)).toBeTruthy();
    expect(screen.getByText(/ops\/services\/shop.yaml/)).toBeTruthy();
  });

  it("says why it cannot show anything, with the hint, and tries again when asked", async () => {
    const { api } = open("/checks", "error");
    const alert = await screen.findByRole("alert", undefined, PATIENCE);
    expect(alert.textContent).toMatch(/The store does not answer.*127.0.0.1:8123.*telemetry.url/);
    api.world.mode = "failing";
    fireEvent.click(within(alert).getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(rows().length).toBe(57), PATIENCE);
  });
});

describe("checks", () => {
  it("are filtered by what stands in the URL", async () => {
    open("/checks?verdict=down&service=payments", "failing");
    await waitFor(() => expect(rows().map((row) => row.dataset["key"])).toEqual(["payments-authorise", "payments-ready"]), PATIENCE);
  });

  it("turn red the moment the event arrives", async () => {
    const { api } = open("/checks", "green");
    await waitFor(() => expect(rows().length).toBe(57), PATIENCE);
    await screen.findAllByText("Live", undefined, PATIENCE);
    const event = force(api.world, "catalog-live", "down", "connection refused");
    if (event) api.emit(event);
    await waitFor(() => expect(document.querySelector("[data-key=catalog-live]")?.textContent).toMatch(/Down.*connection refused/), PATIENCE);
  });
});

describe("a service", () => {
  it("says which version runs, what ran before, and where it was heard first", async () => {
    open("/services/payments", "green");
    const list = await screen.findByLabelText("Versions and when they were deployed", undefined, PATIENCE);
    const [now, back, failed, first] = within(list).getAllByRole("listitem");
    expect(now?.textContent).toMatch(/1\.1\.0runs alone in production.*after 1\.0\.0, commit 4f2a9c1/);
    expect(back?.textContent).toMatch(/1\.0\.0replaced by 1\.1\.0 in production.*back from 1\.1\.0/);
    expect(failed?.textContent).toMatch(/1\.1\.0rolled back to 1\.0\.0 in production.*after 1\.0\.0.*ended/);
    expect(first?.textContent).toMatch(/1\.0\.0replaced by 1\.1\.0 in production.*ran already when it was first heard/);
    expect(within(list).getAllByText("What moved")[0]?.getAttribute("href")).toMatch(/^\/around\?.*service=payments/);
    expect(within(list).getByText("First trace").getAttribute("href")).toBe("/traces/4bf92f3577b34da6a3ce929d0e0e4736");
  });

  it("teaches how to tell a version when nobody does", async () => {
    const { api } = open("/services/payments", "green");
    api.versions = [];
    expect(await screen.findByText(/Nobody tells a version yet/, undefined, PATIENCE)).toBeTruthy();
  });
});

describe("people", () => {
  it("are sent to sign in and come back to where they wanted to go", async () => {
    const { router } = open("/checks?q=pay", "login");
    fireEvent.change(await screen.findByLabelText("Name", undefined, PATIENCE), { target: { value: "ada" } });
    fireEvent.change(screen.getByLabelText("Password"), { target: { value: "secret" } });
    fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
    await waitFor(() => expect(router.state.location.pathname + router.state.location.search).toBe("/checks?q=pay"), PATIENCE);
  });

  it("are never sent to another site after they typed their password", async () => {
    const { safePath } = await import("@/pages/session/Login");
    expect(safePath("/checks?q=1")).toBe("/checks?q=1");
    for (const bad of ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", null]) expect(safePath(bad)).toBe("/");
  });
});

describe("what a session may do", () => {
  it("decides which buttons can be pressed", async () => {
    const { client } = open("/checks/payments-ready", "failing");
    const run = await screen.findByRole("button", { name: "Run now" }, PATIENCE);
    expect(run).toHaveProperty("disabled", false);
    client.setQueryData(["session"], (session: { permissions: string[] }) => ({ ...session, permissions: ["health.read"] }));
    await waitFor(() => expect(screen.getByRole("button", { name: "Run now" })).toHaveProperty("disabled", true), PATIENCE);
  });
});

describe("a page whose code does not come", () => {
  it("says why, and stays while the server is away", async () => {
    const asked = vi.fn(() => Promise.reject(new TypeError("refused")));
    vi.stubGlobal("fetch", asked);
    const router = createMemoryRouter([{ path: "/", Component: insteadOf(new TypeError("Failed to fetch dynamically imported module: /assets/Usage-x.js")) }]);
    render(<MantineProvider env="test"><RouterProvider router={router} /></MantineProvider>);
    expect((await screen.findByRole("alert")).textContent).toMatch(/Its code did not come/);
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(asked).toHaveBeenCalledWith("/livez"));
    expect(screen.getByRole("alert")).toBeTruthy();
    expect(() => insteadOf(new TypeError("x is undefined"))).toThrow("x is undefined");
  });
});

describe("what stands between backticks", () => {
  it("is code, in pairs", () => {
    const { container, rerender } = render(<Prose text="Is `holdfast up` still running? See `holdfast saved list`." />);
    expect([...container.querySelectorAll("code")].map((each) => each.textContent)).toEqual(["holdfast up", "holdfast saved list"]);
    expect(container.textContent).toBe("Is holdfast up still running? See holdfast saved list.");
    rerender(<Prose text="a ` alone" />);
    expect(container.innerHTML).toBe("a ` alone");
  });
});
