"""Tests of runs begin with the tables of runs and of the event log."""

from __future__ import annotations

import pytest


@pytest.fixture
def migrations() -> tuple[str, ...]:
    """What the engine of runs needs."""
    return ("holdfast.kernel.events.migrations", "holdfast.kernel.runs.migrations")
