"""Watches a client of redis-py, plain or async: commands, pipelines, errors, and its pool.

Commands become labels by their first word; keys and values never do. Pub/sub and raw connections are not seen.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import REGISTRY

from holdfast.instrument.operations import OperationMetrics, PoolUse, operation_metrics, pool_gauges
from holdfast.instrument.registries import watch_once
from holdfast.instrument.wrapping import wrap_method

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SYSTEM: Final = "redis"


def watch_redis(client: Any, registry: CollectorRegistry = REGISTRY, *, name: str = "") -> Callable[[], None]:
    """Watch a `redis.Redis`, `redis.asyncio.Redis` or cluster client from now on: `watch_redis(client)`.

    Args:
        client: what to watch; its pipelines are watched too, each execution as one `PIPELINE`.
        registry: where it is counted.
        name: the label `database`; if empty, the number of the database. Clients of one name are added up.

    Returns:
        A function that ends it.
    """
    return watch_once(client, registry, lambda: _watch_client(client, registry, name))


def _watch_client(client: Any, registry: CollectorRegistry, name: str) -> Callable[[], None]:
    metrics = operation_metrics(registry)
    pool = getattr(client, "connection_pool", None)
    number = getattr(pool, "connection_kwargs", {}).get("db", 0)
    label = metrics.databases.admit(name or str(number or 0))
    is_async = iscoroutinefunction(type(client).execute_command)
    watched = functools.partial(_watch_call, metrics, label, is_async=is_async)

    def pipeline(make: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        made = make(*args, **kwargs)
        made.execute = watched(made.execute, word="PIPELINE")
        return made

    stops = [
        wrap_method(client, "execute_command", watched),
        wrap_method(client, "pipeline", lambda make: functools.partial(pipeline, make)),
    ]
    if pool is not None:
        stops.append(pool_gauges(registry).add(SYSTEM, label, pool, read_pool))

    def stop() -> None:
        for each in stops:
            each()

    return stop


def _watch_call(
    metrics: OperationMetrics, database: str, method: Callable[..., Any], *, is_async: bool, word: str = ""
) -> Callable[..., Any]:
    async def watch_async(*args: Any, **kwargs: Any) -> Any:
        with metrics.operation(SYSTEM, database, word or name_command(args)):
            return await method(*args, **kwargs)

    def watch(*args: Any, **kwargs: Any) -> Any:
        with metrics.operation(SYSTEM, database, word or name_command(args)):
            return method(*args, **kwargs)

    return watch_async if is_async else watch


def name_command(args: tuple[Any, ...]) -> str:
    """Give the first word of a command, such as `HGET` or `CLIENT`."""
    first = args[0] if args else ""
    text = first.decode("ascii", "replace") if isinstance(first, bytes) else str(first)
    return text.partition(" ")[0].upper()


def read_pool(pool: Any) -> PoolUse | None:
    """Look at a pool; None for a kind that keeps no such lists."""
    used, idle = getattr(pool, "_in_use_connections", None), getattr(pool, "_available_connections", None)
    if used is None or idle is None:
        return None
    most = getattr(pool, "max_connections", None)
    return PoolUse(len(used), len(idle), most if most and most < 2**31 else None)
