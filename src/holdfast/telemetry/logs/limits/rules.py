"""Which rule of the settings holds for a stream: the first whose tenant and selector match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from holdfast.kernel.errors import InvalidError, Place
from holdfast.telemetry.metrics.indexing import verdict
from holdfast.telemetry.metrics.promql import QuerySyntaxError, parse_matchers

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics import Matcher
    from holdfast.telemetry.metrics.labels import Labels


class Rule(Protocol):
    """What every rule says."""

    @property
    def match(self) -> str:
        """A selector; empty for every stream."""
        ...

    @property
    def tenant(self) -> str:
        """Whose streams; every tenant's if empty."""
        ...


R = TypeVar("R", bound=Rule)


class StreamRules(Generic[R]):
    """The rules of one field of the settings."""

    def __init__(self, rules: Sequence[R], field: str) -> None:
        """Read the selectors.

        Raises:
            InvalidError: one is no selector.
        """
        self._rules = [(rule, _matchers(rule.match, f"{field}[{number}].match")) for number, rule in enumerate(rules)]

    def of(self, tenant: TenantId, labels: Labels) -> R | None:
        """Give the rule of a stream."""
        pairs = dict(labels)
        for rule, matchers in self._rules:
            if rule.tenant in {"", tenant} and all(
                bool(verdict(matcher, (pairs.get(matcher.label, ""),))[0]) for matcher in matchers
            ):
                return rule
        return None


def _matchers(match: str, field: str) -> tuple[Matcher, ...]:
    if not match:
        return ()
    try:
        matchers = parse_matchers(match)
    except QuerySyntaxError as error:
        place = Place(field=field)
        raise InvalidError(f"{match} is no selector: {error}", hint='such as {env="dev"}', place=place) from error
    for matcher in matchers:
        verdict(matcher, ())  # refuses a wrong expression now, not when a stream comes
    return matchers
