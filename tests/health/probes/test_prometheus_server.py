"""The prometheus kind against Debian's own Prometheus."""

from __future__ import annotations

import asyncio
import signal

import pytest

from fixtures import peers, servers
from holdfast.health.verdict import Verdict

CONFIG = "global: {scrape_interval: 1s}\nscrape_configs: []\n"

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A Prometheus of our own: its URL, its configuration file and its process."""
    binary = servers.require_program("prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    config = folder / "prometheus.yml"
    config.write_text(CONFIG)
    port = peers.closed_port()
    argv = [binary, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    with servers.running([*argv, f"--web.listen-address=127.0.0.1:{port}"], port, folder / "log") as process:
        yield f"http://127.0.0.1:{port}", config, process


async def seen_as(ask, url, wanted):
    """Ask until the verdict is as wanted."""
    async with asyncio.timeout(60):
        while (seen := await ask("prometheus", url=url)).verdict is not wanted:  # noqa: ASYNC110 - another process has no event
            await asyncio.sleep(0.05)
    return seen


async def test_a_running_server_is_up_and_answers_queries(ask, server):
    url, _, _ = server
    await seen_as(ask, url, Verdict.UP)
    queries = [{"query": "vector(3)", "min": 3, "max": 3}, {"query": "scalar(vector(1))", "min": 1}]
    seen = await ask("prometheus", url=url, queries=[*queries, {"query": "up == 0", "empty": True}])
    assert (seen.verdict, seen.message) == (
        Verdict.UP,
        f"Prometheus {seen.facts['version']} is healthy and ready",
    )


async def test_a_bad_query_is_down_with_the_servers_words(ask, server):
    await seen_as(ask, server[0], Verdict.UP)
    seen = await ask("prometheus", url=server[0], queries=[{"query": "sum(up"}])
    assert seen.verdict is Verdict.DOWN
    assert "parse error: unclosed left parenthesis" in seen.message


async def test_a_failed_reload_is_degraded_until_it_is_mended(ask, server):
    url, config, process = server
    await seen_as(ask, url, Verdict.UP)
    config.write_text("scrape_configs: 7\n")
    process.send_signal(signal.SIGHUP)
    broken = await seen_as(ask, url, Verdict.DEGRADED)
    config.write_text(CONFIG)
    process.send_signal(signal.SIGHUP)
    await seen_as(ask, url, Verdict.UP)
    assert "the last reload of the configuration failed" in broken.message
