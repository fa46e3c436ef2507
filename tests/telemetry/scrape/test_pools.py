"""A whole configuration at work: targets come and go with their files, reloads keep what did not change."""

from __future__ import annotations

import asyncio
import json

import pytest
from prometheus_client import CollectorRegistry

from fixtures.clocks import advance_until
from holdfast.kernel.clock import FakeClock, SystemClock
from holdfast.kernel.errors import ConfigError, NotFoundError
from holdfast.kernel.members import Membership
from holdfast.kernel.sql import open_postgres
from holdfast.kernel.wiring import OpsFolder
from holdfast.telemetry.metrics.memory import MemorySink, MemorySource
from holdfast.telemetry.metrics.scrape.loop import TargetLoop
from holdfast.telemetry.metrics.scrape.metrics import ScrapeMetrics
from holdfast.telemetry.metrics.scrape.relabelling import Relabelling
from holdfast.telemetry.metrics.scrape.scraping import ScrapeGround, Scraping
from telemetry.scrape.conftest import TENANT, _is_stale, make_callers
from telemetry.scrape.discovery.clusters import ApiServer, pod
from telemetry.scrape.exporters import Exporter

FILE = """
global: {{scrape_interval: 100ms, scrape_timeout: 100ms}}
scrape_configs:
  - job_name: one
    static_configs: [{{targets: ["{address}"], labels: {{env: dev}}}}]
  - job_name: two
    file_sd_configs: [{{files: [targets.json], refresh_interval: 100ms}}]
    relabel_configs: [{{source_labels: [__address__], regex: drop.*, action: drop}}]
"""


@pytest.fixture
def migrations():
    return ("holdfast.kernel.members.migrations",)


@pytest.fixture
def clock(request):
    return getattr(request, "param", SystemClock)()


@pytest.fixture
async def scraping(callers, clock):
    source = MemorySource()
    made = Scraping(
        ScrapeGround(MemorySink(source), TENANT, clock, callers, ScrapeMetrics(CollectorRegistry()), linger_s=1.0)
    )
    made.source = source
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def _until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another server's time
            await asyncio.sleep(0.02)


async def _load(scraping, folder):
    await scraping.prepare(OpsFolder(folder), {}).apply()


def _health(scraping):
    return {one["scrapeUrl"]: one["health"] for one in scraping.board.targets()["activeTargets"]}


async def test_what_is_wrong_beside_the_file_is_worth_a_look_and_no_fault(scraping, tmp_path):
    (tmp_path / "broken.yml").write_text("- targets: [ 'x\n")
    (tmp_path / "typo.yml").write_text("- targets: [x:1]\n  lables: {a: b}\n")
    (tmp_path / "there.pem").write_text("")
    job = {
        "job_name": "a",
        "file_sd_configs": [{"files": ["broken.yml", "typo.yml", "gone.yml", "none*.yml"]}],
        "tls_config": {"ca_file": "nope.pem", "cert_file": "there.pem", "key_file": "there.pem"},
        "basic_auth": {"username": "u", "password_file": "pw"},
        "http_headers": {"x-key": {"files": ["there.pem", "key"]}},
        "http_sd_configs": [{"url": "https://targets", "authorization": {"credentials_file": "token"}}],
        "kubernetes_sd_configs": [{"role": "pod", "kubeconfig_file": "kube"}],
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps({"scrape_configs": [job]}))
    told = [warning.replace(f"{tmp_path}/", "") for warning in scraping.prepare(OpsFolder(tmp_path), {}).warnings]
    assert len(told) == 8
    assert told[0].startswith("job 'a': broken.yml:2: not valid YAML")
    assert told[1].startswith("job 'a': typo.yml:2: [0].lables: unknown key 'lables'")
    assert told[2] == "job 'a': gone.yml: there is no such file of targets"
    assert sorted(told[3:5]) == [
        "job 'a': credentials_file token: there is no such file, and no target is found without it",
        "job 'a': kubeconfig_file kube: there is no such file, and no target is found without it",
    ]
    assert sorted(told[5:]) == [
        "job 'a': ca_file nope.pem: there is no such file, and no scrape works without it",
        "job 'a': http_headers x-key: key: there is no such file, and no scrape works without it",
        "job 'a': password_file pw: there is no such file, and no scrape works without it",
    ]


async def test_targets_of_a_file_come_and_go_with_it(scraping, exporter, tmp_path):
    (tmp_path / "prometheus.yml").write_text(FILE.format(address=exporter.address))
    targets = tmp_path / "targets.json"
    targets.write_text(f'[{{"targets": ["{exporter.address}", "dropped:1"], "labels": {{"team": "a"}}}}]')
    await _load(scraping, tmp_path)
    url = f"http://{exporter.address}/metrics"
    await _until(lambda: len(scraping.board.targets(pool="two")["activeTargets"]) == 1)
    await _until(lambda: set(_health(scraping).values()) == {"up"})
    (found,) = scraping.board.targets(pool="two")["activeTargets"]
    assert (found["scrapeUrl"], found["labels"]["team"]) == (url, "a")
    assert found["discoveredLabels"]["__meta_filepath"] == str(targets)
    assert scraping.board.targets()["droppedTargetCounts"] == {"one": 0, "two": 1}
    targets.unlink()
    await _until(lambda: not scraping.board.targets(pool="two")["activeTargets"])
    ended = [
        _is_stale(kept.between(0, 2**62)[-1].value)
        for labels, kept in scraping.source.tenant(TENANT).series.items()
        if ("team", "a") in labels
    ]
    assert ended
    assert all(ended)


async def test_a_discovery_that_fails_is_told_until_it_does_not(scraping, exporter, tmp_path):
    path, exporter.status = tmp_path / "prometheus.yml", 503
    url = f"http://{exporter.address}/groups"
    await _load_jobs(scraping, path, {"job_name": "one", "http_sd_configs": [{"url": url, "refresh_interval": "1s"}]})
    await _until(scraping.board.failures)
    (found,) = scraping.board.failures("one")
    assert (found["scrapePool"], found["kind"], found["source"]) == ("one", "http", url)
    assert found["error"] == f"{url} answered with status 503"
    assert scraping.board.failures("two") == []
    exporter.status, exporter.content_type, exporter.page = 200, "application/json", b"[]"
    await _until(lambda: not scraping.board.failures())


async def test_a_reload_keeps_the_loops_of_a_job_that_did_not_change(scraping, exporter, tmp_path):
    path = tmp_path / "prometheus.yml"
    path.write_text(FILE.format(address=exporter.address))
    await _load(scraping, tmp_path)
    await _until(lambda: set(scraping.board.pools()) == {"one", "two"} and _health(scraping))
    before = list(scraping._pools["one"].loops.values())
    path.write_text(FILE.format(address=exporter.address).replace("job_name: two", "job_name: three"))
    await _load(scraping, tmp_path)
    await _until(lambda: set(scraping.board.pools()) == {"one", "three"})
    assert list(scraping._pools["one"].loops.values()) == before


@pytest.mark.parametrize("clock", [FakeClock], indirect=True)
@pytest.mark.parametrize("kind", ["static", "file"])
async def test_a_reload_that_changes_a_job_ends_only_the_series_that_are_gone(
    scraping, exporter, tmp_path, clock, kind
):
    def targets(*addresses):
        groups = [{"targets": addresses}]
        if kind == "static":
            return {"static_configs": groups}
        (tmp_path / "targets.json").write_text(json.dumps(groups))
        return {"file_sd_configs": [{"files": ["targets.json"]}]}

    exporter.page = b"x 1\nunwanted 1\n"
    path = tmp_path / "prometheus.yml"
    kept, gone = exporter.address, f"localhost:{exporter.port}"
    await _load_jobs(scraping, path, {"job_name": "one", **targets(kept, gone)})
    await _until(lambda: len(_health(scraping)) == 2)
    await clock.advance(15)
    await _until(lambda: list(_health(scraping).values()) == ["up", "up"])
    drop = {"source_labels": ["__name__"], "regex": "unwanted", "action": "drop"}
    await _load_jobs(scraping, path, {"job_name": "one", "metric_relabel_configs": [drop], **targets(kept)})
    await _until(lambda: list(_health(scraping).values()) == ["up"])  # it is still what it was
    await clock.advance(30)
    ended = {("x", gone), ("unwanted", gone), ("up", gone), ("unwanted", kept)}
    await _until(lambda: {each for each in _ended(scraping) if not each[0].startswith("scrape_")} == ended)
    assert {instance for _, instance in _ended(scraping, "scrape_")} == {gone}
    assert [each.value for each in _samples(scraping, "up", kept)][:2] == [1.0, 1.0]
    assert [each.value for each in _samples(scraping, "x", kept)][:2] == [1.0, 1.0]


@pytest.mark.parametrize("clock", [FakeClock], indirect=True)
async def test_a_job_that_changes_keeps_its_targets_while_its_list_is_out_of_reach(scraping, exporter, tmp_path, clock):
    listed = Exporter()
    server = await asyncio.start_server(listed.answer, "127.0.0.1", 0)
    listed.port = server.sockets[0].getsockname()[1]
    listed.content_type = "application/json"
    other = f"localhost:{exporter.port}"
    path = tmp_path / "prometheus.yml"
    job = {"job_name": "one", "http_sd_configs": [{"url": f"http://{listed.address}/", "refresh_interval": "60s"}]}

    async def scraped(*addresses, after_s):
        await clock.advance(after_s)
        await _until(lambda: {url.split("/")[2] for url in _health(scraping)} == set(addresses))

    listed.page = json.dumps([{"targets": [exporter.address]}, {"targets": [other]}]).encode()
    await _load_jobs(scraping, path, job)
    await scraped(exporter.address, other, after_s=0)
    listed.status = 500
    drop = {"source_labels": ["__name__"], "regex": "unwanted", "action": "drop"}
    await _load_jobs(scraping, path, {**job, "metric_relabel_configs": [drop]})
    await _until(lambda: scraping.configuration.jobs[0].metric_relabel_rules)
    for _ in range(4):
        await scraped(exporter.address, other, after_s=15)
    listed.status, listed.page = 200, json.dumps([{"targets": [other]}]).encode()
    await _load_jobs(scraping, path, job)
    await scraped(other, after_s=61)
    listed.page = b"[]"
    await _load_jobs(scraping, path, {**job, "metric_relabel_configs": [drop]})
    await scraped(after_s=61)
    server.close()
    await listed.hang_up()


@pytest.mark.parametrize("clock", [FakeClock], indirect=True)
async def test_a_job_that_changes_keeps_its_targets_while_its_cluster_is_out_of_reach(scraping, tmp_path, clock):
    api = ApiServer()
    server = await asyncio.start_server(api.answer, "127.0.0.1", 0)
    pods = "/api/v1/pods"
    section = {"role": "pod", "api_server": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}
    path = tmp_path / "prometheus.yml"
    job = {"job_name": "one", "kubernetes_sd_configs": [section]}
    drop = {"source_labels": ["__name__"], "regex": "unwanted", "action": "drop"}
    changed = {**job, "metric_relabel_configs": [drop]}

    async def scraped(*hosts):
        await clock.advance(1)
        await advance_until(
            clock, lambda: {url.split("/")[2].split(":")[0] for url in _health(scraping)} == set(hosts), step_s=1
        )

    api.objects[pods] = [pod("a", "127.0.0.2"), pod("b", "127.0.0.3")]
    await _load_jobs(scraping, path, job)
    await scraped("127.0.0.2", "127.0.0.3")
    api.is_down = True
    asked = len(api.asked)
    await _load_jobs(scraping, path, changed)
    await _until(lambda: len(api.asked) > asked)
    for _ in range(40):
        await scraped("127.0.0.2", "127.0.0.3")
    api.is_down, api.objects[pods] = False, [pod("b", "127.0.0.3")]
    await scraped("127.0.0.3")
    api.is_down = True
    await _load_jobs(scraping, path, job)
    api.is_down, api.objects[pods] = False, []
    await scraped()
    server.close()


@pytest.mark.parametrize("clock", [FakeClock], indirect=True)
async def test_a_job_that_changes_keeps_the_targets_of_a_namespace_that_is_out_of_reach(scraping, tmp_path, clock):
    api = ApiServer()
    server = await asyncio.start_server(api.answer, "127.0.0.1", 0)
    of_shop, of_ops = "/api/v1/namespaces/shop/pods", "/api/v1/namespaces/ops/pods"
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    section = {"role": "pod", "api_server": url, "namespaces": {"names": ["shop", "ops"]}}
    job = {"job_name": "one", "kubernetes_sd_configs": [section]}

    async def scraped(*hosts):
        await clock.advance(1)
        await advance_until(
            clock, lambda: {url.split("/")[2].split(":")[0] for url in _health(scraping)} == set(hosts), step_s=1
        )

    api.objects = {of_shop: [pod("a", "127.0.0.2")], of_ops: [pod("b", "127.0.0.3", namespace="ops")]}
    await _load_jobs(scraping, tmp_path / "prometheus.yml", job)
    await scraped("127.0.0.2", "127.0.0.3")
    api.refused[of_ops] = b"403 Forbidden"
    api.objects[of_shop] = [pod("c", "127.0.0.4")]
    await _load_jobs(scraping, tmp_path / "prometheus.yml", {**job, "scrape_interval": "20s"})
    await scraped("127.0.0.3", "127.0.0.4")
    for _ in range(20):
        await scraped("127.0.0.3", "127.0.0.4")
    api.refused.clear()
    api.objects[of_ops] = []
    await scraped("127.0.0.4")
    server.close()


async def _load_jobs(scraping, path, *jobs):
    text = {"global": {"scrape_interval": "15s", "scrape_timeout": "15s"}, "scrape_configs": jobs}
    path.write_text(json.dumps(text))
    await _load(scraping, path.parent)


def _samples(scraping, name, instance):
    wanted = {("__name__", name), ("instance", instance)}
    series = scraping.source.tenant(TENANT).series.items()
    (found,) = (kept for labels, kept in series if wanted <= set(labels))
    return found.between(0, 2**62)


def _ended(scraping, prefix=""):
    """Give name and instance of the series whose last sample says that they are over."""
    found = set()
    for labels, kept in scraping.source.tenant(TENANT).series.items():
        told = dict(labels)
        if told["__name__"].startswith(prefix) and _is_stale(kept.between(0, 2**62)[-1].value):
            found.add((told["__name__"], told["instance"]))
    return found


async def test_a_broken_file_changes_nothing(scraping, exporter, tmp_path):
    path = tmp_path / "prometheus.yml"
    path.write_text(FILE.format(address=exporter.address))
    await _load(scraping, tmp_path)
    in_force = scraping.configuration
    path.write_text("scrape_configs: [{job_name: }]")
    with pytest.raises(ConfigError, match=r"prometheus\.yml:1"):
        await _load(scraping, tmp_path)
    assert scraping.configuration is in_force


async def test_a_job_over_its_target_limit_says_so_on_each(scraping, exporter, tmp_path):
    text = FILE.format(address=exporter.address).replace("job_name: one", "job_name: one\n    target_limit: 1")
    text = text.replace(f'["{exporter.address}"]', f'["{exporter.address}", "localhost:{exporter.port}"]')
    (tmp_path / "prometheus.yml").write_text(text)
    await _load(scraping, tmp_path)
    await _until(lambda: list(_health(scraping).values()) == ["down", "down"])
    errors = {one["lastError"] for one in scraping.board.targets()["activeTargets"]}
    assert errors == {"target_limit exceeded: 2 targets, the limit is 1"}


async def test_a_target_whose_scrape_breaks_off_is_down_and_says_why(scraping, exporter, tmp_path, monkeypatch):
    async def scrape(_loop, _at_s):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(TargetLoop, "scrape", scrape)
    (tmp_path / "prometheus.yml").write_text(FILE.format(address=exporter.address))
    await _load(scraping, tmp_path)
    await _until(lambda: list(_health(scraping).values()) == ["down"])
    (found,) = scraping.board.targets()["activeTargets"]
    assert found["lastError"] == "the scrape broke off: RuntimeError('a fault of ours')"


async def test_the_board_gives_metadata_and_the_steps_of_relabelling(scraping, exporter, tmp_path):
    exporter.page = b"# HELP x What.\n# TYPE x gauge\nx 1\n"
    (tmp_path / "prometheus.yml").write_text(FILE.format(address=exporter.address))
    await _load(scraping, tmp_path)
    await _until(lambda: scraping.board.metadata())
    (about,) = scraping.board.metadata()
    assert (about["metric"], about["type"], about["help"], about["target"]["env"]) == ("x", "gauge", "What.", "dev")
    assert "metric" not in scraping.board.metadata(metric="x")[0]
    assert scraping.board.metadata(matches=lambda labels: ("env", "prod") in labels) == []
    (step,) = scraping.board.relabel_steps("two", {"__address__": "dropme:1"})
    assert (step["keep"], step["output"], step["rule"]["action"]) == (False, {}, "drop")
    with pytest.raises(NotFoundError):
        scraping.board.relabel_steps("none", {})


@pytest.mark.service
async def test_two_processes_scrape_each_target_once_and_one_takes_over_what_the_other_had(
    exporter, tmp_path, postgres_database_url
):
    listed = ", ".join(f'"{exporter.address}"' for _ in range(1))
    groups = "\n".join(f"      - {{targets: [{listed}], labels: {{number: '{number}'}}}}" for number in range(30))
    text = "global: {scrape_interval: 100ms, scrape_timeout: 100ms}\nscrape_configs:\n  - job_name: one\n"
    (tmp_path / "prometheus.yml").write_text(f"{text}    static_configs:\n{groups}\n")
    clock = SystemClock()
    processes = [_Process(open_postgres(postgres_database_url), clock) for _ in range(2)]
    try:
        for process in processes:
            await _load(process.scraping, tmp_path)
        first, second = processes
        await _until(lambda: len(first.targets) + len(second.targets) == 30)
        await _until(lambda: first.targets and second.targets and not first.targets & second.targets)
        await _until(lambda: first.scraped >= first.targets and second.scraped >= second.targets)
        moved = set(second.targets)
        await second.die()
        await _until(lambda: first.targets == {str(number) for number in range(30)})
        await _until(lambda: first.scraped >= moved)
        assert not second.ended  # the series go on
    finally:
        for process in processes:
            await process.close()


class _Process:
    """What one process has of scraping: a membership over the shared database, its own loops, its own samples."""

    def __init__(self, db, clock):
        self._db = db
        self._source = MemorySource()
        self._member = Membership(db, clock, "ingest", beat_s=0.1, lease_s=3.0)
        sink, metrics = MemorySink(self._source), ScrapeMetrics(CollectorRegistry())
        callers = make_callers(clock)  # its own: they are closed with it, whatever is on its way
        ground = ScrapeGround(sink, TENANT, clock, callers, metrics, linger_s=0.0, owns=self._member.owns)
        self.scraping = Scraping(ground)
        self._member.watch(self.scraping.share_anew)
        self._beating = asyncio.create_task(self._member.run())
        self._running = asyncio.create_task(self.scraping.run())

    @property
    def targets(self):
        return {one["labels"]["number"] for one in self.scraping.board.targets()["activeTargets"]}

    @property
    def scraped(self):
        return {dict(labels)["number"] for labels in self._source.tenant(TENANT).series}

    @property
    def ended(self):
        """Give the series of targets that were told to be over; those of a page end too when a busy machine is late."""
        series = self._source.tenant(TENANT).series.items()
        kept = [each for labels, each in series if dict(labels)["__name__"] == "up"]
        assert kept
        return [each for each in kept if _is_stale(each.between(0, 2**62)[-1].value)]

    async def die(self):
        """End without a word to the database."""
        await self._db.close()
        await self.close()

    async def close(self):
        for task in (self._beating, self._running):
            task.cancel()
        await asyncio.gather(self._beating, self._running, return_exceptions=True)
        await self._db.close()


async def test_only_what_a_source_tells_anew_is_relabelled(scraping, exporter, tmp_path):
    (tmp_path / "prometheus.yml").write_text(FILE.format(address=exporter.address))
    (tmp_path / "targets.json").write_text("[]")
    await _load(scraping, tmp_path)
    await _until(lambda: "two" in scraping._pools)
    pool, seen = scraping._pools["two"], []

    class Counting(Relabelling):
        def apply(self, labels):
            seen.append(labels["__address__"])
            return super().apply(labels)

    pool.relabelling = Counting(pool.job.relabel_rules)
    for number in range(50):
        pool.tell(f"0/{number}", [{"__address__": f"drop-{number}:80"}])
    await _until(lambda: pool.dropped_count == 50)
    seen.clear()
    pool.tell("0/7", [{"__address__": "drop-new:80"}])
    pool.tell("0/8", ())
    await _until(lambda: pool.dropped_count == 49)
    assert seen == ["drop-new:80"]
    assert "drop-new:80" in {dict(labels)["__address__"] for labels in pool.dropped}
