"""Sends a function call to another process as JSON, and makes its answer a result or an error here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic_core import PydanticSerializationError, to_jsonable_python

from holdfast.kernel.runs.places.errors import StepDiedError, StepPlaceError, StepRaisedError
from holdfast.kernel.runs.places.ports import Command, Work
from holdfast.kernel.runs.places.references import name_function
from holdfast.kernel.units import format_size

CALLEE: Final = Path(__file__).with_name("callee.py")


def spell_request(work: Work, *, is_near: bool) -> bytes:
    """Give the request that `callee` reads; one who is near gets our import path too.

    Raises:
        StepPlaceError: the function cannot be imported elsewhere, or an argument is no JSON.
    """
    assert not isinstance(work.todo, Command)
    function = name_function(work.todo, work.name)
    foreign = sorted(work.named.keys() - {"step"})
    if foreign:
        raise StepPlaceError(
            f"step {work.name}: its function takes {foreign[0]}, which stays in this process",
            hint="leave that parameter out, or use place='thread'",
        )
    try:
        args = to_jsonable_python(list(work.args))
    except PydanticSerializationError as error:
        raise StepPlaceError(
            f"step {work.name}: its arguments cannot go to another process: {error}",
            hint="give plain data, dataclasses or pydantic models",
        ) from None
    return orjson.dumps(
        {
            "module": function.module,
            "name": function.name,
            "main": function.main,
            "path": sys.path if is_near else [],
            "args": args,
            "takes_step": "step" in work.named,
            "step": {
                "key": work.name,
                "idempotency_key": work.idempotency_key,
                "attempt": work.attempt,
                "run_id": work.run_id,
                "is_dry_run": bool(getattr(work.named.get("step"), "is_dry_run", False)),
            },
        }
    )


class Answers:
    """Takes the lines of the answer: lines for the log as they come, the result at the end."""

    def __init__(self, work: Work, max_bytes: int) -> None:
        self._work = work
        self._max_bytes = max_bytes
        self._rest = bytearray()
        self._final: dict[str, Any] | None = None

    @property
    def is_complete(self) -> bool:
        """Tell whether the call has ended, well or not."""
        return self._final is not None

    def feed(self, data: bytes) -> None:
        """Take some bytes of the answer."""
        self._rest += data
        while (end := self._rest.find(b"\n")) >= 0:
            line = bytes(self._rest[:end])
            del self._rest[: end + 1]
            self.take(line)
        if len(self._rest) > self._max_bytes:
            raise StepPlaceError(
                f"step {self._work.name}: the result is larger than {format_size(self._max_bytes)}",
                hint="write it to a blob or a file, and return where it is",
            )

    def take(self, line: bytes | str) -> None:
        """Take one whole line."""
        message = orjson.loads(line)
        if "log" in message:
            self._work.write("log", message["log"], message["fields"])
        else:
            self._final = message

    def settle(self, ending: str) -> Any:
        """Give the result, or raise what the code raised.

        Args:
            ending: how the process ended, for one that gave no answer.
        """
        if self._final is None:
            raise StepDiedError(f"step {self._work.name}: its process {ending} before it gave a result")
        if "error" in self._final:
            raise make_error(self._final["error"])
        return self._final["result"]


def make_error(told: dict[str, Any]) -> BaseException:
    """Give an error of the type that was raised elsewhere, with the traceback of there as a note."""
    error = _rebuild(told) or StepRaisedError(f"{told['name']}: {told['message']}")
    error.add_note(f"In the step's own process:\n\n{told['trace']}")
    return error


def _rebuild(told: dict[str, Any]) -> Exception | None:
    kind: Any = sys.modules.get(told["module"])
    for part in told["name"].split("."):
        kind = getattr(kind, part, None)
    if not isinstance(kind, type) or not issubclass(kind, Exception):
        return None
    try:
        return kind(*told["args"])
    except (TypeError, ValueError, AttributeError, LookupError):
        return None
