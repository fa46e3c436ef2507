"""How pages of `/prometheus/federate` tell a series' labels: with external ones, in letters that the scraper takes.

Series with the same label names are told alike, so that how is found once for all of them.
Source: Prometheus 3, web/federate.go, and prometheus/common, model (EscapeName).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.telemetry.metrics.labels import METRIC_NAME

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.labels import Labels

_PLAIN: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_PLAIN_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ODD: Final = re.compile(r"^[^a-zA-Z_:]|[^a-zA-Z0-9_:]")
_ODD_LABEL: Final = re.compile(r"^[^a-zA-Z_]|[^a-zA-Z0-9_]")
_SPECIAL: Final = re.compile(r'[\\"\n]')
_QUOTED: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class _Shape(NamedTuple):
    """What series with these label names tell."""

    template: str  # of the text, with a place for each value of their own
    own: Callable[[tuple[str, ...]], tuple[str, ...]]  # takes these out of the values of a series
    pairs: tuple[tuple[str, int, str], ...]  # name as told, place of the value or -1, the value if it is everyone's


class LabelTeller:
    """Tells the labels of one page's series.

    Series get the external labels that they do not have, and an empty `instance`: a scraper with `honor_labels` keeps
    it so.
    """

    def __init__(self, external: Mapping[str, str], *, keeps_names: bool) -> None:
        self._around = {"instance": "", **external}
        self._keeps_names = keeps_names
        self._shapes: dict[tuple[str, ...], _Shape] = {}

    def name(self, metric: str) -> str:
        """Give a metric's name as it is told."""
        return metric if self._keeps_names else _ODD.sub("_", metric)

    def text(self, labels: Labels) -> tuple[str, str]:
        """Give a text to sort by, and all but the metric's name as text, `job="a",zone="b"`."""
        flat = tuple(chain.from_iterable(labels))
        shape = self._shape_of(flat[::2])
        own = shape.own(flat[1::2])
        whole = "\0".join(flat)
        return whole, shape.template % (own if _SPECIAL.search(whole) is None else tuple(map(_escaped, own)))

    def pairs(self, labels: Labels) -> Iterator[tuple[str, str]]:
        """Give all but the metric's name, by name."""
        for name, place, value in self._shape_of(tuple([name for name, _ in labels])).pairs:
            yield name, value if place < 0 else labels[place][1]

    def _shape_of(self, names: tuple[str, ...]) -> _Shape:
        shape = self._shapes.get(names)
        if shape is None:
            shape = self._shapes[names] = self._shape(names)
        return shape

    def _shape(self, names: tuple[str, ...]) -> _Shape:
        places = dict.fromkeys(self._around, -1) | {name: place for place, name in enumerate(names)}
        places.pop(METRIC_NAME, None)
        told = self._told(places)
        pairs = tuple((name, places[told[name]], self._around.get(told[name], "")) for name in sorted(told))
        template = ",".join(
            f"{_as_name(name)}=".replace("%", "%%") + (f'"{_fixed(value)}"' if place < 0 else '"%s"')
            for name, place, value in pairs
        )
        return _Shape(template, _taker([place for _, place, _ in pairs if place >= 0]), pairs)

    def _told(self, names: Mapping[str, int]) -> dict[str, str]:
        """Give the names by how they are told; of two that are told alike, the one that is called so."""
        plain = {name: name for name in names if self._keeps_names or _PLAIN_LABEL.fullmatch(name)}
        return {_ODD_LABEL.sub("_", name): name for name in names if name not in plain} | plain


def _taker(places: list[int]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    if len(places) > 1:
        return itemgetter(*places)  # in a third of the time that a comprehension takes
    return lambda values: tuple([values[place] for place in places])


def quoted_unless_plain(metric: str) -> tuple[str, bool]:
    """Give a metric's name as a page has it, and whether it can stand before the braces."""
    is_plain = _PLAIN.fullmatch(metric) is not None
    return metric if is_plain else f'"{_escaped(metric)}"', is_plain


def _as_name(label: str) -> str:
    return label if _PLAIN_LABEL.fullmatch(label) else f'"{_escaped(label)}"'


def _fixed(value: str) -> str:
    return _escaped(value).replace("%", "%%")


def _escaped(text: str) -> str:
    return text.translate(_QUOTED) if _SPECIAL.search(text) else text
