"""Retries, timeouts, limits, caches and locks are the library's; whatever else looks like one has a written reason."""

from __future__ import annotations

import ast
import tomllib

from architecture.sources import ROOT, all_modules

LEDGER = "tests/architecture/policies.toml"
WATCHED = ("src/holdfast/", "examples/shop/src/")
THE_LIBRARY = "src/holdfast/resilience/"
TOOLS = {
    "asyncio": {"BoundedSemaphore", "Condition", "Lock", "Semaphore", "timeout", "timeout_at", "wait_for"},
    "threading": {"BoundedSemaphore", "Condition", "Lock", "RLock", "Semaphore"},
    "functools": {"cache", "lru_cache"},
    "collections": {"OrderedDict"},
    "anyio": {"CapacityLimiter", "Lock", "Semaphore", "fail_after", "move_on_after"},
}
OTHER_LIBRARIES = {"aiobreaker", "aiolimiter", "backoff", "cachetools", "hyx", "limits", "pybreaker", "tenacity"}
WAITS_OF_THE_LIBRARY = {"next_s", "wait_s"}
SLEEP = "sleep after a failure"


def find_tools(tree):
    """Give the names of tools that a module uses: `asyncio.Lock`, `functools.lru_cache`, another library."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in TOOLS.get(node.value.id, ()):
                yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{it.name}" for it in node.names if it.name in TOOLS.get(node.module or "", ()))
            yield from {(node.module or "").partition(".")[0]} & OTHER_LIBRARIES
        elif isinstance(node, ast.Import):
            yield from {it.name.partition(".")[0] for it in node.names} & OTHER_LIBRARIES


def find_sleeps(tree):
    """Tell whether a handler of errors in a loop sleeps for seconds that no back-off of the library gave."""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.While | ast.For | ast.AsyncFor)]
    handlers = [node for loop in loops for node in ast.walk(loop) if isinstance(node, ast.ExceptHandler)]
    for call in (node for handler in handlers for node in ast.walk(handler) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = call.args[0] if call.args else None
        is_given_by_us = (
            isinstance(given, ast.Call)
            and isinstance(given.func, ast.Attribute)
            and given.func.attr in WAITS_OF_THE_LIBRARY
        )
        if name in {"sleep", "sleep_sync"} and not is_given_by_us:
            yield SLEEP


def find_policies():
    """Map each module that has something of its own to the names of what it has."""
    found = {}
    for module in all_modules():
        if module.place.startswith(WATCHED) and not module.place.startswith(THE_LIBRARY):
            names = sorted({*find_tools(module.tree), *find_sleeps(module.tree)})
            if names:
                found[module.place] = names
    return found


def test_what_looks_like_a_policy_of_its_own_stands_in_the_ledger():
    ledger = tomllib.loads((ROOT / LEDGER).read_text())
    written = {place: sorted(entry) for place, entry in ledger.items()}
    found = find_policies()
    new = [f"{place}: {name}" for place in found for name in found[place] if name not in written.get(place, ())]
    gone = [f"{place}: {name}" for place in written for name in written[place] if name not in found.get(place, ())]
    assert not new, (
        "use holdfast.resilience (retry, Pauses, timeout, bulkhead, rate_limit, cache, locks); what is none of these"
        f" says why in {LEDGER}:\n" + "\n".join(new)
    )
    assert not gone, f"no longer there, take it out of {LEDGER}:\n" + "\n".join(gone)


def test_every_entry_has_a_reason():
    ledger = tomllib.loads((ROOT / LEDGER).read_text())
    assert not [place for place, entry in ledger.items() for reason in entry.values() if len(reason) < 20]


def test_the_finder_sees_what_it_is_for():
    source = """
import asyncio, tenacity
from functools import lru_cache
room = asyncio.Semaphore(3)
async def again(pauses):
    while True:
        try:
            await work()
        except OSError:
            await asyncio.sleep(2)
        except ValueError:
            await asyncio.sleep(pauses.next_s())
"""
    tree = ast.parse(source)
    assert sorted(find_tools(tree)) == ["asyncio.Semaphore", "functools.lru_cache", "tenacity"]
    assert list(find_sleeps(tree)) == [SLEEP]
