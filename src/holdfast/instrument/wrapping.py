"""Puts something around a method of one object, more than once if need be; each end takes out its own, in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Method = Callable[..., Any]


class _Wrapped:
    """Stands in a method's place; when it has ended it lets calls pass, for others may stand around it."""

    __slots__ = ("before", "call", "has_ended")

    def __init__(self, before: Any, call: Method) -> None:
        self.before = before
        self.call = call
        self.has_ended = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(*args, **kwargs)


def wrap_method(target: Any, name: str, watched: Callable[[Method], Method]) -> Callable[[], None]:
    """Let calls of `target.name` pass through what `watched` makes of it; give the function that ends it."""
    method = getattr(target, name)
    wrapped = _Wrapped(vars(target).get(name), watched(method))
    setattr(target, name, wrapped)

    def stop() -> None:
        wrapped.has_ended, wrapped.call = True, method
        while isinstance(top := vars(target).get(name), _Wrapped) and top.has_ended:
            if top.before is None:
                delattr(target, name)
            else:
                setattr(target, name, top.before)

    return stop
