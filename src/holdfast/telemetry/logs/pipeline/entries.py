"""One line on its way through the stages of a query: its text, and its labels by where they come from.

Each name has one label: a field of structured metadata whose name the stream has gets the suffix `_extracted`, and so
does what a parser finds under a name that the stream or the metadata has. Where both end at one name, the parsed label
stays. Source: Loki's documentation of LogQL, and the upgrade notes of its version 3.7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

ERROR: Final = "__error__"
DETAILS: Final = "__error_details__"
SUFFIX: Final = "_extracted"
JSON_ERROR: Final = "JSONParserErr"
_NONE: Final[Mapping[str, str]] = {}


class Entry:
    """A line with its labels; stages change it in place."""

    __slots__ = ("details", "error", "formatted", "gone", "line", "metadata", "parsed", "stream", "ts_ns")

    def __init__(self, ts_ns: int, line: str, stream: Mapping[str, str], metadata: Mapping[str, str] = _NONE) -> None:
        self.ts_ns = ts_ns
        self.line = line
        self.stream = stream
        self.metadata = metadata if stream.keys().isdisjoint(metadata) else _apart(metadata, stream)
        self.parsed: dict[str, str] = {}
        self.formatted: set[str] = set()
        self.gone: set[str] = set()
        self.error = ""
        self.details = ""

    def find(self, name: str) -> str | None:
        """Give a label's value; None if there is none."""
        value = self.parsed.get(name)
        if value is not None:
            return value
        if name == ERROR:
            return self.error or None
        if name == DETAILS:
            return self.details or None
        if name in self.gone:
            return None
        value = self.metadata.get(name)
        return self.stream.get(name) if value is None else value

    def get(self, name: str) -> str:
        """Give a label's value; empty if there is none."""
        return self.find(name) or ""

    def put(self, name: str, value: str) -> None:
        """Set a label that a stage has made."""
        self.parsed[name] = value
        self.formatted.add(name)

    def rename(self, source: str, name: str) -> None:
        """Give a label another name, if there is one; then a stage has made it. Errors keep their names."""
        value = None if source in {ERROR, DETAILS} else self.find(source)
        if value is None:
            return
        self.put(name, value)
        if source != name:
            self.drop(source)

    def put_parsed(self, name: str, value: str) -> None:
        """Set a label that was found in the line; it hides none that the line came with, and no value found before."""
        name = name + SUFFIX if self.came_with(name) else name
        if name and (name not in self.parsed or name in self.formatted):
            self.parsed[name] = value

    def came_with(self, name: str) -> bool:
        """Tell whether a label is the stream's, dropped or not, or structured metadata that is still there."""
        if name in self.stream:
            return True
        return name in self.metadata and name not in self.gone and name not in self.parsed

    def extract(self, found: Mapping[str, str]) -> None:
        """Set labels that were found in the line."""
        is_free = self.stream.keys().isdisjoint(found) and self.metadata.keys().isdisjoint(found)
        if is_free and not self.parsed and "" not in found:
            self.parsed.update(found)
            return
        for name, value in found.items():
            self.put_parsed(name, value)

    def drop(self, name: str) -> None:
        """Remove a label, wherever it comes from."""
        self.parsed.pop(name, None)
        if name == ERROR:
            self.error = ""
        elif name == DETAILS:
            self.details = ""
        else:
            self.gone.add(name)

    def fail(self, error: str, details: str) -> None:
        """Note that a stage could not do its work; the line goes on."""
        self.error, self.details = error, details

    def labels(self) -> dict[str, str]:
        """Give all labels there are now."""
        if not (self.metadata or self.parsed or self.gone or self.error):
            return dict(self.stream)
        merged = {**self.stream, **self.metadata}
        for name in self.gone:
            merged.pop(name, None)
        merged |= self.parsed
        return merged | self._errors()

    def _errors(self) -> dict[str, str]:
        """Give the error as labels; details without an error, which was dropped, are none."""
        if not self.error:
            return {}
        return {ERROR: self.error, DETAILS: self.details} if self.details else {ERROR: self.error}

    def by_origin(self) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
        """Give the labels of the stream, of structured metadata, and those that stages have made, apart."""
        parsed = self.parsed | self._errors()
        hidden = self.gone | parsed.keys()
        metadata = {name: value for name, value in self.metadata.items() if name not in hidden}
        hidden = hidden | metadata.keys()
        stream = {name: value for name, value in self.stream.items() if name not in hidden}
        return stream, metadata, parsed


def _apart(metadata: Mapping[str, str], stream: Mapping[str, str]) -> dict[str, str]:
    return {name + SUFFIX if name in stream else name: value for name, value in metadata.items()}


Step = Callable[[Entry], bool]  # changes an entry; tells whether its line stays
