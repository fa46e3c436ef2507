"""The strict parser of OpenMetrics text 1.0: every MUST that a page can break is a fault with its line.

Source: the OpenMetrics specification 1.0 and its test vectors. UTF-8 names in quotes as Prometheus 3 writes them. What
holds between the samples of one family stands in `family_rules`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from holdfast.telemetry.metrics.exposition import lexis
from holdfast.telemetry.metrics.exposition.family_rules import SUFFIXES, FamilyRules
from holdfast.telemetry.metrics.exposition.page import (
    ExpositionError,
    Family,
    Page,
    PageExemplar,
    PageSample,
    fault,
    in_ms,
)

MAX_EXEMPLAR_CHARACTERS: Final = 128

_BODY: Final = rb" ([^ \n]++)(?: ([^ \n]++))?"
_LINE: Final = re.compile(
    rb"((" + lexis.NAME + rb")?+(" + lexis.BRACES + rb")?+)"
    + _BODY + rb"(?: # (" + lexis.BRACES + rb") ([^ \n]++)(?: ([^ \n]++))?)?"
)  # fmt: skip
_EXEMPLAR: Final = re.compile(rb" # (" + lexis.BRACES + rb") ([^ \n]++)(?: ([^ \n]++))?")
_METADATA: Final = re.compile(rb"# (HELP|TYPE|UNIT) (?:(" + lexis.NAME + rb")|(" + lexis.QUOTED + rb")) ([^\n]*)")
_TIME: Final = re.compile(rb"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")


def parse_openmetrics(page: bytes) -> Page:
    """Parse a page.

    Raises:
        ExpositionError: the page breaks the specification; the place names the line.
    """
    lines = page.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    if not lines or lines[-1] != b"# EOF":
        raise fault(len(lines), "the page does not end with '# EOF'")
    lines.pop()
    reader = _Reader()
    line = 0
    try:
        for line, text in enumerate(lines, start=1):
            reader.read(line, text)
        reader.finish()
    except ExpositionError as error:
        if error.place.line:
            raise
        raise fault(line, error.message) from None
    return Page(tuple(reader.families))


def parse_exemplar(text: bytes) -> PageExemplar:
    """Read ` # {labels} value [time]`, what follows a sample on its line; raises `ExpositionError`."""
    match = _EXEMPLAR.fullmatch(text)
    if match is None:
        raise ExpositionError("an exemplar is malformed")
    return _exemplar(*match.groups())


@dataclass(slots=True)
class _Open:
    """The family that is being read."""

    name: str
    said: dict[bytes, str] = field(default_factory=dict)
    rules: FamilyRules | None = None
    samples: list[PageSample] = field(default_factory=list)


class _Reader:
    def __init__(self) -> None:
        self.families: list[Family] = []
        self._names: set[str] = set()
        self._open: _Open | None = None

    def read(self, line: int, text: bytes) -> None:
        if text.startswith(b"#"):
            self._read_metadata(line, text)
        else:
            self._read_sample(line, text)

    def finish(self) -> None:
        opened, self._open = self._open, None
        if opened is None:
            return
        kind, unit = opened.said.get(b"TYPE", "unknown"), opened.said.get(b"UNIT", "")
        if unit and kind in {"info", "stateset"}:
            raise ExpositionError(f"{opened.name}: a {kind} has no unit")
        if unit and not opened.name.endswith(f"_{unit}"):
            raise ExpositionError(f"{opened.name}: the name does not end with its unit, {unit!r}")
        names = {opened.name + suffix for suffix in (*SUFFIXES[kind], "")}
        if names & self._names:
            raise ExpositionError(f"{opened.name}: the name was used before: {min(names & self._names)}")
        self._names |= names
        samples = opened.rules.finish() if opened.rules else ()
        self.families.append(Family(opened.name, kind, opened.said.get(b"HELP", ""), unit, samples))

    def _read_metadata(self, line: int, text: bytes) -> None:
        match = _METADATA.fullmatch(text)
        if match is None:
            raise fault(line, "a comment that is neither HELP, TYPE, UNIT nor the EOF at the end")
        word, plain, quoted, rest = match.groups()
        name = plain.decode() if plain is not None else lexis.unquoted(quoted)
        opened = self._open_family(name)
        if opened.rules is not None:
            raise fault(line, f"{word.decode()} of {name} stands after its samples")
        if word in opened.said:
            raise fault(line, f"a second {word.decode()} of {name}")
        said = lexis.help_text(rest, has_quote_escape=True) if word == b"HELP" else lexis.decode(rest)
        if word == b"TYPE" and said not in SUFFIXES:
            raise fault(line, f"{said!r} is not a type")
        opened.said[word] = said

    def _open_family(self, name: str) -> _Open:
        if self._open is not None and self._open.name == name:
            return self._open
        self.finish()
        self._open = _Open(name)
        return self._open

    def _read_sample(self, line: int, text: bytes) -> None:
        match = _LINE.fullmatch(text)
        if match is None:
            raise fault(line, "not a sample" if text else "an empty line")
        series, name, braces, value, time, *example = match.groups()
        labels, emptied = lexis.labels_of_series(name or b"", braces or b"{}", is_strict=True)
        _opened, rules = self._family_of(labels)
        sample = PageSample(
            series,
            labels,
            lexis.number(value),
            None if time is None else in_ms(_time(time)),
            _exemplar(*example) if example[0] is not None else None,
            line,
            emptied=emptied,
        )
        rules.take(sample, None if time is None else float(time))

    def _family_of(self, labels: tuple[tuple[str, str], ...]) -> tuple[_Open, FamilyRules]:
        name = next(value for label, value in labels if label == "__name__")
        opened = self._open
        if opened is None or name not in _names_of(opened):
            opened = self._open_family(name)
        if opened.rules is None:
            opened.rules = FamilyRules(opened.name, opened.said.get(b"TYPE", "unknown"))
        return opened, opened.rules


def _names_of(opened: _Open) -> set[str]:
    return {opened.name + suffix for suffix in SUFFIXES[opened.said.get(b"TYPE", "unknown")]}


def _time(raw: bytes) -> float:
    if _TIME.fullmatch(raw) is None:
        raise ExpositionError(f"{raw[:40].decode(errors='replace')!r} is not a timestamp")
    return float(raw)


def _exemplar(braces: bytes, value: bytes, time: bytes | None) -> PageExemplar:
    pairs, quoted = lexis.label_pairs(braces, is_strict=True)
    if quoted is not None:
        raise ExpositionError("an exemplar has a label without a value")
    if sum(len(name) + len(text) for name, text in pairs.items()) > MAX_EXEMPLAR_CHARACTERS:
        raise ExpositionError(f"an exemplar's labels have more than {MAX_EXEMPLAR_CHARACTERS} characters")
    return PageExemplar(tuple(sorted(pairs.items())), lexis.number(value), None if time is None else in_ms(_time(time)))
