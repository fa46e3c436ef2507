"""The way of a record: context, ids, redaction, shape, sinks. One for everything that a process logs.

A line of JSON is put together from texts that are made once (the logger's head, the bound context) and from the fields
of the call. Whatever is out of the ordinary (a name twice, a secret in sight) takes the careful way, which builds the
same line from a dict.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from structlog import contextvars as structlog_context

from holdfast.journal.context import CURRENT, NOTHING, OF_THE_HEAD, TRACESTATE, Context
from holdfast.journal.encoding import (
    LEADING_FIELDS,
    clean,
    encode_fields,
    encode_json,
    escape,
    field_name,
    looks_secret,
)
from holdfast.journal.holding import HELD, Held
from holdfast.journal.redaction import describe, redact
from holdfast.journal.rendering import Fields, Render, Stamp, describe_error
from holdfast.journal.sampling import Sampling
from holdfast.journal.spans import SDK, current_span_ids

LEVEL_NAMES: Final = {"warn": "warning", "exception": "error", "fatal": "critical", "msg": "info", "notset": "info"}
MOST_HEADS: Final = 1000
LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
# structlog.contextvars keeps its variables here: empty as long as nobody binds any, which costs one look.
_STRUCTLOG_VARIABLES: Final[Mapping[str, Any]] = getattr(structlog_context, "_CONTEXT_VARS", {"unknown": None})

Take = Callable[[str], None]


class Head:
    """What every line of one logger carries: the service, its name, what was bound to it."""

    __slots__ = ("bound", "fields", "is_plain", "text")

    def __init__(self, service: str, name: str, bound: Mapping[str, Any]) -> None:
        self.fields = {key: value for key, value in (("service", service), ("logger", name)) if value}
        self.bound = bound
        self.is_plain = OF_THE_HEAD.isdisjoint(bound)
        self.text = encode_fields({**self.fields, **bound}, is_careful=True)


class Pipeline:
    """Takes records to their sinks.

    `failed` counts records that could not be rendered, which a line tells instead; `sampled_out` those that sampling
    left out.
    """

    def __init__(
        self, service: str, threshold: int, json_sinks: Sequence[Take], sampling: Sampling | None = None
    ) -> None:
        self.service = service
        self.threshold = threshold
        self.failed = 0
        self.sampled_out = 0
        self._sampling = sampling
        self._json_sinks = tuple(json_sinks)
        self._shaped_sinks: tuple[tuple[Render, Take], ...] = ()
        self._stamp = Stamp()
        self._heads: dict[str, Head] = {}

    def add_shaped_sink(self, render: Render, take: Take) -> None:
        """Send lines of another shape than JSON to a sink."""
        self._shaped_sinks = (*self._shaped_sinks, (render, take))

    def head(self, name: str, bound: Mapping[str, Any]) -> Head:
        """Give the head of a logger's lines; those of plain names are kept, as `logging` asks with each record."""
        if bound:
            return Head(self.service, name, bound)
        found = self._heads.get(name)
        if found is None:
            found = Head(self.service, name, bound)
            if len(self._heads) < MOST_HEADS:
                self._heads[name] = found
        return found

    def wants(self, level: int) -> bool:
        """Tell whether a record of such a level can go anywhere; the buffer of a request takes any."""
        return level >= self.threshold or HELD.get() is not None

    def write(self, level: str, event: Any, own: Fields, head: Head) -> None:
        """Write one record; nothing that it holds can make this raise."""
        level = LEVEL_NAMES.get(level, level)
        try:
            self._write(level, event, own, head)
        except Exception as error:  # noqa: BLE001 -- fence: plugin, values of the program's own classes
            self.failed += 1
            told = {"journal.error": f"{type(error).__name__}: {describe(error)}", "fields": sorted(map(describe, own))}
            self._deliver(level, describe(event), told, head, NOTHING, None)

    def _write(self, level: str, event: Any, own: Fields, head: Head) -> None:
        if "exc_info" in own:
            own |= describe_error(own.pop("exc_info"))
        context = CURRENT.get()
        if _STRUCTLOG_VARIABLES and (others := structlog_context.get_contextvars()):
            context = Context({**others, **context.fields})
        text = event if type(event) is str else describe("" if event is None else event)
        held = HELD.get()
        if held is None and self._sampling is None:
            self._deliver(level, text, own, head, context, None)
            return
        number = LEVELS.get(level, self.threshold)
        if held is not None and number >= held.releasing:
            held.release()
        is_kept = (held is not None and held.is_released) or (
            number >= self.threshold
            and (self._sampling is None or self._sampling.admits(number, text, own, context.fields))
        )
        if is_kept or held is not None:
            self._deliver(level, text, own, head, context, None if is_kept else held)
        else:
            self.sampled_out += 1

    def _deliver(self, level: str, event: str, own: Fields, head: Head, context: Context, held: Held | None) -> None:
        if self._shaped_sinks:
            fields = self._gather(level, event, own, head, context)
            for render, take in self._shaped_sinks:
                line = clean(render(dict(fields)))
                take(line) if held is None else held.keep(take, line)
        if self._json_sinks:
            line = self._json_line(level, event, own, head, context)
            for take in self._json_sinks:
                take(line) if held is None else held.keep(take, line)

    def _json_line(self, level: str, event: str, own: Fields, head: Head, context: Context) -> str:
        is_plain = head.is_plain and context.is_plain and (not own or OF_THE_HEAD.isdisjoint(own))
        if is_plain and context is not NOTHING:
            is_plain = context.fields.keys().isdisjoint(own) and context.fields.keys().isdisjoint(head.bound)
        if is_plain and (not head.bound or head.bound.keys().isdisjoint(own)):
            tail = encode_fields(own) if own else ""
            if not looks_secret(tail) and not looks_secret(event):
                if SDK in sys.modules and (ids := current_span_ids()):
                    tail = f'{tail},"trace_id":"{ids[0]}","span_id":"{ids[1]}"'
                line = (
                    f'{{"timestamp":"{self._stamp.now()}","level":"{level}","event":{escape(event)}'
                    f"{head.text}{context.text}{tail}}}"
                )
                return line if line.isascii() else clean(line)
        return clean(encode_json(self._gather(level, event, own, head, context)))

    def _gather(self, level: str, event: str, own: Fields, head: Head, context: Context) -> Fields:
        """Put a record together as redacted fields in the order of a line; nearer fields win."""
        gathered: Fields = {"timestamp": self._stamp.now(), "level": level, "event": redact(event)}
        fields = {**head.fields, **context.fields}
        fields.pop(TRACESTATE, None)
        if ids := current_span_ids():
            fields["trace_id"], fields["span_id"] = ids
        for name, value in {**fields, **head.bound, **own}.items():
            text = describe(name)  # `extra` of `logging` may have names of any kind
            gathered[field_name(text)] = redact(value, name=text)
        return gathered


__all__ = ["LEADING_FIELDS", "Head", "Pipeline", "Take"]
