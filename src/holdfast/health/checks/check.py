"""One check as its file describes it, with every default filled in. Nothing here runs or remembers anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.health.probes import Probe
from holdfast.kernel.errors import Place


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a bad attempt is repeated before it counts.

    `attempts` are extra ones, after the first; the waits between them double from `backoff_s`.
    """

    attempts: int = 1
    backoff_s: float = 0.2


@dataclass(frozen=True, slots=True)
class Flap:
    """When a check counts as flapping: `threshold` changes among its last `window` observations; 0 turns it off."""

    threshold: int = 6
    window: int = 20


@dataclass(frozen=True, slots=True)
class Check:
    """What to ask, how often, and how sure to be before saying so. Durations are seconds.

    `spec` is the frozen dataclass of the kind and `probe` what was built from it, None for a passive kind; `place` is
    where the check stands in its file.
    """

    name: str
    kind: str
    spec: Any
    service: str | None = None
    selector: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    every_s: float = 30.0
    timeout_s: float = 5.0
    retries: Retries = Retries()
    for_s: float = 0.0
    flap: Flap = Flap()
    parents: tuple[str, ...] = ()
    probe: Probe | None = field(default=None, compare=False, repr=False)
    place: Place = field(default=Place(), compare=False)
