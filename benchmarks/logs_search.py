"""How small logs are on disk and how fast they are found again: 10 million lines of a day, made inside the engine.

16 streams of access logs (visits: a page and what belongs to it; probes in between), 14 of logfmt, 10 of JSON. Searches
go through `LogSource`, as LogQL's do, and beside them through Python's `mmap.find` and, if installed, ripgrep over the
same lines in one file: the physical limit. Run: python benchmarks/logs_search.py [LINES]
"""

from __future__ import annotations

import asyncio
import mmap
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import aclosing
from pathlib import Path

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
from holdfast.telemetry.logs import SCHEMA, LineFilter, LineOp, LogSource, RecordSelection
from holdfast.telemetry.logs.tables import NOT_OBSERVED, RECORDS, STREAMS
from holdfast.telemetry.metrics import Matcher, MatchOp

LINES = 10_000_000
DAY_NS = 86_400 * 10**9
CHUNK = 1_000_000
STREAM_COUNT = 40
NEEDLE = "4f1d7a9c3e5b8a60"  # is in one line only

_MESSAGES = """['order placed','payment authorised','cart updated','upstream timed out while reading response header',
  'cache miss','connection reset by peer','retrying request','session expired','stock reserved','mail queued',
  'health check passed','lease renewed','slow query','index refreshed','token refreshed','webhook delivered']"""
# What comes from a hash is drawn by chance; what comes from `visit` is the same for the lines of one visit.
_ACCESS = """if(h % 10 = 0,
  concat('10.1.0.', toString(s), ' - - [', at, '] "GET /livez HTTP/1.1" 200 2 "-" "kube-probe/1.31" 0.001'),
  concat('10.', toString(client % 4), '.', toString(intDiv(client, 4) % 50), '.', toString(intDiv(client, 200)),
    ' - - [', at, '] "', if(asset < 6, 'GET', ['GET','POST'][1 + h % 2]), ' ', path, ' HTTP/1.1" ',
    ['200','200','200','200','200','200','304','304','404','500'][1 + intDiv(h, 31) % 10], ' ',
    toString(if(asset < 6, 1000 + asset * 7919, 200 + intDiv(h, 41) % 900)),
    ' "https://shop.example.com/catalog/', toString(page), '" "Mozilla/5.0 (',
    ['X11; Linux x86_64','Windows NT 10.0; Win64; x64','Macintosh; Intel Mac OS X 10_15_7',
     'iPhone; CPU iPhone OS 17_5 like Mac OS X'][1 + client % 4],
    ') AppleWebKit/537.36 (KHTML, like Gecko) Chrome/', toString(110 + client % 17), '.0.0.0 Safari/537.36" 0.',
    leftPad(toString(intDiv(h, 53) % 90), 3, '0')))"""
_LOGFMT = f"""concat('ts=', iso, ' level=', level,
  ' caller=', ['handler','orders','payments','stock'][1 + s % 4], '.go:',
  toString(40 + message * 13), ' msg="', {_MESSAGES}[1 + message], '"',
  multiIf(message < 4, concat(' order_id=', toString(400000 + visit)),
    message < 8, concat(' user=u', toString(client)), ''),
  ' duration=', toString(intDiv(h, 53) % 400), 'ms', if(h % 20 = 0, concat(' request_id=', hex(h)), ''),
  if(n = 7654340 % {{total}}, ' request_id={NEEDLE}', ''))"""
_JSON = f"""concat('{{{{"time":"', iso, '","severity":"', upper(level), '","logger":"shop.',
  ['orders','payments','stock','mail'][1 + s % 4], '","message":"', {_MESSAGES}[1 + message], '","elapsed_ms":',
  toString(intDiv(h, 53) % 400), ',"host":"node-', toString(s % 12), '"}}}}')"""
_LINES = f"""
  SELECT s, ts_ns, level, if(s >= 16 AND h % 5 = 0, lower(hex(visit * 1000003)), '') AS trace,
    multiIf(s < 16, {_ACCESS}, s < 30, {_LOGFMT}, {_JSON}) AS body
  FROM (
    SELECT number + {{first}} AS n, cityHash64(n) AS h, n % {STREAM_COUNT} AS s,
      toInt64({{start}} + n * {{gap}} + intDiv(h, 64) % {{gap}}) AS ts_ns, intDiv(n, {STREAM_COUNT} * 9) AS visits,
      cityHash64(s, visits) AS v, visits AS visit, toUInt32(2000 * pow((v % 100000) / 100000, 2)) AS client,
      v % 400 AS page, intDiv(n, {STREAM_COUNT}) % 9 AS asset, toUInt32(16 * pow((h % 1000) / 1000, 2)) AS message,
      if(asset < 6,
        concat('/static/', ['app.js','app.css','logo.svg','fonts/inter.woff2','vendor.js','sprite.png'][1 + asset]),
        concat('/api/v1/', ['items','carts','orders'][1 + asset % 3], '/', toString(page * 37))) AS path,
      ['info','info','info','error','debug','warn','warn','info'][1 + intDiv(message, 2)] AS level,
      toDateTime(intDiv(ts_ns, 1000000000), 'UTC') AS moment, formatDateTime(moment, '%d/%b/%Y:%H:%i:%S +0000') AS at,
      formatDateTime(moment, '%Y-%m-%dT%H:%i:%SZ') AS iso
    FROM numbers({{count}}))"""
_RECORDS = f"""
  SELECT {{{{tenant:String}}}} AS tenant, toInt32(intDiv(ts_ns, 3600000000000)) AS slot, cityHash64(s) AS stream_id,
    ts_ns, toInt64({NOT_OBSERVED}) AS lag_ns, level, toUInt8(0) AS severity, '' AS severity_text, trace AS trace_id,
    '' AS span_id, body, map() AS attributes, '' AS shared, now() + 8640000 AS expires_at FROM ({_LINES})"""
_STREAMS = f"""
  SELECT {{{{tenant:String}}}} AS tenant, cityHash64(number) AS stream_id,
    map('service_name', concat('service-', toString(number)),
      'kind', multiIf(number < 16, 'access', number < 30, 'logfmt', 'json')) AS labels,
    toDateTime64({{start}} / 1e9, 3, 'UTC') AS first_seen,
    toDateTime64({{end}} / 1e9, 3, 'UTC') AS last_seen, now() AS heard_at, now() + 8640000 AS expires_at
  FROM numbers({STREAM_COUNT})"""


async def build(store: Store, total: int, start_ns: int) -> float:
    """Fill the tables; give the seconds."""
    started = time.perf_counter()
    values = {"start": start_ns, "gap": DAY_NS // total, "total": total, "end": start_ns + DAY_NS}
    await store.derive(STREAMS, _STREAMS.format(**values), tenant=DEFAULT_TENANT)
    for first in range(0, total, CHUNK):
        part = _RECORDS.format(first=first, count=min(CHUNK, total - first), **values)
        await store.derive(RECORDS, part, tenant=DEFAULT_TENANT)
    return time.perf_counter() - started


async def sizes(store: Store) -> dict[str, int]:
    """Give bytes: of raw lines, on disk, of the index, of bodies."""
    lines = "SELECT sum(length(body) + 1) AS raw FROM log_records WHERE tenant = {tenant:String}"
    raw = (await store.query(lines, tenant=DEFAULT_TENANT)).column("raw")[0].as_py()
    parts = """SELECT sum(bytes_on_disk) AS disk, sum(secondary_indices_compressed_bytes) AS search FROM system.parts
        WHERE active AND table = 'log_records' AND {tenant:String} != ''"""
    row = (await store.query(parts, tenant=DEFAULT_TENANT)).to_pylist()[0]
    columns = """SELECT name, data_compressed_bytes AS size FROM system.columns
        WHERE table = 'log_records' AND {tenant:String} != ''"""
    kept = {each["name"]: each["size"] for each in (await store.query(columns, tenant=DEFAULT_TENANT)).to_pylist()}
    return {"raw": raw, "disk": row["disk"], "index": row["search"], "bodies": kept["body"], "times": kept["ts_ns"]}


async def first_page(source: LogSource, selection: RecordSelection) -> int:
    found = 0
    async with aclosing(source.pages(DEFAULT_TENANT, selection, page=selection.limit or 5000)) as pages:
        async for page in pages:
            found += len(page.records)
    return found


def selections(start_ns: int) -> dict[str, RecordSelection]:
    everything = (Matcher("service_name", MatchOp.MATCHES, ".+"),)
    access = (Matcher("kind", MatchOp.EQUAL, "access"),)

    def over(matchers: tuple[Matcher, ...], *lines: tuple[LineOp, str]) -> RecordSelection:
        filters = tuple(LineFilter(op, (value,)) for op, value in lines)
        return RecordSelection(matchers, start_ns, start_ns + DAY_NS, filters, limit=100)

    return {
        "the newest 100 of all": over(everything),
        "the newest 100 with a word": over(everything, (LineOp.CONTAINS, "timed out")),
        "one line by its id": over(everything, (LineOp.CONTAINS, NEEDLE)),
        "a word that is nowhere": over(everything, (LineOp.CONTAINS, "unfindable")),
        "an expression that is rare": over(everything, (LineOp.MATCHES, r"request_id=4f1d7a9c[0-9a-f]+$")),
        "an expression that is nowhere": over(everything, (LineOp.MATCHES, r"[xyz]{3}\d+ seconds")),
        "an expression in access logs": over(access, (LineOp.MATCHES, r'" 50[34] \d+ ')),
    }


async def count(source: LogSource, start_ns: int, *lines: tuple[LineOp, str]) -> int:
    filters = tuple(LineFilter(op, (value,)) for op, value in lines)
    selection = RecordSelection((Matcher("service_name", MatchOp.MATCHES, ".+"),), start_ns, start_ns + DAY_NS, filters)
    return int((await source.counts(DEFAULT_TENANT, selection, step_ns=DAY_NS)).records.sum())


async def search(store: Store, start_ns: int) -> None:
    source = LogSource(store)
    for name, selection in selections(start_ns).items():
        took = []
        for _ in range(5):
            started = time.perf_counter()
            found = await first_page(source, selection)
            took.append(time.perf_counter() - started)
        usual_ms, first_ms = statistics.median(took) * 1000, took[0] * 1000
        print(f"{name:32} {usual_ms:>8,.0f} ms   first {first_ms:>8,.0f} ms   {found} lines")
    for name, op, value in (
        ("count of a word", LineOp.CONTAINS, "payment authorised"),
        ("count of an expression", LineOp.MATCHES, r"duration=39\dms"),
    ):
        started = time.perf_counter()
        found = await count(source, start_ns, (op, value))
        print(f"{name:32} {(time.perf_counter() - started) * 1000:>8,.0f} ms   {found:,} lines")


async def write_lines(store: Store, start_ns: int, file: Path) -> None:
    step_ns = DAY_NS // 24
    with file.open("wb") as out:
        for begin_ns in range(start_ns, start_ns + DAY_NS, step_ns):
            when = f"ts_ns >= {begin_ns} AND ts_ns < {begin_ns + step_ns}"
            sql = f"SELECT body FROM log_records WHERE tenant = {{tenant:String}} AND {when}"
            table = await store.query(sql, tenant=DEFAULT_TENANT)
            out.write("\n".join(table.column("body").to_pylist()).encode() + b"\n")


def limit(file: Path) -> None:
    """Search the same lines as bare bytes."""
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        for word in (NEEDLE, "unfindable"):
            started = time.perf_counter()
            whole.find(word.encode())
            print(f"mmap.find {word:22} {(time.perf_counter() - started) * 1000:>8,.0f} ms")
    if shutil.which("rg"):
        for word in (NEEDLE, r"duration=39\dms"):
            started = time.perf_counter()
            subprocess.run(["rg", "--count", word, str(file)], check=False, capture_output=True)
            print(f"ripgrep {word:24} {(time.perf_counter() - started) * 1000:>8,.0f} ms")
    else:
        print("ripgrep is not installed: mmap.find is the limit")


async def main(total: int) -> None:
    start_ns = (time.time_ns() - DAY_NS) // 10**9 * 10**9
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "store"
        store = Store(StoreSettings(query_timeout=300, query_size=2**31), folder=folder)
        await store.register(SCHEMA)
        async with store:
            print(f"{total / await build(store, total, start_ns):,.0f} lines/s are made inside the engine")
            await settle(store)
            found = await sizes(store)
            megabytes = {what: f"{size / 1e6:,.0f}" for what, size in found.items()}
            print("MB:", ", ".join(f"{size} {what}" for what, size in megabytes.items()))
            bare = found["disk"] - found["index"]
            print(f"{found['raw'] / found['disk']:.1f} times smaller, {found['raw'] / bare:.1f} without the index")
            await search(store, start_ns)
            await write_lines(store, start_ns, Path(name) / "lines")
        limit(Path(name) / "lines")


async def settle(store: Store) -> None:
    """Wait until the engine has merged what it merges by itself."""
    sql = "SELECT count() AS n FROM system.merges WHERE table = 'log_records' AND {tenant:String} != ''"
    quiet = 0
    while quiet < 3:
        running = (await store.query(sql, tenant=DEFAULT_TENANT)).column("n")[0].as_py()
        quiet = 0 if running else quiet + 1
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else LINES))
