"""How long a series is kept: the first rule of the settings that matches it, else what the store says of its tenant.

Asked once per new series, for `expires_at` is written with every sample; a changed rule holds for what comes after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.kernel.errors import InvalidError, Place
from holdfast.store import Store
from holdfast.telemetry.metrics.indexing import verdict
from holdfast.telemetry.metrics.promql import QuerySyntaxError, parse_matchers
from holdfast.telemetry.metrics.tables import STREAM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.samples import Matcher
    from holdfast.telemetry.metrics.settings import KeepRule


class KeepRules:
    """The rules of the settings; call `seconds` for each new series."""

    def __init__(
        self, rules: Sequence[KeepRule], store: Store, *, stream: str = STREAM, section: str = "metrics"
    ) -> None:
        """Read the selectors; `stream` is the name in retention settings, `section` where the rules stand.

        Raises:
            InvalidError: one is no selector.
        """
        self._store = store
        self._stream = stream
        self._rules = [
            (rule.tenant, _matchers(f"{section}.keep[{number}].match", rule), int(rule.keep))
            for number, rule in enumerate(rules)
        ]

    def seconds(self, tenant: TenantId, labels: Labels) -> int:
        """Give how long the samples of a series stay."""
        for of, matchers, keep_s in self._rules:
            if of in {"", tenant} and _is_match(matchers, dict(labels)):
                return keep_s
        return self._store.retention.seconds(tenant, self._stream)


def _matchers(field: str, rule: KeepRule) -> tuple[Matcher, ...]:
    place = Place(field=field)
    try:
        matchers = parse_matchers(rule.match)
    except QuerySyntaxError as error:
        raise InvalidError(f"{rule.match} is no selector: {error}", hint='such as {env="dev"}', place=place) from error
    for matcher in matchers:
        verdict(matcher, ())  # refuses a wrong expression now, not when a series comes
    return matchers


def _is_match(matchers: tuple[Matcher, ...], labels: dict[str, str]) -> bool:
    return all(bool(verdict(matcher, (labels.get(matcher.label, ""),))[0]) for matcher in matchers)
