"""One request on its way to columns: whose series are written now, and which reference each of them has.

`points` adds the points of each kind of metric.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.crowds import refuse_crowded_attributes
from holdfast.telemetry.ledger import service_of
from holdfast.telemetry.metrics.arrivals import MetricMetadata
from holdfast.telemetry.metrics.intake import Columns, LabelLimits, Memory
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, labels_of
from holdfast.telemetry.metrics.otlp.attributes import to_labels
from holdfast.telemetry.metrics.otlp.deltas import DeltaChange, FullError, LateError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable
    from typing import Any, TypeVar

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.metrics.v1.metrics_pb2 import Exemplar

    from holdfast.telemetry.metrics.arrivals import SeriesBook
    from holdfast.telemetry.metrics.otlp.options import OtlpOptions

    Value = TypeVar("Value")

NS_PER_MS: Final = 1_000_000
_MOST_EXEMPLAR_LETTERS: Final = 128  # of names and values together; OpenMetrics 1.0, "Exemplars"


@dataclass(slots=True)
class Sender:
    """The resource and scope whose metrics are read now.

    `number` stands for them in keys of references, as long as the memory lives; `mark` for good. `labels` take the
    place of a point's own, `promoted` do not.
    """

    number: int
    mark: bytes
    labels: dict[str, str]
    promoted: dict[str, str]
    name: str

    @property
    def service(self) -> str:
        """Give whose points these are."""
        return service_of(tuple((self.promoted | self.labels).items()))


@dataclass(slots=True)
class Conversion:
    """What all points of a request share.

    Attributes:
        book: where references come from.
        memory: references by what stands for labels.
        options: how names are made, and what of them.
        limits: of labels.
        deltas: sums of delta streams.
        columns: what was converted so far.
    """

    book: SeriesBook
    memory: Memory
    options: OtlpOptions
    limits: LabelLimits
    deltas: DeltaChange
    columns: Columns = field(default_factory=Columns)
    sender: Sender = field(default_factory=lambda: Sender(0, b"", {}, {}, ""))

    def ref(self, name: str, attributes: Collection[KeyValue], more: tuple[str, str] = ("", "")) -> int:
        """Give the reference of a series of the current sender.

        Args:
            name: of the metric.
            attributes: of the point.
            more: one label that the kind of metric adds, such as `("le", "0.5")`.

        Raises:
            TooLargeError: there are more attributes than anybody means to send.
        """
        refuse_crowded_attributes(attributes)
        key = (self.sender.number, name, more, key_of(attributes))
        ref = self.memory.refs.get(key)
        if ref is None:
            own = to_labels(attributes, self.options.label_style)
            labels = self.sender.promoted | own | self.sender.labels | {METRIC_NAME: name, more[0]: more[1]}
            ref = self.enter(labels_of(labels), self.sender.name)
            if ref >= 0:  # what is kept out would crowd out what is known
                self.memory.refs[key] = ref
        return ref

    def enter(self, labels: Labels, sender: str) -> int:
        """Give the reference of a label set; below 0 if it may not enter."""
        return self.columns.enter(self.book, labels, self.limits, sender)

    def refuse(self, reason: str, count: int, message: str) -> None:
        """Refuse points of the current sender."""
        self.columns.refusals.add(reason, count, message, self.sender.service)

    def total(
        self, stream: Hashable, point: Any, value: Value, add: Callable[[Value, Value], Value]
    ) -> tuple[Value, int] | None:
        """Add a delta point to its stream; give the sum and since when it counts (ns), None if it was refused."""
        interval = (point.start_time_unix_nano, point.time_unix_nano)
        try:
            total = self.deltas.add((self.sender.mark, stream, key_of(point.attributes)), interval, value, add)
        except LateError:
            self.refuse("out_of_order", 1, "a delta point begins before the end of the last one")
        except FullError:
            self.refuse("delta_limit", 1, "more delta series than otlp_metrics.delta_streams")
        except ValueError as error:
            self.refuse("unsupported", 1, str(error))
        else:
            return total.value, total.start_ns
        return None

    def add_exemplars(self, ref: int, exemplars: Iterable[Exemplar]) -> None:
        """Add exemplars of one series."""
        for each in exemplars:
            value = float(each.as_int) if each.WhichOneof("value") == "as_int" else each.as_double
            self.columns.add_exemplar(ref, each.time_unix_nano // NS_PER_MS, value, self._exemplar_labels(each))

    def _exemplar_labels(self, exemplar: Exemplar) -> Labels:
        ids = {"trace_id": exemplar.trace_id, "span_id": exemplar.span_id}
        labels = {name: value.hex() for name, value in ids.items() if any(value)}  # one of zeros is none
        whole = to_labels(exemplar.filtered_attributes, self.options.label_style) | labels
        letters = sum(len(name) + len(text) for name, text in whole.items())
        return labels_of(whole if letters <= _MOST_EXEMPLAR_LETTERS else labels)

    def describe(self, said: MetricMetadata) -> None:
        """Say something about a family, unless it was said before."""
        if said not in self.memory.refs:
            self.columns.metadata[said.family] = said

    def commit(self) -> None:
        """Remember what the store has taken."""
        self.deltas.commit()
        self.memory.refs.update(dict.fromkeys(self.columns.metadata.values(), 0))


def key_of(attributes: Iterable[KeyValue]) -> bytes:
    """Give what stands for attributes in keys: their bytes, which cost less than their texts."""
    return b"".join([each.SerializeToString() for each in attributes])
