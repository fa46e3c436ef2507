import { describe, expect, it } from "vitest";
import { createParser, retryDelayMs, type ServerSentEvent } from "@/lib/sse";

function parse(...chunks: string[]): ServerSentEvent[] {
  const events: ServerSentEvent[] = [];
  const feed = createParser((event) => events.push(event));
  for (const chunk of chunks) feed(chunk);
  return events;
}

const TEXT = "retry: 2000\n: following\n\nid: 7\nevent: check.changed\ndata: {\"a\":\ndata: 1}\n\n: still here\n\nid: 8\ndata: x\n\n";
const EXPECTED = [
  { id: "7", event: "check.changed", data: '{"a":\n1}' },
  { id: "8", event: "message", data: "x" },
];

describe("the parser of server-sent events", () => {
  it("reads fields, joins data lines and skips comments", () => expect(parse(TEXT)).toEqual(EXPECTED));
  it("reads the same however the bytes arrive", () => {
    for (let cut = 1; cut < TEXT.length; cut += 1) expect(parse(TEXT.slice(0, cut), TEXT.slice(cut))).toEqual(EXPECTED);
    expect(parse(...TEXT)).toEqual(EXPECTED);
  });
  it("reads every kind of line end, also cut in two", () => {
    const crlf = TEXT.replaceAll("\n", "\r\n");
    for (let cut = 1; cut < crlf.length; cut += 1) expect(parse(crlf.slice(0, cut), crlf.slice(cut))).toEqual(EXPECTED);
    expect(parse(`${TEXT.replaceAll("\n", "\r")}:\n`)).toEqual(EXPECTED);
  });
  it("keeps the last id for events that bring none", () => expect(parse("id: 3\ndata: a\n\ndata: b\n\n").map((one) => one.id)).toEqual(["3", "3"]));
  it("gives nothing for an event that is not finished", () => expect(parse("data: half\n")).toEqual([]));
});

it("retries later and later, up to a quarter of a minute", () => {
  expect(retryDelayMs(0, () => 0)).toBe(250);
  expect(retryDelayMs(3, () => 1)).toBe(4_000);
  expect(retryDelayMs(99, () => 1)).toBe(15_000);
});
