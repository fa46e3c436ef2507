"""Reads JSON objects and logfmt, one per line: level, time, message, and what it says of a request if it is one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson

from holdfast.telemetry.logs.files.tally import BAD, PathTally, PatternBook, Tally
from holdfast.telemetry.logs.files.times import Minutes
from holdfast.telemetry.logs.files.traces import join
from holdfast.telemetry.logs.level_words import normalise
from holdfast.telemetry.logs.levels import levels_of_lines
from holdfast.telemetry.logs.patterns import mask, shapes_of
from holdfast.telemetry.logs.patterns.masks import DIGITS
from holdfast.telemetry.logs.pipeline.logfmt import pairs

LEVELS: Final = ("level", "lvl", "severity", "log.level", "levelname", "severity_text")
TIMES: Final = ("time", "ts", "timestamp", "@timestamp", "datetime", "asctime", "date", "t")
MESSAGES: Final = ("msg", "message", "event", "log", "body", "error", "err")
CLIENTS: Final = ("client_ip", "remote_addr", "client", "remote_ip", "clientip", "ip", "remote", "client.address")
PATHS: Final = ("path", "uri", "request_uri", "url", "route", "http_path", "http.path", "url.path", "http.target")
STATUSES: Final = ("status", "status_code", "http_status", "http.status_code", "code", "response_code")
METHODS: Final = ("method", "http_method", "http.method", "request_method", "verb")
SECONDS: Final = {
    **dict.fromkeys(("duration_ms", "latency_ms", "elapsed_ms", "took_ms", "response_time_ms"), 1e-3),
    **dict.fromkeys(("duration_us", "latency_us", "elapsed_us"), 1e-6),
    **dict.fromkeys(("duration_ns", "latency_ns", "elapsed_ns"), 1e-9),
    **dict.fromkeys(("duration_s", "duration", "latency", "elapsed", "took", "request_time", "response_time"), 1.0),
}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|\u00b5s|ms|s|m)?")
_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
_BY_NUMBER: Final = {10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal"}  # bunyan, pino
EXCEPTION: Final = re.compile(r"(?:^|\n)((?:[A-Za-z_][\w$]*\.)*[A-Z]\w*(?:Error|Exception))\b")
_MOST_SHAPES: Final = 100_000
_SERVER_FAULT, _LEAST_STATUS, _MOST_STATUS = 500, 100, 600
STACKS: Final = ("exception", "stack", "stacktrace", "stack_trace", "exc_info", "traceback", "error.stack")


class FieldReader:
    """Counts records that are fields."""

    def __init__(
        self, parse: Callable[[bytes], Mapping[str, Any] | None], unwrap: Callable[[bytes], bytes] | None
    ) -> None:
        """Prepare.

        Args:
            parse: gives the fields of a line, or None if it has not the format.
            unwrap: changes a block before it is cut into lines.
        """
        self.tally, self.book = Tally(), PatternBook()
        self._parse = parse
        self._unwrap = unwrap
        self._minutes = Minutes()
        self._known: dict[tuple[str, bytes], int] = {}
        self._masked: dict[bytes, str] = {}
        self._took: dict[int, tuple[PathTally, list[float]]] = {}  # of this block, by path

    def read(self, data: bytes, part: int) -> None:
        """Count the records of a block."""
        self.read_lines(join(self._unwrap(data) if self._unwrap else data), part)

    def finish(self) -> None:
        """Do nothing: all is counted."""

    def read_lines(self, text: bytes, part: int) -> None:
        """Count the records of whole lines, unwrapped and joined."""
        good: list[Mapping[str, Any]] = []
        for line in text.split(b"\n"):
            if line:
                found = self._parse(line)
                good.append(found) if found is not None else self.tally.refuse(line)
        self.tally.records += len(good)
        messages = [_text(_first(row, MESSAGES)) for row in good]
        levels = self._levels(good, messages)
        took: list[float] = []
        for row, message, level, shape in zip(good, messages, levels, shapes_of(messages), strict=True):
            self._count(row, message, level, shape, part, took)
        self.tally.durations.add(np.array(took, np.float64))
        for known, times in self._took.values():
            known.durations.add(np.array(times, np.float64))
        self._took.clear()
        self.tally.trim()
        self.book.trim()

    def _levels(self, rows: list[Mapping[str, Any]], messages: list[str]) -> list[str]:
        levels = []
        for row in rows:
            said = _first(row, LEVELS)
            levels.append(level_of(said))
        missing = [place for place, level in enumerate(levels) if not level]
        if missing:
            for place, level in zip(missing, levels_of_lines([messages[place] for place in missing]), strict=True):
                levels[place] = level
        return [str(level) for level in levels]

    def _count(
        self, row: Mapping[str, Any], message: str, level: str, shape: bytes, part: int, took: list[float]
    ) -> None:
        tally = self.tally
        tally.levels[level] += 1
        number = self._known.get((level, shape))
        if number is None:
            if len(self._known) >= _MOST_SHAPES:
                self._known.clear()
            number = self._known[level, shape] = self.book.find(message.partition("\n")[0][:2000], level)
        self.book.add(number, part, 1)
        at = _first(row, TIMES)
        minute = self._minutes(_text(at)[:30]) if at is not None else None
        if minute is not None:
            tally.minutes[minute] += 1
            tally.bad_minutes[minute] += level in BAD
        stack = _first(row, STACKS)
        if stack is not None and (named := EXCEPTION.findall(_text(stack))):
            tally.exceptions[named[-1]] += 1
        self._count_request(row, took)

    def _count_request(self, row: Mapping[str, Any], took: list[float]) -> None:
        tally = self.tally
        client, path, status = _first(row, CLIENTS), _first(row, PATHS), status_of(_first(row, STATUSES))
        seconds = _seconds(row)
        if client is not None:
            tally.clients[_text(client)[:100]] += 1
        if status:
            tally.statuses[status] += 1
        if seconds is not None:
            took.append(seconds)
        if isinstance(path, str):
            tally.methods[_text(_first(row, METHODS) or "-")[:20]] += 1
            known = tally.path(self._mask(path))
            known.requests += 1
            known.errors += status >= _SERVER_FAULT
            if seconds is not None:
                self._took.setdefault(id(known), (known, []))[1].append(seconds)

    def _mask(self, path: str) -> str:
        text = path.partition("?")[0][:500]
        key = text.encode("utf-8", "replace").translate(None, DIGITS)
        found = self._masked.get(key)
        if found is None:
            if len(self._masked) >= _MOST_SHAPES:
                self._masked.clear()
            found = self._masked[key] = mask(text)[:300]
        return found


def parse_json(line: bytes) -> Mapping[str, Any] | None:
    """Give the fields of a JSON object; None if the line is none."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            found = orjson.loads(line.decode("utf-8", "replace"))
        except orjson.JSONDecodeError:
            return None
    return found if isinstance(found, dict) else None


def parse_logfmt(line: bytes) -> Mapping[str, Any] | None:
    """Give the pairs of a line; None if it holds no `=`."""
    if b"=" not in line:
        return None
    return dict(pairs(line[:65_536].decode("utf-8", "replace"), is_strict=False))


def level_of(said: Any) -> str:
    """Give the level that a value means; empty if it means none."""
    if isinstance(said, int):
        return _BY_NUMBER.get(said, "")
    return normalise(said) if isinstance(said, str) else ""


def _first(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    for name in names:
        found = row.get(name)
        if found is not None and found != "":
            return found
    return None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)


def status_of(value: Any) -> int:
    """Give the status code that a value is; 0 if it is none."""
    text = _text(value)
    number = int(text) if text.isascii() and text.isdigit() and len(text) == 3 else 0
    return number if _LEAST_STATUS <= number < _MOST_STATUS else 0


def _seconds(row: Mapping[str, Any]) -> float | None:
    for name, unit in SECONDS.items():
        value = row.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value) * unit
        if isinstance(value, str) and not math.isnan(seconds := seconds_said(value, unit)):
            return seconds
    return None


def seconds_said(text: str, unit: float) -> float:
    """Give the seconds of a duration such as `12ms`; not a number if it is none."""
    found = _DURATION.fullmatch(text)
    return float(found[1]) * (_UNITS[found[2]] if found[2] else unit) if found else math.nan
