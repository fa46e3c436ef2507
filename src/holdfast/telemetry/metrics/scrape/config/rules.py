"""The shape of a relabelling rule in a file, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ConfigDict

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.scrape.config.scalars import Count, LabelName
from holdfast.telemetry.metrics.scrape.relabelling import (
    DEFAULT_REGEX,
    DEFAULT_REPLACEMENT,
    DEFAULT_SEPARATOR,
    Action,
    RelabelRule,
    check_rule,
)

_STRICT: Final = ConfigDict(extra="forbid")


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


@dataclass(frozen=True, slots=True)
class RuleShape:
    """A rule as it is written."""

    __pydantic_config__ = _STRICT

    source_labels: tuple[LabelName, ...] | None = None
    separator: str = DEFAULT_SEPARATOR
    regex: str = DEFAULT_REGEX
    modulus: Count = 0
    target_label: str = ""
    replacement: str = DEFAULT_REPLACEMENT
    action: Annotated[Action, BeforeValidator(_lower)] = Action.REPLACE

    def rule(self) -> RelabelRule:
        """Give the rule."""
        return RelabelRule(
            self.source_labels or (),
            self.separator,
            self.regex,
            self.modulus,
            self.target_label,
            self.replacement,
            self.action,
        )


def rule_faults(shape: RuleShape, *, is_legacy: bool) -> Iterator[str]:
    """Give what Prometheus would refuse."""
    if shape.source_labels == () and shape.action in {Action.LABEL_DROP, Action.LABEL_KEEP}:
        yield f"{shape.action} takes only a regex"
    try:
        check_rule(shape.rule(), is_legacy=is_legacy)
    except InvalidError as error:
        yield error.message
