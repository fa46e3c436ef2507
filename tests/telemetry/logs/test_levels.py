"""How grave a record is, is found in labels, metadata, severity, and the line, in this order."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.telemetry.logs import Attributes, Records
from holdfast.telemetry.logs.levels import find_levels, levels_of_lines


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ('{"level":"warn","msg":"an error is near"}', "warn"),
        ('{"msg":"INFO: nothing", "severity" : "ERROR"}', "error"),
        ('{"log":{"level":"WARNING"}}', "warn"),
        ('{"log.level":"dbg"}', "debug"),
        ("ts=1 level=error msg=x", "error"),
        ('lvl="info" msg=x', "info"),
        ("levelx=error", "unknown"),
        ("2026-01-01 12:00:00,123 ERROR shop: no information", "error"),
        ("[warn] low on memory", "warn"),
        ("err: cannot", "error"),
        ("FATAL out of memory", "fatal"),
        ("CRITICAL x", "critical"),
        ("some information", "unknown"),
        ("just info here", "info"),
        ('10.0.0.1 - - "GET / HTTP/1.1" 200 5', "unknown"),
        ("", "unknown"),
    ],
)
def test_a_line_says_its_level(line, level):
    assert levels_of_lines([line, "level=fatal"]) == [level, "fatal"]


def records(count=1, **columns):
    return Records(np.zeros(count, np.int64), np.zeros(count, np.int64), ["level=debug"] * count, **columns)


def test_the_level_of_the_door_stands():
    assert find_levels(records(levels=["warn"]), [(("level", "error"),)]) == ["warn"]


def test_a_label_of_the_stream_comes_before_metadata():
    found = find_levels(records(attributes=Attributes.of([{"level": "warn"}])), [(("level", "ERR"),)])
    assert found == ["error"]


def test_metadata_comes_before_the_severity():
    found = find_levels(
        records(attributes=Attributes.of([{"level": "Warning"}]), severities=np.array([17], np.uint8)), [()]
    )
    assert found == ["warn"]


@pytest.mark.parametrize(
    ("number", "text", "level"),
    [
        (10, "Information", "info"),
        (1, "", "trace"),
        (4, "", "trace"),
        (5, "", "debug"),
        (9, "", "info"),
        (13, "", "warn"),
        (20, "", "error"),
        (24, "", "fatal"),
        (25, "", "unknown"),
        (17, "SEVERE", "error"),
        (0, "NOTICE", "notice"),
        (0, "", "debug"),
    ],
)
def test_the_severity_comes_before_the_line(number, text, level):
    found = find_levels(records(severities=np.array([number], np.uint8), severity_texts=[text]), [()])
    assert found == [level]
