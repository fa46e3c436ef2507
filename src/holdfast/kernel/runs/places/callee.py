"""A program of its own that calls one function of a step: JSON in, JSON out. Needs nothing but the standard library.

Run by path beside us, or handed to `python -c` in a container; so it imports none of our modules.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import json
import os
import runpy
import sys
import traceback
import typing
from typing import Any

MARK = "\x1eholdfast-step "  # begins a line of the answer where there is only the output to carry it
_PLAIN: tuple[Any, ...] = (str, int, float, bool, dict, list, tuple, type(None), Any, object, inspect.Parameter.empty)


class Step:
    """What a function of a step may ask for by naming a parameter `step`."""

    def __init__(self, told: dict[str, Any], tell: Any) -> None:
        self.key: str = told["key"]
        self.idempotency_key: str = told["idempotency_key"]
        self.attempt: int = told["attempt"]
        self.run_id: str = told["run_id"]
        self.is_dry_run: bool = told["is_dry_run"]
        self._tell = tell

    def log(self, text: str, /, **fields: Any) -> None:
        """Write a line into the run's log."""
        self._tell({"log": str(text), "fields": json.loads(json.dumps(fields, default=str))})


def main(argv: list[str]) -> None:
    """Read the request, call the function, answer."""
    tell = functools.partial(_tell, argv[1])
    try:
        request = json.loads(argv[2] if len(argv) > 2 else sys.stdin.buffer.read())
        _settle_streams()
        if request["path"]:
            sys.path[:] = request["path"]
        answer = {"result": _call(request, tell)}
        text = json.dumps(answer, default=_encode, allow_nan=False)
    except BaseException as error:  # noqa: BLE001 - the fence of a job: it is told to the one who asked
        text = json.dumps({"error": _describe(error)})
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    tell(text)


def _tell(target: str, message: dict[str, Any] | str) -> None:
    line = message if isinstance(message, str) else json.dumps(message)
    if target == "-":
        sys.stdout.write(f"{MARK}{line}\n")
        sys.stdout.flush()
        return
    rest = memoryview(f"{line}\n".encode())
    while rest:
        rest = rest[os.write(int(target), rest) :]


def _settle_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]  # never replaced
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


def _call(request: dict[str, Any], tell: Any) -> Any:
    function = _find(request)
    _hear_logging()
    named = {"step": Step(request["step"], tell)} if request["takes_step"] else {}
    result = function(*_decode(function, request["args"]), **named)
    if inspect.isawaitable(result):
        import asyncio  # noqa: PLC0415 - 40 ms that a plain function need not wait for

        result = asyncio.run(_await(result))
    return result


def _hear_logging() -> None:
    logging = sys.modules.get("logging")  # code that has not imported it writes nothing to it
    if logging is not None and not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")


async def _await(result: Any) -> Any:
    return await result


def _find(request: dict[str, Any]) -> Any:
    if request["main"]:
        found: Any = runpy.run_path(request["main"], run_name="__holdfast_step__")
        first, *rest = request["name"].split(".")
        found = found[first]
    else:
        found, rest = importlib.import_module(request["module"]), request["name"].split(".")
    for part in rest:
        found = getattr(found, part)
    return found


def _decode(function: Any, args: list[Any]) -> list[Any]:
    """Give each argument the type that the function says, as far as JSON has lost it."""
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError):  # names that exist for a type checker only
        return args
    names = [it.name for it in inspect.signature(function).parameters.values()][: len(args)]
    hinted = [hints.get(name, Any) for name in names] + [Any] * (len(args) - len(names))
    return [value if _is_plain(hint) else _shape(hint, value) for hint, value in zip(hinted, args, strict=True)]


def _is_plain(hint: Any) -> bool:
    return hint in _PLAIN or (
        typing.get_origin(hint) in {dict, list} and all(_is_plain(part) for part in typing.get_args(hint))
    )


def _shape(hint: Any, value: Any) -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415 - a function of plain types needs no pydantic

    return TypeAdapter(hint).validate_python(value)


def _encode(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {it.name: getattr(value, it.name) for it in dataclasses.fields(value)}
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return list(value)
    raise TypeError(f"the result holds a {type(value).__qualname__}, which is no JSON: return plain data")


def _describe(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    try:
        args = json.loads(json.dumps(error.args))
    except (TypeError, ValueError):
        args = [str(error)]
    return {
        "module": kind.__module__,
        "name": kind.__qualname__,
        "args": args,
        "message": str(error)[:4000],
        "trace": "".join(traceback.format_exception(error))[-16000:],
    }


if __name__ == "__main__":
    main(sys.argv)
