"""Attributes of OpenTelemetry as structured metadata: maps are flattened by `_`, names get the form of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from holdfast.telemetry.logs.otlp.wire import name_end, usual_values
from holdfast.telemetry.metrics.otlp import LabelStyle, label_name, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

    from holdfast.telemetry.logs.otlp.wire import Parts

_STYLE: Final = LabelStyle()
_MOST_NAMES: Final = 50_000
_MOST_NESTED: Final = 16
_MANY: Final = 100  # attributes that are better read together
_SAMPLED: Final = 100  # attributes that tell whether the rest repeat


class Names:
    """Names of attributes in the form of labels, each worked out once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, key: str) -> str:
        """Give the label's name."""
        name = self._known.get(key)
        if name is None:
            if len(self._known) >= _MOST_NAMES:
                self._known.clear()
            name = self._known[key] = label_name(key, _STYLE)
        return name

    def pairs(
        self, attributes: Iterable[KeyValue], dropped: frozenset[str] = frozenset(), depth: int = 0
    ) -> Iterator[tuple[str, str]]:
        """Give names and texts, of maps those inside."""
        for each in attributes:
            if each.key in dropped:
                continue
            value = each.value
            text = value.string_value
            if text:
                yield self(each.key), text
            elif value.WhichOneof("value") == "kvlist_value" and depth < _MOST_NESTED:
                name = self(each.key)
                for inner, said in self.pairs(value.kvlist_value.values, depth=depth + 1):
                    yield f"{name}_{inner}", said
            else:
                yield self(each.key), to_text(value)


class PairCodes:
    """The attributes of one request by their bytes: what repeats is read once, and each pair is a number from then on.

    Attributes:
        names, texts: of the pair of each number.
        several: the numbers of what is not exactly one pair: of a map many, of what is dropped none.
    """

    def __init__(self, names: Names, parts: Parts, dropped: frozenset[str]) -> None:
        self.parts = parts
        self.names: list[str] = []
        self.texts: list[str] = []
        self.several: dict[bytes, list[int]] = {}
        self._name_of = names
        self._dropped = dropped
        self._codes: dict[bytes, int] = {}
        self._fields: dict[tuple[str, str], int] = {}
        self._beginnings: dict[bytes, str] = {}  # names of attributes that are kept, by how their bytes begin

    def of(self, contents: list[bytes]) -> list[int]:
        """Give the number of each attribute, below 0 for `several`.

        Raises:
            InvalidError: one is none.
        """
        if len(contents) > _MANY and 2 * len(set(contents[:_SAMPLED])) > _SAMPLED:
            return self._append(contents)  # to look for equal ones would cost more
        codes = self._codes
        fresh = [content for content in dict.fromkeys(contents) if content not in codes]
        if fresh:
            codes.update(zip(fresh, self._append(fresh), strict=True))
        return list(map(codes.__getitem__, contents))

    def of_field(self, name: str, text: str) -> int:
        """Give the number of a pair that is not sent as an attribute."""
        code = self._fields.get((name, text))
        if code is None:
            code = self._fields[name, text] = self._add(name, text)
        return code

    def _add(self, name: str, text: str) -> int:
        self.names.append(name)
        self.texts.append(text)
        return len(self.names) - 1

    def _append(self, contents: list[bytes]) -> list[int]:
        names, texts = self._usual(contents) if len(contents) > _MANY else ([None] * len(contents),) * 2
        rest: dict[int, list[tuple[str, str]]] = {}
        if None in texts or not all(names):
            unusual = [place for place, pair in enumerate(zip(names, texts, strict=True)) if None in pair]
            rest = {place: self._pairs(contents[place]) for place in unusual}
            names, texts = list(names), list(texts)
            for place, pairs in rest.items():
                names[place], texts[place] = pairs[0] if pairs else ("", "")
        codes = list(range(len(self.names), len(self.names) + len(contents)))
        self.names += cast("list[str]", names)
        self.texts += cast("list[str]", texts)
        for place, pairs in rest.items():
            if len(pairs) != 1:
                codes[place] = -1
                self.several[contents[place]] = [self._add(*pair) for pair in pairs]
        return codes

    def _usual(self, contents: list[bytes]) -> tuple[list[str | None], list[str | None]]:
        """Give names and texts where both are usual, None for others."""
        ends, texts = usual_values(contents)
        beginnings = [content[:end] for content, end in zip(contents, ends, strict=True)]
        names = list(map(self._beginnings.get, beginnings))
        if not all(names):
            for beginning, content in dict(zip(beginnings, contents, strict=True)).items():
                if beginning not in self._beginnings:
                    self._learn_name(beginning, content)
            names = list(map(self._beginnings.get, beginnings))
        return names, texts

    def _learn_name(self, beginning: bytes, content: bytes) -> None:
        key = self.parts.pair(content).key
        if key not in self._dropped and name_end(content, key) == len(beginning):
            self._beginnings[beginning] = self._name_of(key)

    def _pairs(self, content: bytes) -> list[tuple[str, str]]:
        message = self.parts.pair(content)
        key, value = message.key, message.value
        text = value.string_value or str(value.int_value or "")
        if text and key not in self._dropped:
            return [(self._name_of(key), text)]
        return list(self._name_of.pairs((message,), self._dropped))
