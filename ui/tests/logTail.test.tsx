import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { open } from "./harness";

vi.mock("@/components/TimeChart", () => ({ TimeChart: ({ label }: { label: string }) => <div role="img" aria-label={label} /> }));

const PATIENCE = { timeout: 8_000 };
const PAGE = `/logs?live=1&q=${encodeURIComponent('{service_name=~".+"}')}`;
const rows = () => [...document.querySelectorAll<HTMLElement>("main [data-key]")];

/** A WebSocket in the hands of the test. */
class FakeSocket {
  static all: FakeSocket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  isClosed = false;
  readonly url: string;

  constructor(url: string) {
    this.url = url;
    FakeSocket.all.push(this);
  }

  close(): void {
    this.isClosed = true;
  }

  tell(message: object): void {
    act(() => this.onmessage?.({ data: JSON.stringify(message) }));
  }
}

const message = (text: string, agoMs = 0) => ({ streams: [{ stream: { service_name: "tail" }, values: [[`${BigInt(Date.now() - agoMs) * 1_000_000n}`, text, {}]] }] });

async function opened(): Promise<FakeSocket> {
  await waitFor(() => expect(FakeSocket.all.length).toBeGreaterThan(0), PATIENCE);
  const socket = FakeSocket.all.at(-1) as FakeSocket;
  act(() => socket.onopen?.());
  return socket;
}

describe("a live tail", () => {
  beforeEach(() => {
    FakeSocket.all = [];
    vi.stubGlobal("WebSocket", FakeSocket);
  });

  it("shows lines as they come, and begins where the page ends", async () => {
    open(PAGE, "green");
    await waitFor(() => expect(rows().length).toBeGreaterThan(5), PATIENCE);
    const socket = await opened();
    const asked = new URL(socket.url);
    expect(asked.pathname).toBe("/loki/api/v1/tail");
    expect(asked.searchParams.get("encoding")).toBe("categorize-labels");
    expect(BigInt(asked.searchParams.get("start") ?? 0)).toBeGreaterThan(BigInt(Date.now() - 3_600_000) * 1_000_000n);
    expect(screen.getByText("lines come as they are stored")).toBeTruthy();
    socket.tell(message("brand new"));
    await waitFor(() => expect(rows()[0]?.textContent).toContain("brand new"), PATIENCE);
  });

  it("keeps lines back while it is paused", async () => {
    open(PAGE, "green");
    const socket = await opened();
    fireEvent.click(await screen.findByRole("button", { name: "Pause" }, PATIENCE));
    socket.tell(message("came while paused"));
    expect(await screen.findByText("1 newer line waits", undefined, PATIENCE)).toBeTruthy();
    expect(screen.queryByText("came while paused")).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Resume" }));
    expect(await screen.findByText("came while paused", undefined, PATIENCE)).toBeTruthy();
  });

  it("keeps what is read in its place, however many lines come meanwhile, and says what it let go", async () => {
    open(PAGE, "green");
    const socket = await opened();
    socket.tell(message("read by somebody"));
    await waitFor(() => expect(rows()[0]?.textContent).toContain("read by somebody"), PATIENCE);
    const region = screen.getByRole("region", { name: "Lines" });
    fireEvent.pointerEnter(region.parentElement as HTMLElement);
    expect(await screen.findByText("held while you read", undefined, PATIENCE)).toBeTruthy();
    const began = BigInt(Date.now() + 1) * 1_000_000n;
    const values = Array.from({ length: 6_000 }, (_, at) => [`${began + BigInt(at)}`, `flood ${at}`, {}]);
    socket.tell({ streams: [{ stream: { service_name: "tail" }, values }] });
    const newer = await screen.findByRole("button", { name: "6,000 newer lines" }, PATIENCE);
    expect(rows()[0]?.textContent).toContain("read by somebody");
    fireEvent.click(newer);
    await waitFor(() => expect(rows()[0]?.textContent).toContain("flood 5999"), PATIENCE);
    expect(screen.getByText(/5,000 lines loaded · of what is followed the newest ones are kept/)).toBeTruthy();
    expect(document.activeElement).toBe(region);
  });

  it("holds lines while one of them is stood on by keys or is open", async () => {
    open(PAGE, "green");
    const socket = await opened();
    await waitFor(() => expect(rows().length).toBeGreaterThan(2), PATIENCE);
    const openers = () => rows().map((row) => within(row).getByRole("button", { name: /^Details/ }));
    act(() => openers()[0]?.focus());
    socket.tell(message("came while one was stood on"));
    expect(await screen.findByRole("button", { name: "1 newer line" }, PATIENCE)).toBeTruthy();
    act(() => openers()[1]?.focus());
    expect(screen.queryByText("came while one was stood on")).toBeNull();
    fireEvent.click(openers()[1] as HTMLElement);
    act(() => (document.activeElement as HTMLElement).blur());
    socket.tell(message("came while one was open"));
    expect(await screen.findByRole("button", { name: "2 newer lines" }, PATIENCE)).toBeTruthy();
    fireEvent.click(openers()[1] as HTMLElement);
    expect(await screen.findByText("came while one was open", undefined, PATIENCE)).toBeTruthy();
  });

  it("says what was dropped until somebody has seen it", async () => {
    open(PAGE, "green");
    const socket = await opened();
    socket.tell({ ...message("after the gap"), dropped: 1234, dropped_entries: [] });
    expect((await screen.findByRole("alert", undefined, PATIENCE)).textContent).toContain("1,234 lines were dropped");
    fireEvent.click(screen.getByRole("button", { name: "Dismiss" }));
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("says that the connection was lost and why, and opens it again where it stopped", async () => {
    open(PAGE, "green");
    const first = await opened();
    first.tell(message("the last one", -60_000));
    expect(await screen.findByText("the last one", undefined, PATIENCE)).toBeTruthy();
    act(() => first.onclose?.({ code: 1011, reason: "reached tail max duration limit" }));
    expect(await screen.findByText("Connection lost", undefined, PATIENCE)).toBeTruthy();
    expect(screen.getByText(/reached tail max duration limit/)).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Connect now" }));
    const second = await opened();
    expect(second).not.toBe(first);
    expect(second.url.split("start=")[1]).not.toBe(first.url.split("start=")[1]);
    second.tell(message("the first of the rest"));
    expect(await screen.findByText("the first of the rest", undefined, PATIENCE)).toBeTruthy();
    expect(screen.queryByText("Connection lost")).toBeNull();
  });

  it("ends when nobody follows any more", async () => {
    open(PAGE, "green");
    const socket = await opened();
    fireEvent.click(screen.getByRole("button", { name: "Following" }));
    await waitFor(() => expect(socket.isClosed).toBe(true), PATIENCE);
    expect(screen.queryByRole("button", { name: "Pause" })).toBeNull();
  });
});
