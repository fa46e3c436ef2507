"""What a probe is given and what it gives back; engine, kinds and third-party plugins stand on this.

It holds no schedule, no retry and no history: one probe makes one attempt. Kinds are listed in `registry`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from holdfast.health.verdict import Verdict

Fact = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Phases:
    """Where the time of one attempt went, in seconds; `None` for a phase not reached or not needed."""

    dns_s: float | None = None
    connect_s: float | None = None
    tls_s: float | None = None
    first_byte_s: float | None = None
    transfer_s: float | None = None


NO_PHASES = Phases()


@dataclass(frozen=True, slots=True)
class Sample:
    """One number that the target or a script reported, in the base unit that its name says."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observation:
    """The outcome of one attempt.

    `message` is one line that a responder understands: what was expected and what was found. `facts` are what
    the target said (status code, certificate days left, version, replication lag); `samples` become metrics.
    """

    verdict: Verdict
    message: str
    duration_s: float
    phases: Phases = NO_PHASES
    facts: Mapping[str, Fact] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class ProbeContext:
    """What the caller grants one attempt.

    `timeout_s` is the deadline of the whole attempt. `resolve_secret` gives a text with its
    references, such as `${env:NAME}`, replaced by their values, or raises a HoldfastError; it may block, because
    probes call it in a thread. `allow_metadata_addresses` lifts the refusal of
    link-local and cloud metadata addresses.
    """

    timeout_s: float
    resolve_secret: Callable[[str], str]
    allow_metadata_addresses: bool = False


class Probe(Protocol):
    """One check's target and expectations, ready to be asked; it keeps no state between attempts."""

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt within `context.timeout_s`.

        A fault of the target is an observation, never an exception; only `asyncio.CancelledError` and
        programming errors leave this method.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProbeKind:
    """A kind of check: the word that names it in a file, its spec, and how a probe is built from one.

    `spec` is a frozen dataclass that pydantic validates with `extra="forbid"`. `build` compiles a spec into a
    probe and raises InvalidError for what types cannot say; it is `None` for a passive kind, which waits to be
    called.
    """

    name: str
    spec: type[Any]
    build: Callable[[Any], Probe] | None
