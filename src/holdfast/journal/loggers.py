"""The logger that programs hold: it has structlog's methods, and is safe to make before `configure` has been called.

While structlog is not configured by this room (not yet, or by `structlog.testing.capture_logs`), calls go to structlog.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, SupportsIndex, cast

import structlog
from structlog._config import _CONFIG as STRUCTLOG  # its processors tell whose configuration holds
from structlog.typing import FilteringBoundLogger as Logger

from holdfast.journal.holding import HELD, HOLDERS
from holdfast.journal.pipeline import Head, Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from holdfast.journal.rendering import Fields

__all__ = ["LIVE", "Logger", "get_logger", "joint_for"]

NONE_BOUND: Final[Mapping[str, Any]] = MappingProxyType({})


class Live:
    """The pipeline that holds now, and structlog's processor that leads into it.

    A call that writes nothing compares two names and is over: `mute_debug` and its like are structlog's processors
    while these are ours, the level is above, and nobody holds lines back; else nothing that structlog could have.
    """

    __slots__ = (
        *("_lock", "joint", "pipeline", "processors", "threshold"),
        *("mute_debug", "mute_error", "mute_info", "mute_warning"),
    )

    def __init__(self) -> None:
        self.joint: object = None
        self.pipeline: Pipeline | None = None
        self.threshold = 0
        self.processors: Joints | None = None
        self.mute_debug: object = self
        self.mute_info: object = self
        self.mute_warning: object = self
        self.mute_error: object = self
        self._lock = threading.RLock()  # reentrant: a buffer may be forgotten anywhere

    def begin(self, pipeline: Pipeline, processors: Joints) -> None:
        """Let a pipeline hold from now on."""
        self.joint, self.pipeline, self.threshold = processors[0], pipeline, pipeline.threshold
        self.processors = processors
        self.settle()

    def settle(self) -> None:
        """Find out which levels need not be looked at: after every change of what that hangs on."""
        with self._lock:
            ours = self.processors
            is_ours = ours is not None and bool(ours) and ours[0] is self.joint
            quiet: object = ours if is_ours and not HOLDERS else self
            self.mute_debug = quiet if self.threshold > 10 else self
            self.mute_info = quiet if self.threshold > 20 else self
            self.mute_warning = quiet if self.threshold > 30 else self
            self.mute_error = quiet if self.threshold > 40 else self

    def current(self) -> Pipeline | None:
        """Give the pipeline, unless somebody configured structlog otherwise since."""
        processors = cast("list[object]", STRUCTLOG.default_processors)
        return self.pipeline if processors and processors[0] is self.joint else None


LIVE: Final = Live()
HOLDERS.changed = LIVE.settle


class Joints(list[Any]):
    """Our list of structlog's processors; `structlog.testing.capture_logs` empties and fills it, and it notices."""

    def clear(self) -> None:
        """Take all out."""
        super().clear()
        LIVE.settle()

    def append(self, processor: Any) -> None:
        """Add one."""
        super().append(processor)
        LIVE.settle()

    def extend(self, processors: Iterable[Any]) -> None:
        """Add some."""
        super().extend(processors)
        LIVE.settle()

    def insert(self, place: SupportsIndex, processor: Any) -> None:
        """Put one in between."""
        super().insert(place, processor)
        LIVE.settle()

    def __setitem__(self, place: Any, processor: Any) -> None:
        """Put one in the place of another."""
        super().__setitem__(place, processor)
        LIVE.settle()

    def __delitem__(self, place: Any) -> None:
        """Take one out."""
        super().__delitem__(place)
        LIVE.settle()


class JournalLogger:
    """See `get_logger`; what a line carries always is made into text once per logger.

    An event is a first argument, and may be said by name as with structlog; the methods do not declare that it may,
    because comparing its name with those of all fields costs a tenth of a call that writes nothing.
    """

    __slots__ = ("_bound", "_head", "_of", "name")

    def __init__(self, name: str = "", bound: Mapping[str, Any] = NONE_BOUND) -> None:
        self.name = name
        self._bound = bound
        self._of: Pipeline | None = None
        self._head: Head | None = None

    def __repr__(self) -> str:
        """Show the name and what is bound."""
        return f"<logger {self.name!r} {dict(self._bound)}>"

    def _write(self, level: str, event: Any, args: tuple[Any, ...], fields: Fields) -> None:
        if event is None and "event" in fields:
            event = fields.pop("event")
        pipeline = LIVE.current()
        if pipeline is None:
            getattr(self._structlog(), level)(event, *args, **fields)
            return
        head = self._head
        if head is None or self._of is not pipeline:
            self._head = head = pipeline.head(self.name, self._bound)
            self._of = pipeline
        pipeline.write(level, _fill(event, args) if args else event, fields, head)

    def _structlog(self) -> Any:
        logger = structlog.get_logger(self.name) if self.name else structlog.get_logger()
        return logger.bind(**self._bound)

    def debug(self, event: Any = None, /, *args: Any, **fields: Any) -> None:
        """Log at debug level."""
        if STRUCTLOG.default_processors is LIVE.mute_debug:
            return
        if LIVE.threshold <= 10 or HELD.get() is not None or LIVE.current() is None:
            self._write("debug", event, args, fields)

    def info(self, event: Any = None, /, *args: Any, **fields: Any) -> None:
        """Log at info level."""
        if STRUCTLOG.default_processors is LIVE.mute_info:
            return
        if LIVE.threshold <= 20 or HELD.get() is not None or LIVE.current() is None:
            self._write("info", event, args, fields)

    def warning(self, event: Any = None, /, *args: Any, **fields: Any) -> None:
        """Log at warning level."""
        if STRUCTLOG.default_processors is LIVE.mute_warning:
            return
        if LIVE.threshold <= 30 or HELD.get() is not None or LIVE.current() is None:
            self._write("warning", event, args, fields)

    def error(self, event: Any = None, /, *args: Any, **fields: Any) -> None:
        """Log at error level."""
        if STRUCTLOG.default_processors is LIVE.mute_error:
            return
        if LIVE.threshold <= 40 or HELD.get() is not None or LIVE.current() is None:
            self._write("error", event, args, fields)

    def critical(self, event: Any = None, /, *args: Any, **fields: Any) -> None:
        """Log at critical level."""
        self._write("critical", event, args, fields)

    def exception(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Log at error level, with the error that is being handled."""
        fields.setdefault("exc_info", True)
        self.error(event, *args, **fields)

    def log(self, level: int, event: Any = None, *args: Any, **fields: Any) -> None:
        """Log at the level of a number."""
        _method_of(self, level)(event, *args, **fields)

    warn = warning
    err = error
    fatal = critical
    msg = info

    async def adebug(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Log at debug level; a call of the plain method costs less than a change of threads."""
        self.debug(event, *args, **fields)

    async def ainfo(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Log at info level."""
        self.info(event, *args, **fields)

    async def awarning(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Log at warning level."""
        self.warning(event, *args, **fields)

    async def aerror(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Log at error level."""
        self.error(event, *args, **fields)

    async def acritical(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Log at critical level."""
        self.critical(event, *args, **fields)

    async def aexception(self, event: Any = None, *args: Any, **fields: Any) -> None:
        """Log at error level, with the error that is being handled."""
        self.exception(event, *args, **fields)

    async def alog(self, level: int, event: Any = None, *args: Any, **fields: Any) -> None:
        """Log at the level of a number."""
        self.log(level, event, *args, **fields)

    awarn = awarning
    afatal = acritical
    amsg = ainfo

    def bind(self, **fields: Any) -> JournalLogger:
        """Make a logger whose lines carry these fields too."""
        return JournalLogger(self.name, {**self._bound, **fields})

    def unbind(self, *names: str) -> JournalLogger:
        """Make a logger without these fields; KeyError if one is not bound."""
        left = dict(self._bound)
        for name in names:
            del left[name]
        return JournalLogger(self.name, left)

    def try_unbind(self, *names: str) -> JournalLogger:
        """Make a logger without these fields, bound or not."""
        return JournalLogger(self.name, {name: value for name, value in self._bound.items() if name not in names})

    def new(self, **fields: Any) -> JournalLogger:
        """Make a logger of this name that carries these fields only."""
        return JournalLogger(self.name, fields)

    @property
    def _context(self) -> Mapping[str, Any]:
        """What is bound, where structlog's own functions look for it."""
        return self._bound

    def is_enabled_for(self, level: int) -> bool:
        """Tell whether a line of a level is written."""
        return LIVE.pipeline is None or LIVE.pipeline.wants(level)

    def get_effective_level(self) -> int:
        """Give the least level that is written."""
        return 0 if LIVE.pipeline is None else LIVE.pipeline.threshold


def get_logger(name: str = "") -> Logger:
    """Make a logger, to be used as `log.info("order_placed", order_id=7)`.

    Args:
        name: Where the lines come from, usually `__name__`, shown as `logger`; none when empty.

    It may stand at the top of a module: what `configure` says later holds for it too.
    """
    return cast("Logger", JournalLogger(name))


def joint_for(pipeline: Pipeline) -> Callable[[Any, str, MutableMapping[str, Any]], MutableMapping[str, Any]]:
    """Make the processor of structlog that writes the lines of structlog's own loggers through the pipeline."""

    def join(writer: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        fields = dict(event)
        text = fields.pop("event", "")
        pipeline.write(level, text, fields, pipeline.head(getattr(writer, "name", ""), NONE_BOUND))
        raise structlog.DropEvent

    return join


def _fill(event: Any, args: tuple[Any, ...]) -> Any:
    """Put positional arguments into an event, as structlog and `logging` do; what does not fit stands behind it."""
    values = args[0] if len(args) == 1 and isinstance(args[0], dict) and args[0] else args
    try:
        return event % values
    except (TypeError, ValueError, KeyError):
        return f"{event} {args!r}"


def _method_of(logger: JournalLogger, level: int) -> Callable[..., None]:
    if level >= 50:
        return logger.critical
    if level >= 40:
        return logger.error
    if level >= 30:
        return logger.warning
    return logger.info if level >= 20 else logger.debug
