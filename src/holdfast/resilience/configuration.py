"""Makes a policy of plain settings, as a YAML or TOML file or the environment may hold them. Strict.

What may be set is what the constructors take and a file can say: their signatures are the only schema. Functions,
clocks and stores are given in code.
"""

from __future__ import annotations

import builtins
import difflib
import inspect
import math
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from holdfast.resilience.adaptive import adaptive_limit
from holdfast.resilience.breakers import breaker
from holdfast.resilience.budgets import RetryBudget
from holdfast.resilience.bulkheads import bulkhead
from holdfast.resilience.caches import cache
from holdfast.resilience.clocks import Clock
from holdfast.resilience.fallbacks import fallback
from holdfast.resilience.hedging import hedge
from holdfast.resilience.policies import RECOMMENDED_ORDER, Composed, Policy
from holdfast.resilience.rates import rate_limit
from holdfast.resilience.retries import retry
from holdfast.resilience.shedding import shed
from holdfast.resilience.timeouts import deadline, timeout

CONSTRUCTORS: Final[Mapping[str, Callable[..., Policy]]] = {
    "adaptive_limit": adaptive_limit,
    "breaker": breaker,
    "bulkhead": bulkhead,
    "cache": cache,
    "deadline": deadline,
    "fallback": fallback,
    "hedge": hedge,
    "rate_limit": rate_limit,
    "retry": retry,
    "shed": shed,
    "timeout": timeout,
}
_PLAIN: Final = (int, float, str, bool, types.NoneType)
_ERROR_KINDS: Final = frozenset({"on", "ignore", "drops_on", "negative_on"})
_GIVEN_HERE: Final = frozenset({"name", "clock"})


class PolicySettingsError(ValueError):
    """Settings of a policy hold what they must not; the message names the place, and often the fix."""


def make_policy(name: str, settings: object, clock: Clock) -> Policy:
    """Make the policy `name`; see `Registry.configure` for the shape of `settings`.

    Raises:
        PolicySettingsError: A key or a value is none.
    """
    if isinstance(settings, Mapping):
        known = RECOMMENDED_ORDER.index
        _refuse_unknown(name, settings, CONSTRUCTORS)
        steps = sorted(settings.items(), key=lambda step: known(step[0]))
    elif isinstance(settings, list):
        steps = [step for at, table in enumerate(settings) for step in _read_step(f"{name}[{at}]", table)]
    else:
        raise PolicySettingsError(f"{name}: a table of patterns or a list of them is wanted, not {settings!r}")
    if not steps:
        raise PolicySettingsError(f"{name}: nothing in it; known patterns are {', '.join(CONSTRUCTORS)}")
    policies = tuple(_make(f"{name}.{kind}", name, kind, table, clock) for kind, table in steps)
    return policies[0] if len(policies) == 1 else Composed(policies, name=name)


def _read_step(place: str, table: object) -> Iterable[tuple[str, Any]]:
    if not isinstance(table, Mapping) or len(table) != 1:
        raise PolicySettingsError(f"{place}: one pattern with its settings is wanted, such as {{'timeout': 2.0}}")
    _refuse_unknown(place, table, CONSTRUCTORS)
    return table.items()


def _make(place: str, name: str, kind: str, settings: object, clock: Clock) -> Policy:
    constructor = CONSTRUCTORS[kind]
    types_of = _settable(constructor)
    first = next((key for key in types_of if _is_required(constructor, key)), None)
    if settings is None:
        settings = {}
    elif first is not None and not isinstance(settings, Mapping):
        settings = {first: settings}
    if not isinstance(settings, Mapping):
        raise PolicySettingsError(f"{place}: a table is wanted, not {settings!r}")
    _refuse_unknown(place, settings, types_of)
    words = {key: _read(f"{place}.{key}", key, value, types_of[key]) for key, value in settings.items()}
    missing = [key for key in types_of if _is_required(constructor, key) and key not in words]
    if missing:
        raise PolicySettingsError(f"{place}: {missing[0]} is missing")
    try:
        return constructor(**words, name=name, clock=clock)
    except (ValueError, TypeError) as error:
        raise PolicySettingsError(f"{place}: {error}") from error


def _settable(constructor: Callable[..., Policy]) -> dict[str, Any]:
    """Map each parameter that a file can give to its type."""
    hints = get_type_hints(constructor)
    names = [name for name in inspect.signature(constructor).parameters if name not in _GIVEN_HERE]
    special = {*_ERROR_KINDS, "budget"}
    return {name: hints[name] for name in names if name in special or any(map(_is_plain, _members(hints[name])))}


def _is_required(constructor: Callable[..., Policy], name: str) -> bool:
    return inspect.signature(constructor).parameters[name].default is inspect.Parameter.empty


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in {Union, types.UnionType} else (hint,)


def _is_plain(hint: Any) -> bool:
    return hint is Any or (hint is not types.NoneType and hint in _PLAIN) or _is_enum(hint)


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)


def _read(place: str, key: str, value: Any, hint: Any) -> Any:
    if key in _ERROR_KINDS:
        return tuple(_find_error(place, name) for name in ([value] if isinstance(value, str) else value))
    if key == "budget":
        return _read_budget(place, value)
    allowed = _members(hint)
    enums = [kind for kind in allowed if _is_enum(kind)]
    if enums and isinstance(value, str):
        words = [member.value for kind in enums for member in kind]
        if value not in words:
            raise PolicySettingsError(f"{place}: {value!r} is none of {', '.join(words)}{_suggest(value, words)}")
        return value
    if Any in allowed or any(_fits(value, kind) for kind in allowed):
        return value
    wanted = " or ".join(kind.__name__ for kind in allowed if kind in _PLAIN and kind is not types.NoneType)
    raise PolicySettingsError(f"{place}: {wanted} is wanted, not {value!r}")


def _fits(value: object, kind: Any) -> bool:
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return kind in _PLAIN and isinstance(value, kind)


def _read_budget(place: str, value: object) -> RetryBudget:
    if not isinstance(value, Mapping):
        raise PolicySettingsError(f"{place}: a table is wanted, such as {{'tokens': 10, 'ratio': 0.1}}")
    _refuse_unknown(place, value, ("tokens", "ratio", "name"))
    try:
        return RetryBudget(**value)
    except (ValueError, TypeError) as error:
        raise PolicySettingsError(f"{place}: {error}") from error


def _find_error(place: str, name: object) -> type[Exception]:
    """Find a kind of error by name: a built-in one, or `module.Name` of a module that the program has imported."""
    module, _, word = str(name).rpartition(".")
    found = getattr(sys.modules.get(module) if module else builtins, word, None)
    if not (isinstance(found, type) and issubclass(found, Exception)):
        loaded = "" if not module or module in sys.modules else f"; the program has not imported {module}"
        near = _suggest(word, [each for each in vars(builtins) if each.endswith("Error")]) if not module else ""
        raise PolicySettingsError(f"{place}: {name!r} is no kind of error{loaded}{near}")
    return found


def _refuse_unknown(place: str, table: Mapping[Any, Any], known: Iterable[str]) -> None:
    known = list(known)
    for key in table:
        if key not in known:
            raise PolicySettingsError(f"{place}: {key!r} is not known{_suggest(str(key), known)}")


def _suggest(word: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known[:12])}"
