"""The garbage collector works again after a pause, also where loading failed."""

from __future__ import annotations

import gc

import pytest

from holdfast.kernel.processes import paused_collector


def test_the_collector_rests_only_while_it_is_paused() -> None:
    with paused_collector():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_while_it_is_paused_does_not_keep_it_off() -> None:
    with pytest.raises(OSError, match="no such rooms"), paused_collector():
        raise OSError("no such rooms")
    assert gc.isenabled()
