"""Recognises what format the lines of a file have, from its first ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from holdfast.kernel.errors import InvalidError, Place
from holdfast.telemetry.logs.files.traces import belongs

CRI_HEAD: Final = re.compile(rb"(?m)^(\d{4}-\d\d-\d\dT\S+) (?:stdout|stderr) ([FP])(?: |$)")
_PARTIAL: Final = re.compile(rb"(?m)^(\S+ std(?:out|err)) P ?(.*)\n\S+ std(?:out|err) ([FP]) ?")
_SHARE: Final = 0.5
_LEVELS: Final = rb"(?:TRACE|DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|CRITICAL|FATAL|SEVERE)"
_CONTROL_SHARE: Final = 0.05
_CONTROLS: Final = bytes(set(range(32)) - {7, 8, 9, 10, 12, 13, 27, 30})


class Format(StrEnum):
    """What lines look like."""

    ACCESS = "access"
    JSON = "json"
    LOGFMT = "logfmt"
    SYSLOG_5424 = "syslog-5424"
    SYSLOG_3164 = "syslog-3164"
    CRI = "cri"
    JAVA = "java"
    PYTHON = "python"
    PLAIN = "plain"


_LOOKS: Final = {
    Format.ACCESS: re.compile(rb'\S+ \S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "[^"]*" \d{3} '),
    Format.JSON: re.compile(rb"\s*\{.*\}\s*$"),
    Format.CRI: CRI_HEAD,
    Format.SYSLOG_5424: re.compile(rb"<\d{1,3}>1 (?:\d{4}-\d\d-\d\dT\S+|-) \S+ \S+ \S+ \S+ "),
    Format.SYSLOG_3164: re.compile(rb"(?:<\d{1,3}>)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [^\s:\[]+(?:\[\d+\])?: "),
    Format.LOGFMT: re.compile(
        rb'\s*[\w.@-]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)(?: +[\w.@-]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)){1,}\s*$'
    ),
    Format.JAVA: re.compile(
        rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]\d+\S*\s+(?:\[[^\]]+\]\s+"
        + _LEVELS
        + rb"|"
        + _LEVELS
        + rb"\s+(?:\d+ --- )?\[)"
    ),
    Format.PYTHON: re.compile(
        rb"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}[ :|-]+.*" + _LEVELS + rb"|" + _LEVELS + rb":[\w.]+:)"
    ),
}


def recognise(lines: Sequence[bytes]) -> Format:
    """Give the format that most lines have; continuation lines count for nothing."""
    looked_at = [line for line in lines if not belongs(line)]
    for form, look in _LOOKS.items():
        hits = sum(look.match(line) is not None for line in looked_at)
        if looked_at and hits >= _SHARE * len(looked_at):
            return form
    return Format.PLAIN


def refuse_binary(head: bytes, file: str) -> None:
    """Refuse what is no text.

    Raises:
        InvalidError: it holds more control characters than a log does.
    """
    if head and len(head) - len(head.translate(None, _CONTROLS)) > _CONTROL_SHARE * len(head):
        raise InvalidError(
            "this is no text",
            place=Place(file=file),
            hint="give log files, plain or compressed with gzip or zstd",
        )


def unwrap_cri(block: bytes, *, is_timed: bool) -> bytes:
    """Take the runtime's words off each line, and join what it has cut; the time stays if asked for."""
    while b" P " in block:
        joined = _PARTIAL.sub(rb"\1 \3 \2", block)
        if joined == block:
            break
        block = joined
    return CRI_HEAD.sub(rb"\1 " if is_timed else b"", block)
