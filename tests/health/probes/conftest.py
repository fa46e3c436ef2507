"""How probe tests ask: a spec as a check file writes it goes in, an observation comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop

from fixtures.peers import Authority
from holdfast.health.probes import KINDS, Observation, Probe, ProbeContext
from holdfast.kernel import decoding
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.secrets import Secrets

Ask = Callable[..., Awaitable[Observation]]

SECRETS = {"PASSWORD": "s3cret-pa55", "TOKEN": "t0ken-of-tests"}


def resolve_secret(text: str) -> str:
    return Secrets.standard(SECRETS, SystemClock()).resolve(text).reveal()


def build(kind: str, **fields: Any) -> Probe:
    """Decode `fields` as the check file's decoder does, and build the probe."""
    entry = KINDS[kind]
    assert entry.build is not None
    return entry.build(decoding.decode(entry.spec, fields))


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run every probe on both loops: the server has uvloop, the command line may have the plain one."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority; tests issue certificates from it."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def ask() -> Ask:
    """Make one attempt: `await ask("tcp", host=..., port=...)`."""

    async def attempt(
        kind: str, *, timeout_s: float = 5, allow_metadata_addresses: bool = False, **fields: Any
    ) -> Observation:
        context = ProbeContext(timeout_s, resolve_secret, allow_metadata_addresses)
        return await build(kind, **fields).observe(context)

    return attempt
