"""Files in ops/exporters: their samples reach the sink, end with a marker when they are gone, and follow the file."""

from __future__ import annotations

import asyncio
import math
import struct
from dataclasses import replace

import pytest

from holdfast import app, web
from holdfast.cli.configuration import SECTIONS
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import ConfigError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.secrets import Secrets
from holdfast.kernel.settings import load
from holdfast.kernel.wiring import OpsFolder
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.exporter.feeding import SinkFeed
from holdfast.telemetry.metrics.exporter.wiring import read_folder
from holdfast.telemetry.metrics.memory import MemorySink, MemorySource
from holdfast.telemetry.metrics.samples import Matcher, MatchOp
from holdfast.telemetry.metrics.selection import Selection

FILE = """\
sources:
  - name: limits
    every: 100ms
    static: {{items: {items}}}
    metrics:
      - {{name: shop_limit, help: A limit., value: limit, labels: {{env: env}}}}
"""


async def read(source, name):
    """Give the series of a name: labels without name and job, and the values."""
    selection = Selection((Matcher("__name__", MatchOp.EQUAL, name),), 0, 2**53)
    (columns,) = await source.select(DEFAULT_TENANT, [selection])
    return columns


def is_stale(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0] == STALE_BITS


async def test_samples_reach_the_sink_and_end_with_a_marker(export):
    items = [{"env": "prod", "limit": 5}, {"env": "dev", "limit": "nan"}]
    document = {
        "sources": [
            {
                "name": "limits",
                "static": {"items": items},
                "metrics": [{"name": "shop_limit", "help": "A limit.", "value": "limit", "labels": {"env": "env"}}],
            }
        ]
    }
    opened = await export(document).look()
    kept = MemorySource()
    feed = SinkFeed("shop", MemorySink(kept), DEFAULT_TENANT, SystemClock())
    state = opened.state("limits")
    await feed.feed(state)
    columns = await read(kept, "shop_limit")
    found = {dict(labels)["env"]: value for labels, value in zip(columns.labels, columns.values, strict=True)}
    assert found["prod"] == 5
    assert math.isnan(found["dev"])
    assert not is_stale(found["dev"])
    assert {dict(labels)["job"] for labels in columns.labels} == {"shop"}
    assert len((await read(kept, "exporter_source_up")).labels) == 1

    state.reading = replace(state.reading, samples={"shop_limit": {}})
    await asyncio.sleep(0.002)  # two samples of one series need two milliseconds
    await feed.feed(state)
    ended = [value for value in (await read(kept, "shop_limit")).values if is_stale(value)]
    assert len(ended) == 2
    await asyncio.sleep(0.002)
    await feed.end()
    assert any(is_stale(value) for value in (await read(kept, "exporter_source_up")).values)


def test_faults_of_all_files_are_told_with_the_place_below_the_folder(tmp_path):
    folder = tmp_path / "exporters"
    folder.mkdir()
    (folder / "a.yaml").write_text("sources: []\n")
    (folder / "b.yml").write_text("sorces: []\n")
    with pytest.raises(ConfigError) as caught:
        read_folder(OpsFolder(tmp_path), Secrets.standard({}, SystemClock()))
    places = [str(fault.place) for fault in caught.value.problems]
    assert places[0] == "exporters/a.yaml:1: sources"
    assert places[1].startswith("exporters/b.yml:1")


def test_files_that_say_the_same_are_the_same(tmp_path):
    folder = tmp_path / "exporters"
    folder.mkdir()
    secrets = Secrets.standard({}, SystemClock())
    read_again = []
    for limit in (5, 5, 6):
        (folder / "a.yaml").write_text(FILE.format(items=f"[{{env: prod, limit: {limit}}}]"))
        read_again.append(read_folder(OpsFolder(tmp_path), secrets))
    assert read_again[0] == read_again[1] != read_again[2]


@pytest.mark.slow
async def test_the_server_reads_the_folder_and_follows_it(tmp_path):
    folder = tmp_path / "ops" / "exporters"
    folder.mkdir(parents=True)
    (folder / "shop.yaml").write_text(FILE.format(items="[{env: prod, limit: 5}]"))
    place = {"data": str(tmp_path / "data"), "ops": str(tmp_path / "ops")}
    holdfast = await app.build(load(SECTIONS, environ={}, overrides={"server": place}), {})
    try:
        web.build(holdfast)
        await holdfast.start()
        source = next(room for room in holdfast.rooms if hasattr(room, "source")).source

        async def envs():
            columns = await read(source, "shop_limit")
            return {dict(labels)["env"] for labels in columns.labels}

        async with asyncio.timeout(30):
            while await envs() != {"prod"}:  # noqa: ASYNC110 -- the store tells nobody
                await asyncio.sleep(0.05)
            (folder / "shop.yaml").write_text(FILE.format(items="[{env: dev, limit: 7}]"))
            while await envs() != {"prod", "dev"}:  # noqa: ASYNC110 -- same
                await asyncio.sleep(0.05)
    finally:
        await holdfast.stop()
