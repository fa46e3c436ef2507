"""Keeps the rules of the house in one worker: parsing every module takes longer than judging it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    folder = f"{Path(__file__).parent}{os.sep}"
    for item in items:
        if str(item.path).startswith(folder):  # asking its parents takes a second for all tests
            item.add_marker(pytest.mark.xdist_group("architecture"))
