import { expect, it } from "vitest";
import { cellTitle } from "@/lib/cells";
import { shortTraceId } from "@/lib/traces/search";
import { logsPath, selectorOf } from "@/lib/usage";

it("a stream is known by its service first", () => {
  const labels = { level: "error", service_instance_id: "6d38", service_name: "gateway", team: 'a"b' };
  expect(selectorOf(labels)).toBe('{service_name="gateway", level="error", service_instance_id="6d38", team="a\\"b"}');
  expect(decodeURIComponent(logsPath({ a: "b" }))).toBe('/logs?q={a="b"}');
});

it("a trace has one short name wherever it has no room", () => {
  const id = "5b5a83de437ec391d4df228346f259c4";
  expect(shortTraceId(id)).toBe("5b5a83de");
  expect(cellTitle({ kind: "trace", content: { trace_id: id } } as Parameters<typeof cellTitle>[0])).toBe("Trace 5b5a83de");
});
