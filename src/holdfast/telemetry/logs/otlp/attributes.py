"""Attributes of OpenTelemetry as structured metadata: maps are flattened by `_`, names get the form of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.otlp import LabelStyle, label_name, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

_STYLE: Final = LabelStyle()
_MOST_NAMES: Final = 50_000
_MOST_NESTED: Final = 16


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

    def extend(
        self, attributes: Iterable[KeyValue], dropped: frozenset[str], keys: list[str], values: list[str]
    ) -> None:
        """Append names and texts; the same as `pairs`, without a call for each that is plain text."""
        known = self._known
        for each in attributes:
            key, value = each.key, each.value
            text = value.string_value or _number(value)
            if text and key in known and key not in dropped:
                keys.append(known[key])
                values.append(text)
                continue
            for name, said in self.pairs((each,), dropped):
                keys.append(name)
                values.append(said)

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


def _number(value: AnyValue) -> str:
    number = value.int_value
    return str(number) if number else ""
