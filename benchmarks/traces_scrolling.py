"""How smoothly the console scrolls through a trace of 100,000 spans: the time from frame to frame in Chromium.

Starts the server on an empty folder, sends one trace by OTLP, opens it and scrolls by script, a step per frame: by a
few rows, by a screen, then by jumps to anywhere. Headless Chromium paints at 60 frames a second, 16.7 ms apart. The
last column is the time of the processor that the page's thread takes for a frame, whoever else is busy.
Run: python benchmarks/traces_scrolling.py [SPANS]
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import Request, urlopen

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from playwright.sync_api import Page, sync_playwright

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
URL = "http://127.0.0.1:4698"
TRACE = "5b8efff798038103d269b633813fc60e"
BATCH, CHILDREN, SERVICES = 20_000, 40, 8
FRAMES, LONG_MS = 300, 50
SCROLL = """async ([frames, stepPx]) => {
  const area = document.querySelector('[role=tree]');
  const most = area.scrollHeight - area.clientHeight;
  area.scrollTop = 0;
  await new Promise(requestAnimationFrame);
  const gaps = [];
  let seed = 1, last = await new Promise(requestAnimationFrame);
  for (let frame = 0; frame < frames; frame += 1) {
    seed = (seed * 48271) % 2147483647;
    area.scrollTop = stepPx === 0 ? (seed / 2147483647) * most : (area.scrollTop + stepPx) % most;
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  return gaps;
}"""
STILL_PX = 1e-9
WAYS = {"standing still": STILL_PX, "40 px a frame": 40, "600 px a frame": 600, "jumps to anywhere": 0}


def start(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "holdfast.cli", "up", "--auth", "off", "--listen", URL.removeprefix("http://")]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1] / "src"), *sys.path])}
    (folder / "ops").mkdir(exist_ok=True)
    options = ["--data", str(folder / "data"), "--ops", str(folder / "ops")]
    server = subprocess.Popen([*command, *options], env=environ, stderr=subprocess.DEVNULL)
    for _ in range(600):
        try:
            with urlopen(f"{URL}/readyz", timeout=1):
                return server
        except OSError:
            time.sleep(0.1)
    sys.exit("the server was not ready within 60 s")


def send() -> None:
    """Send the trace: every span has up to 40 children, so that it is some levels deep."""
    began_ns = time.time_ns() - 120 * 10**9
    for first in range(0, COUNT, BATCH):
        request = ExportTraceServiceRequest()
        owners = [request.resource_spans.add() for _ in range(SERVICES)]
        for number, owner in enumerate(owners):
            name = owner.resource.attributes.add(key="service.name")
            name.value.string_value = f"service-{number}"
            owner.scope_spans.add()
        for at in range(first, min(first + BATCH, COUNT)):
            span = owners[at % SERVICES].scope_spans[0].spans.add(trace_id=bytes.fromhex(TRACE), kind=2)
            span.span_id, span.name = (at + 1).to_bytes(8), f"operation {at % 97}"
            if at:
                span.parent_span_id = ((at - 1) // CHILDREN + 1).to_bytes(8)
            is_parent = at < COUNT // CHILDREN
            span.start_time_unix_nano = began_ns + at * 500_000
            span.end_time_unix_nano = began_ns + (COUNT * 500_000 if is_parent else at * 500_000 + 10**7)
            span.status.code = 2 if at % 211 == 0 else 0
        body = request.SerializeToString()
        with urlopen(Request(f"{URL}/v1/traces", body, {"Content-Type": "application/x-protobuf"}), timeout=60):
            pass


def show(page: Page) -> None:
    began = time.perf_counter()
    page.goto(f"{URL}/traces/{TRACE}")
    page.get_by_role("treeitem").first.wait_for(timeout=60_000)
    print(f"{COUNT:,} spans are shown after {time.perf_counter() - began:.2f} s")
    print(f"{'':20}{'median':>9}{'p95':>9}{'longest':>9}{f'over {LONG_MS} ms':>13}{'busy a frame':>14}")
    inspector = page.context.new_cdp_session(page)
    inspector.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy_s() -> float:
        metrics = inspector.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    for name, step_px in WAYS.items():
        page.wait_for_timeout(500)
        before = busy_s()
        gaps = sorted(page.evaluate(SCROLL, [FRAMES, step_px]))
        busy_ms = (busy_s() - before) * 1000 / FRAMES
        figures = (statistics.median(gaps), gaps[int(len(gaps) * 0.95)], gaps[-1])
        long = sum(gap > LONG_MS for gap in gaps)
        print(
            f"{name:20}" + "".join(f"{one:>6.1f} ms" for one in figures) + f"{long:>6} of {FRAMES}{busy_ms:>11.1f} ms"
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = start(Path(folder))
        try:
            send()
            with sync_playwright() as playwright:
                found = os.environ.get("HOLDFAST_TEST_CHROMIUM") or shutil.which("chromium")
                browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
                show(browser.new_page(viewport={"width": 1440, "height": 900}))
                browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
