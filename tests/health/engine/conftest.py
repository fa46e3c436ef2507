"""The rig of `fixtures.engines`, on a clock that a test moves."""

from __future__ import annotations

import pytest

from fixtures.engines import Rig


@pytest.fixture
def rig(fake_clock) -> Rig:
    return Rig(fake_clock)
