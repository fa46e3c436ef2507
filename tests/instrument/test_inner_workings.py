"""The process, its event loop, executors and caches."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import gc
import shelve
import threading
import time

import pytest
from prometheus_client import ProcessCollector

from holdfast import journal
from holdfast.instrument import (
    CountedMapping,
    watch_cache,
    watch_event_loop,
    watch_executor,
    watch_process,
    watch_shipper,
)
from holdfast.resilience import cache


async def until(condition):
    """Wait for something that another thread does."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 -- the thread tells nobody
            await asyncio.sleep(0.005)


def test_the_process_shows_use_saturation_and_errors(registry, figures):
    stop = watch_process(registry)
    gc.collect()
    assert figures("process_cpu_time_seconds_total", mode="user") > 0
    assert figures("process_threads") >= 1
    assert figures("process_context_switches_total", type="voluntary") >= 0
    assert figures("process_resident_memory_bytes") > 1_000_000
    assert figures("process_open_fds") > 0
    assert figures("process_max_fds") > 0
    assert figures("process_paging_faults_total", type="minor") > 0
    assert figures("cpython_gc_pause_seconds_count", generation="2") >= 1
    assert figures("cpython_gc_collections_total", generation="2") >= 1
    stop()
    assert figures("process_threads") is None


def test_what_the_library_collects_already_is_not_shown_twice(registry, figures):
    ProcessCollector(registry=registry)
    stop, again = watch_process(registry), watch_process(registry)
    assert figures("process_open_fds") is not None
    stop()
    again()
    assert figures("process_cpu_seconds_total") > 0


def test_without_proc_only_what_python_knows_is_shown(registry, figures, tmp_path):
    stop = watch_process(registry, proc=tmp_path)
    assert figures("process_threads") == threading.active_count()
    assert figures("process_cpu_wait_seconds_total") is None
    stop()


def hold_the_loop():
    time.sleep(0.3)


async def test_a_slow_callback_is_named(registry, figures):
    stop = watch_event_loop(registry, beat_s=0.01, slow_s=0.05)
    await until(lambda: figures("asyncio_loop_lag_seconds_count", loop="main"))
    hold_the_loop()
    await until(lambda: figures("asyncio_slow_callbacks_total") and figures("asyncio_loop_lag_seconds_sum") > 0.2)
    name = f"{__name__}.hold_the_loop"
    assert figures("asyncio_slow_callbacks_total", loop="main", function=name) == 1
    stop()


async def test_tasks_are_counted(registry, figures):
    stop = watch_event_loop(registry, slow_s=0)
    task = asyncio.create_task(asyncio.sleep(60))
    assert figures("asyncio_tasks", loop="main") == len(asyncio.all_tasks()) >= 2
    task.cancel()
    stop()


def test_a_loop_that_was_closed_is_no_trouble(registry, figures):
    async def main():
        watch_event_loop(registry, beat_s=0.01, slow_s=0.02)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert str(figures("asyncio_tasks")) == "nan"


def test_an_executor_shows_what_waits_and_how_it_ends(registry, figures):
    release = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        stop = watch_executor(pool, registry, name="work")
        first, second = pool.submit(release.wait, 10), pool.submit(divmod, 1, 0)
        third = pool.submit(int)
        while not first.running():
            time.sleep(0.001)
        assert figures("executor_pending", executor="work") == 2
        assert figures("executor_running", executor="work") == 1
        assert figures("executor_workers_max", executor="work") == 1
        assert third.cancel()
        release.set()
        concurrent.futures.wait([first, second])
        stop()
    assert figures("executor_pending", executor="work") == 0
    assert figures("executor_running", executor="work") == 0
    outcomes = {what: figures("executor_calls_total", outcome=what) for what in ("ok", "error", "cancelled")}
    assert outcomes == {"ok": 1, "error": 1, "cancelled": 1}
    assert figures("executor_queue_wait_seconds_count") == 2


def test_a_call_that_an_executor_does_not_take_does_not_wait_for_ever(registry, figures):
    pool = concurrent.futures.ThreadPoolExecutor(1)
    watch_executor(pool, registry, name="work")
    pool.shutdown()
    with pytest.raises(RuntimeError):
        pool.submit(int)
    assert figures("executor_pending", executor="work") == 0


def test_functools_caches_are_read(registry, figures):
    @functools.lru_cache(maxsize=2)
    def square(number):
        return number * number

    watch_cache(square, registry, name="squares")
    for number in (1, 1, 2, 3):
        square(number)
    assert figures("cache_hits_total", cache="squares") == 1
    assert figures("cache_misses_total", cache="squares") == 3
    assert figures("cache_evictions_total", cache="squares") == 1
    assert figures("cache_entries", cache="squares") == 2
    assert figures("cache_entries_max", cache="squares") == 2


async def test_caches_of_resilience_are_read(registry, figures):
    kept = cache(name="prices", ttl_s=60)

    async def fetch():
        return 1

    watch_cache(kept, registry)
    await kept.get_or_fetch("a", fetch)
    await kept.get_or_fetch("a", fetch)
    assert figures("cache_hits_total", cache="prices") == 1
    assert figures("cache_misses_total", cache="prices") == 1
    assert figures("cache_entries", cache="prices") == 1


class Small(dict):
    """Holds two, and pushes the oldest out."""

    maxsize = 2

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        while len(self) > self.maxsize:
            del self[next(iter(self))]


def test_a_mapping_that_serves_as_a_cache_is_counted(registry, figures):
    pages = CountedMapping(Small())
    watch_cache(pages, registry, name="pages")
    for key in "abca":
        if pages.get(key) is None:
            pages[key] = key
    assert pages.hits == 0
    assert figures("cache_misses_total", cache="pages") == 4
    assert figures("cache_evictions_total", cache="pages") == 2
    assert figures("cache_entries", cache="pages") == 2
    assert figures("cache_entries_max", cache="pages") == 2
    del pages["a"]
    assert (pages.evictions, len(pages), list(pages)) == (2, 1, ["c"])


def test_a_cache_that_cannot_be_read_hides_only_itself(registry, figures, tmp_path):
    closed = shelve.open(str(tmp_path / "closed"))  # noqa: SIM115 -- the test's own
    watch_cache(closed, registry, name="closed")
    watch_cache({"a": 1}, registry, name="open")
    closed.close()
    assert figures("cache_entries", cache="open") == 1
    assert figures("cache_entries", cache="closed") is None


def test_a_cache_that_is_gone_is_not_kept_alive(registry, figures):
    pages = CountedMapping({})
    stop = watch_cache(pages, registry, name="pages")
    assert figures("cache_entries", cache="pages") == 0
    del pages
    gc.collect()
    assert figures("cache_entries", cache="pages") is None
    stop()


def test_something_that_is_no_cache_is_refused(registry):
    with pytest.raises(TypeError, match="CountedMapping"):
        watch_cache(3, registry)


def test_a_shipper_shows_what_waits_and_what_was_lost(registry):
    shipper = journal.Shipper("http://127.0.0.1:9", queue_lines=2, linger_s=60, exit_deadline_s=0.0)
    stop = watch_shipper(shipper, registry, name="orders")
    for _ in range(5):
        shipper.write_line("{}")
    of = {"shipper": "orders"}
    assert registry.get_sample_value("journal_lines_waiting", of) == 2
    assert registry.get_sample_value("journal_lines_dropped_total", of) == 3
    shipper.close(0.0)
    assert registry.get_sample_value("journal_lines_dropped_total", of) == 5
    assert registry.get_sample_value("journal_lines_shipped_total", of) == 0
    stop()
    assert registry.get_sample_value("journal_lines_waiting", of) is None


def test_a_shipper_that_is_gone_is_shown_no_more(registry):
    shipper = journal.Shipper("http://127.0.0.1:9")
    watch_shipper(shipper, registry)
    assert registry.get_sample_value("journal_spool_bytes", {"shipper": "journal"}) == 0
    del shipper
    assert registry.get_sample_value("journal_spool_bytes", {"shipper": "journal"}) is None
