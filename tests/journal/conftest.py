"""A journal that writes into memory and is put away after the test, with everything else that it touched."""

from __future__ import annotations

import io
import json

import pytest

from holdfast import journal


@pytest.fixture(autouse=True)
def _restored_logging(log_set_back):
    return


class Lines:
    """What was logged since the start of the test."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def events(self) -> list[dict]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def last(self) -> dict:
        return self.events[-1]


@pytest.fixture
def lines():
    """Lines of a journal configured for JSON at info level."""
    written = Lines()
    journal.configure(service="orders", level="info", format="json", stream=written.stream)
    return written
