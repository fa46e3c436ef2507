"""The parser of Prometheus' text format 0.0.4, as lenient as Prometheus: free spaces, comments, families in any order.

Source: the format's description, and Prometheus' lexer where the description is silent (a bad TYPE fails the page, a
comma more or less does not, nor does a line feed within quotes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.exposition import lexis
from holdfast.telemetry.metrics.exposition.bounds import canonical
from holdfast.telemetry.metrics.exposition.page import MAX_MS, ExpositionError, Family, Page, PageSample, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPES: Final = {
    "counter": "counter",
    "gauge": "gauge",
    "histogram": "histogram",
    "summary": "summary",
    "untyped": "unknown",
}
_SPLITTING: Final = {
    "histogram": frozenset({"_bucket", "_count", "_sum"}),
    "summary": frozenset({"_count", "_sum"}),
}
_SUFFIX: Final = re.compile(r"(.+)(_bucket|_count|_sum)")
_LINE: Final = re.compile(
    rb"[ \t]*+((" + lexis.NAME + rb")?+(?:[ \t]*+(" + lexis.BRACES + rb"))?+)[ \t]*+([^ \t{]++)"
    rb"(?:[ \t]++([^ \t]++))?[ \t]*+"
)  # fmt: skip
_SAID: Final = re.compile(rb"[ \t]*#[ \t]+(HELP|TYPE)[ \t]+(.*)", re.DOTALL)
_ABOUT: Final = re.compile(rb"(?:(" + lexis.NAME + rb")|(" + lexis.QUOTED + rb"))(?:[ \t](.*))?", re.DOTALL)
_ESCAPED: Final = re.compile(rb"\\.", re.DOTALL)
_TIME: Final = re.compile(rb"[-+]?\d+")


@dataclass(slots=True)
class _Open:
    type: str = "unknown"
    help: str = ""
    samples: list[PageSample] = field(default_factory=list)


def parse_text(page: bytes) -> Page:
    """Parse a page.

    Raises:
        ExpositionError: a line is not in the format; the place names it.
    """
    families: dict[str, _Open] = {}
    line = 0
    try:
        for line, text in _lines(page):
            stripped = text.lstrip(b" \t")
            if stripped.startswith(b"#"):
                _read_comment(text, families)
            elif stripped:
                sample = _read_sample(text, line)
                _family_of(sample, families).samples.append(sample)
    except ExpositionError as error:
        raise fault(line, error.message) from None
    return Page(tuple(_closed(name, found) for name, found in families.items()))


def _lines(page: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the lines with their numbers; a value between quotes may go on over several, as Prometheus reads it."""
    held: list[bytes] = []
    for line, text in enumerate(page.split(b"\n"), start=1):
        is_odd = _quotes(text) % 2 == 1 and (bool(held) or not text.lstrip(b" \t").startswith(b"#"))
        if not held and not is_odd:
            yield line, text
            continue
        held.append(text)
        if is_odd and len(held) > 1:
            yield line - len(held) + 1, b"\n".join(held)
            held = []
    if held:
        yield line - len(held) + 1, b"\n".join(held)


def _quotes(text: bytes) -> int:
    return (_ESCAPED.sub(b"", text) if b"\\" in text else text).count(b'"')


def _closed(name: str, found: _Open) -> Family:
    return Family(name, found.type, found.help, "", tuple(canonical(sample, found.type) for sample in found.samples))


def _read_comment(text: bytes, families: dict[str, _Open]) -> None:
    said = _SAID.fullmatch(text)
    if said is None:
        return
    about = _ABOUT.fullmatch(said[2])
    if about is None:
        raise ExpositionError(f"{said[1].decode()} of something that is no metric name")
    name = about[1].decode() if about[1] is not None else lexis.unquoted(about[2])
    family = families.setdefault(name, _Open())
    if said[1] == b"HELP":
        family.help = lexis.help_text(about[3] or b"", has_quote_escape=False)
        return
    word = lexis.decode(about[3] or b"")
    if word not in TYPES:
        raise ExpositionError(f"{word!r} is not a type")
    family.type = TYPES[word]


def _read_sample(text: bytes, line: int) -> PageSample:
    match = _LINE.fullmatch(text)
    if match is None:
        raise ExpositionError("not a sample")
    series, name, braces, value, time = match.groups()
    labels, empty = lexis.labels_of_series(name or b"", braces or b"{}", is_strict=False)
    if time is not None and _TIME.fullmatch(time) is None:
        raise ExpositionError(f"{time[:40].decode(errors='replace')!r} is not a timestamp in milliseconds")
    ts_ms = None if time is None else max(-int(MAX_MS), min(int(MAX_MS), int(time[:25])))
    return PageSample(series, labels, lexis.number(value), ts_ms, None, line, empty=empty)


def _family_of(sample: PageSample, families: dict[str, _Open]) -> _Open:
    name = next(value for label, value in sample.labels if label == "__name__")
    found = families.get(name)
    if found is None:
        split = _SUFFIX.fullmatch(name)
        whole = families.get(split[1]) if split else None
        if split and whole is not None and split[2] in _SPLITTING.get(whole.type, ()):
            return whole
        found = families[name] = _Open()
    return found
