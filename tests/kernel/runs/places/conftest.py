"""Steps to run in places, the lines they write, and a wait for the end of a process."""

from __future__ import annotations

import asyncio
import inspect
import os
import select
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from holdfast.kernel.runs.places import ProcessPlace, Work

PATIENCE_S = 30.0


@dataclass
class Heard:
    """The lines of a step."""

    lines: list = field(default_factory=list)
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)

    def write(self, stream, text, fields) -> None:
        self.lines.append((stream, text, fields))
        if text == "ready":
            self.has_begun.set()

    def texts(self, stream):
        return [text for name, text, _ in self.lines if name == stream]

    @property
    def pids(self):
        return next(fields["pids"] for _, text, fields in self.lines if text == "ready")


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def work_of(heard):
    """Make a piece of work from a function and its arguments."""

    def make(todo, *args, **more):
        is_told = callable(todo) and "step" in inspect.signature(todo).parameters
        step = SimpleNamespace(log=lambda text, **fields: heard.write("log", text, fields))
        told = {"idempotency_key": "run-1:charge:1", "attempt": 2, "run_id": "run-1"}
        named = {"step": step} if is_told else {}
        named = more.pop("named", named)
        return Work("charge", todo, args, named, write=heard.write, **{**told, **more})

    return make


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def processes(registry):
    return ProcessPlace(registry=registry)


def wait_until_gone(pid) -> None:
    """Wait for the end of a process that is not our child; one that is gone already is fine."""
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        poller = select.poll()
        poller.register(watch, select.POLLIN)
        assert poller.poll(PATIENCE_S * 1000), f"process {pid} lives on"
    finally:
        os.close(watch)


@pytest.fixture
def until_gone():
    return wait_until_gone
