"""Reads text files of samples line by line, so that a file of any size needs the memory of one line.

OpenMetrics has its timestamps in seconds, Prometheus' text format and `promtool tsdb dump` have milliseconds. A series'
labels are read once and remembered by their bytes.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, BinaryIO, Final

from holdfast.kernel.errors import InvalidError, Place
from holdfast.telemetry.metrics.arrivals import MetricMetadata
from holdfast.telemetry.metrics.exposition import (
    ExpositionError,
    parse_exemplar,
    read_help,
    read_label_pairs,
    read_quoted,
)
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, labels_of
from holdfast.telemetry.metrics.transfer.rows import MOST_LINE, Row, RowExemplar, number, whole_ms
from holdfast.telemetry.metrics.transfer.starts import Starts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LINE: Final = re.compile(
    rb'([a-zA-Z_:][a-zA-Z0-9_:]*)?(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?[ \t]+([^ \t#]+)(?:[ \t]+([^ \t#]+))?( # .*)?'
)
_SAID: Final = re.compile(rb'#[ \t]+(TYPE|HELP|UNIT)[ \t]+("(?:[^"\\]|\\.)*"|[^ \t]+)(?:[ \t]+(.*))?')
_NATIVE: Final = re.compile(rb"[^#]*[ \t]\{count:.*\}[ \t]+-?\d+")
_KNOWN: Final = 200_000
_EOF: Final = b"# EOF"
_NO_HISTOGRAMS: Final = (
    "a dump does not tell the buckets of native histograms exactly: leave them out with promtool's --match"
)
_CUT: Final = "the last line has no end: the file is cut off, or lacks its last newline"
_NO_EOF: Final = "the file ends without '# EOF', so it is cut off"
_BRING: Final = "bring the whole file, what is stored may come twice; to one that is whole, add the line '# EOF'"
_BEHIND: Final = "more stands behind '# EOF', where OpenMetrics ends"
_PART: Final = "part files that were joined, and import each"


def read_text(file: Path, position: int, *, in_seconds: bool) -> Iterator[Row]:
    """Give the samples from `position` (a byte) on.

    OpenMetrics must end with `# EOF` (specification 1.0, overall structure); Prometheus' text may, and then ends there.

    Raises:
        InvalidError: a line is no sample with a timestamp, or OpenMetrics is cut off; the message names the line.
    """
    known: dict[tuple[bytes, bytes], Labels] = {}
    said: dict[str, dict[str, str]] = {}
    starts = Starts.read(file, lambda text: _read_line(text, known, in_seconds=True)[:3]) if in_seconds else Starts()
    with file.open("rb") as lines:
        lines.seek(position)
        at, number = position, 0
        while line := lines.readline(MOST_LINE):
            at += len(line)
            number += 1
            text = line.removeprefix(codecs.BOM_UTF8).strip() if at == len(line) else line.strip()
            if text == _EOF:
                if in_seconds:
                    _demand_nothing(lines, file, _line(number, at - len(line), position))
                return
            try:
                _demand_end(line)
                if text.startswith(b"#"):
                    _hear(text, said, in_seconds=in_seconds)
                elif text:
                    labels, ts_ms, value, example = _read_line(text, known, in_seconds=in_seconds)
                    if starts.is_start(labels):
                        continue
                    exemplar = _exemplar(example, ts_ms) if example and in_seconds else None
                    yield Row(labels, ts_ms, value, at, _metadata(labels, said), starts.of(labels, ts_ms), exemplar)
            except (ExpositionError, ValueError) as error:
                where = _line(number, at - len(line), position)
                message = error.message if isinstance(error, ExpositionError) else str(error)
                message = "this is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else message
                raise InvalidError(f"{where}: {message}", place=Place(str(file))) from None
        if in_seconds:
            raise InvalidError(f"{_line(max(number, 1), at, position)}: {_NO_EOF}", hint=_BRING, place=Place(str(file)))


def _line(number: int, at: int, position: int) -> str:
    """Name a line; by its first byte where reading began in the middle."""
    return f"byte {at}" if position else f"line {number}"


def _demand_nothing(lines: BinaryIO, file: Path, where: str) -> None:
    while rest := lines.readline(MOST_LINE):
        if rest.strip():
            raise InvalidError(f"{where}: {_BEHIND}", hint=_PART, place=Place(str(file)))


def _demand_end(line: bytes) -> None:
    if not line.endswith(b"\n"):
        raise ValueError("the line is longer than a megabyte" if len(line) == MOST_LINE else _CUT)


def _read_line(
    text: bytes, known: dict[tuple[bytes, bytes], Labels], *, in_seconds: bool
) -> tuple[Labels, int, float, bytes | None]:
    match = _LINE.fullmatch(text)
    if match is None:
        raise ValueError(_NO_HISTOGRAMS if _NATIVE.fullmatch(text) else "this is no sample")
    name, braces, value, stamp, example = match.groups()
    if stamp is None:
        raise ValueError("the sample has no timestamp")
    labels = known.get((name or b"", braces or b""))
    if labels is None:
        if len(known) >= _KNOWN:
            known.clear()
        labels = known[name or b"", braces or b""] = _read_labels(name or b"", braces or b"")
    return labels, whole_ms(stamp, in_seconds=in_seconds), number(value), example


def _exemplar(text: bytes, ts_ms: int) -> RowExemplar:
    found = parse_exemplar(text)
    return RowExemplar(found.labels, found.value, ts_ms if found.ts_ms is None else found.ts_ms)


def _read_labels(name: bytes, braces: bytes) -> Labels:
    pairs, quoted = read_label_pairs(braces, is_strict=False) if braces else ({}, None)
    metric = name.decode() or quoted or pairs.get(METRIC_NAME, "")
    if not metric:
        raise ValueError("the sample has no metric name")
    return labels_of({**pairs, METRIC_NAME: metric})


def _hear(text: bytes, said: dict[str, dict[str, str]], *, in_seconds: bool) -> None:
    match = _SAID.fullmatch(text)
    if match is not None:
        word, name, rest = match[1], match[2], match[3] or b""
        family = said.setdefault(read_quoted(name) if name.startswith(b'"') else name.decode(), {})
        plain = rest.decode()
        family[word.decode().lower()] = read_help(rest, has_quote_escape=in_seconds) if word == b"HELP" else plain
        if len(said) > _KNOWN:
            said.clear()


def _metadata(labels: Labels, said: dict[str, dict[str, str]]) -> MetricMetadata | None:
    if not said:
        return None
    name = next(value for label, value in labels if label == METRIC_NAME)
    for family in (name, *(name.removesuffix(end) for end in ("_total", "_bucket", "_count", "_sum", "_info"))):
        words = said.get(family)
        if words is not None:
            kind = words.get("type", "unknown").replace("untyped", "unknown")
            return MetricMetadata(family, kind, words.get("help", ""), words.get("unit", ""))
    return None
