"""One message of syslog: RFC 5424, and RFC 3164 as senders write it, with parts left out.

Never fails: what fits no form is a line of an unknown sender.
"""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from typing import Final, NamedTuple

from holdfast.telemetry.logs.level_words import Level
from holdfast.telemetry.logs.recognition import from_text, time_in_year

_PRIORITY: Final = re.compile(r"<(\d{1,3})>")
_HEADER: Final = re.compile(r"1 (\S+) (\S+) (\S+) (\S+) (\S+) ?")
_ELEMENT: Final = re.compile(r'\[([^ =\]"]{1,128})((?: [^ =\]"]{1,128}="(?:[^"\\\]]|\\.)*")*)\]')
_PARAMETER: Final = re.compile(r' ([^ =\]"]{1,128})="((?:[^"\\\]]|\\.)*)"')
_ESCAPED: Final = re.compile(r'\\(["\\\]])')
_OLD_TIME: Final = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ")
_NEW_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\S+ ")
_TAG: Final = re.compile(r"(?:([^\s:\[\]]{1,255}) )?([^\s:\[\]]{1,128})(?:\[([^\]\s]{1,128})\])?: ?")
_LEVELS: Final = (
    *(Level.FATAL, Level.CRITICAL, Level.CRITICAL, Level.ERROR, Level.WARN, Level.INFO, Level.INFO, Level.DEBUG),
)
_SEVERITIES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_FACILITIES: Final = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp"),
    *("audit", "alert", "clock", *(f"local{number}" for number in range(8))),
)
_MOST_PRIORITY: Final = 191


class Message(NamedTuple):
    """What a message says; empty where it does not. `ts_ns` is None where it names no time."""

    body: str
    ts_ns: int | None = None
    level: str = ""
    host: str = ""
    app: str = ""
    pairs: tuple[tuple[str, str], ...] = ()


def read_message(data: bytes, now_ns: int, zone: tzinfo = UTC) -> Message:
    """Give what a message says; a time without a zone is one of `zone`."""
    text = data.decode(errors="replace").rstrip("\r\n\0")
    found = _PRIORITY.match(text)
    if found is None or int(found[1]) > _MOST_PRIORITY:
        return Message(text.removeprefix("\ufeff"))
    priority, rest = int(found[1]), text[found.end() :]
    pairs = (("severity_text", _SEVERITIES[priority % 8]), ("facility", _FACILITIES[priority // 8]))
    header = _HEADER.match(rest)
    message = _read_new(header, rest[header.end() :]) if header else _read_old(rest, now_ns, zone)
    return message._replace(level=_LEVELS[priority % 8], pairs=pairs + message.pairs)


def _read_new(header: re.Match[str], rest: str) -> Message:
    time, host, app, process, kind = ("" if part == "-" else part for part in header.groups())
    pairs = [(name, value) for name, value in (("process_pid", process), ("message_id", kind)) if value]
    if rest.startswith("-"):
        rest = rest[1:]
    else:
        while found := _ELEMENT.match(rest):
            rest = rest[found.end() :]
            pairs += [
                (f"{found[1]}.{name}", _ESCAPED.sub(r"\1", value)) for name, value in _PARAMETER.findall(found[2])
            ]
    body = rest.removeprefix(" ").removeprefix("\ufeff")
    if body[:1] == " " and not body[1:2].isspace():  # rsyslog keeps the space behind the tag of what it relays
        body = body[1:]
    return Message(body, from_text(time) if time else None, "", host, app, tuple(pairs))


def _read_old(rest: str, now_ns: int, zone: tzinfo) -> Message:
    ts_ns: int | None = None
    if found := _OLD_TIME.match(rest):
        ts_ns, rest = time_in_year(found[0], now_ns, zone), rest[found.end() :]
    elif found := _NEW_TIME.match(rest):
        ts_ns, rest = from_text(found[0]), rest[found.end() :]
    tag = _TAG.match(rest)
    if tag is None:
        return Message(rest.removeprefix("\ufeff"), ts_ns)
    host, app, process = tag[1] or "", tag[2], tag[3] or ""
    if found is None and host:  # without a time there is no host either: these are words of the line
        return Message(rest, ts_ns)
    pairs = (("process_pid", process),) if process else ()
    return Message(rest[tag.end() :], ts_ns, "", host, app, pairs)
