"""The `icmp` kind: echo requests, the share that was lost, and the time of those that returned."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.health.probes.attempts import Attempt, observe, span
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.limits import DurationLimits, PercentLimits, judge_duration, judge_percent
from holdfast.health.probes.network import Endpoint, Family, find_addresses
from holdfast.health.probes.network.echoes import Echoes
from holdfast.kernel.units import Duration
from holdfast.resilience import timeout


@dataclass(frozen=True, slots=True)
class IcmpSpec:
    """A host that must answer echo requests.

    Attributes:
        host: name or address.
        ip: which addresses of a name to use: `any`, `4` or `6`.
        count: how many requests to send.
        interval: pause between two requests.
        payload_bytes: size of a request's payload.
        loss: limits on the share of lost requests, in percent; none returned is always down.
        round_trip: limits on the average time to the reply.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    host: str
    ip: Family = Family.ANY
    count: Annotated[int, Field(ge=1, le=100)] = 3
    interval: Duration = 0.2
    payload_bytes: Annotated[int, Field(ge=8, le=65_000)] = 56
    loss: PercentLimits = field(default_factory=lambda: PercentLimits(warn=0, crit=99))
    round_trip: DurationLimits = field(default_factory=DurationLimits)


@dataclass(frozen=True, slots=True)
class IcmpProbe:
    """Sends echo requests."""

    spec: IcmpSpec

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        spec = self.spec
        address, *_ = await find_addresses(attempt, Endpoint(spec.host, 0, spec.ip))
        attempt.stage = f"waiting for echo replies from {address}"
        echoes = Echoes(address, spec.payload_bytes)
        # Stop in time to report loss: a reply that is later than the deadline counts as lost.
        patience_s = max(0.001, attempt.remaining_s() - 0.05)
        with echoes.listening():
            try:
                async with timeout(patience_s):
                    for sequence in range(spec.count):
                        if sequence:
                            await asyncio.sleep(spec.interval)
                        echoes.send(sequence)
                    await echoes.wait()
            except TimeoutError as error:
                if error.errno is not None:
                    raise
        return self._judge(attempt, address, echoes.sent, list(echoes.round_trips_s.values()))

    def _judge(self, attempt: Attempt, address: str, sent: int, times_s: list[float]) -> str:
        loss = 100 * (sent - len(times_s)) / sent
        attempt.facts.update(address=address, sent=sent, received=len(times_s), loss_percent=round(loss, 1))
        if not times_s:
            attempt.down(f"expected echo replies from {address}, found none of {sent}")
            return ""
        average_s = sum(times_s) / len(times_s)
        attempt.facts.update(
            round_trip_min_s=round(min(times_s), 6),
            round_trip_avg_s=round(average_s, 6),
            round_trip_max_s=round(max(times_s), 6),
        )
        judge_percent(attempt, "a loss", loss, self.spec.loss)
        judge_duration(attempt, "a round trip", average_s, self.spec.round_trip)
        return f"{len(times_s)} of {sent} echo replies in {span(average_s)} on average"


def build(spec: IcmpSpec) -> IcmpProbe:
    """Make the probe of a spec."""
    return IcmpProbe(spec)


KIND: Final = ProbeKind("icmp", IcmpSpec, build)
