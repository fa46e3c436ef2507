"""The `kafka` kind: brokers, partitions without leader or without all replicas, and the lag of consumer groups."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field

from holdfast.health.probes.attempts import Attempt, fact, listed, observe, quote
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind, Sample
from holdfast.health.probes.faults import FaultError, explain
from holdfast.health.probes.limits import CountLimits, judge_count
from holdfast.health.probes.network import Endpoint, Family, Tls, Wire, open_wire
from holdfast.health.probes.products import kafka_wire
from holdfast.health.probes.products.kafka_wire import Cluster

_MAX_SAMPLES: Final = 500


def _check_broker(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError("write a broker as host:port, such as kafka-1.example:9092")
    return text


Broker = Annotated[str, AfterValidator(_check_broker)]


@dataclass(frozen=True, slots=True)
class SaslOptions:
    """How to log in.

    Attributes:
        username: user name.
        password: a reference to a secret, such as `${env:KAFKA_PASSWORD}`.
        mechanism: `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    username: str
    password: str
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"


@dataclass(frozen=True, slots=True)
class GroupExpectation:
    """A consumer group.

    Attributes:
        name: its id.
        lag: limits on the messages that it is behind, over all its partitions.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    name: str
    lag: CountLimits = field(default_factory=CountLimits)


@dataclass(frozen=True, slots=True)
class KafkaSpec:
    """A Kafka cluster.

    Attributes:
        brokers: brokers to ask first, as `host:port`; the first one that answers tells of the others.
        ip: which addresses of a name to use: `any`, `4` or `6`.
        tls: `true` or TLS options, to connect in TLS.
        sasl: how to log in, where the brokers demand it.
        topics: topics that must exist, and whose lag is read; empty looks at all.
        groups: consumer groups whose lag to read.
        min_brokers: the fewest brokers that the cluster must have.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    brokers: Annotated[tuple[Broker, ...], Field(min_length=1)]
    ip: Family = Family.ANY
    tls: Tls = None
    sasl: SaslOptions | None = None
    topics: tuple[str, ...] = ()
    groups: tuple[GroupExpectation, ...] = ()
    min_brokers: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True, slots=True)
class KafkaProbe:
    """Asks a Kafka cluster."""

    spec: KafkaSpec

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        cluster, there = await self._find_cluster(attempt)
        self._judge_cluster(attempt, cluster)
        for group in self.spec.groups:
            await self._judge_group(attempt, cluster, there, group)
        return f"{len(cluster.brokers)} brokers, {len(cluster.partitions)} partitions in sync"

    async def _find_cluster(self, attempt: Attempt) -> tuple[Cluster, tuple[str, int]]:
        failures = []
        for broker in self.spec.brokers:
            host, _, port = broker.rpartition(":")
            there = (host.strip("[]"), int(port))
            try:
                async with self._connected(attempt, there) as wire:
                    attempt.stage = f"reading the metadata of {broker}"
                    return await kafka_wire.read_metadata(wire, self.spec.topics), there
            except FaultError as fault:
                failures.append(f"{broker}: {fault.message}")
            except OSError as error:
                failures.append(f"{broker}: {explain(error, attempt.stage).message}")
        raise FaultError(f"no broker answers: {'; '.join(failures)}")

    @asynccontextmanager
    async def _connected(self, attempt: Attempt, there: tuple[str, int]) -> AsyncIterator[Wire]:
        endpoint = Endpoint(*there, self.spec.ip)
        limit = kafka_wire.MAX_ANSWER_BYTES + 4
        async with open_wire(attempt, endpoint, self.spec.tls, limit) as wire:
            sasl = self.spec.sasl
            if sasl is not None:
                attempt.stage = f"logging in to {endpoint}"
                password = await attempt.expand(sasl.password)
                attempt.hide(password)
                await kafka_wire.log_in(wire, sasl.mechanism, sasl.username, password)
            yield wire

    def _judge_cluster(self, attempt: Attempt, cluster: Cluster) -> None:
        partitions = cluster.partitions
        offline = [f"{part.topic}/{part.number}" for part in partitions if part.leader < 0]
        short = [f"{part.topic}/{part.number}" for part in partitions if part.in_sync < part.replicas]
        attempt.facts.update(
            cluster_id=fact(cluster.name),
            brokers=len(cluster.brokers),
            partitions=len(partitions),
            offline_partitions=len(offline),
            under_replicated_partitions=len(short),
        )
        for topic, error in cluster.errors.items():
            attempt.down(f"expected topic {quote(topic)}, found {kafka_wire.describe(error)}")
        if offline:
            attempt.down(f"{len(offline)} partitions have no leader: {listed(offline)}")
        if short:
            attempt.degraded(f"{len(short)} partitions lack replicas in sync: {listed(short)}")
        if len(cluster.brokers) < self.spec.min_brokers:
            attempt.degraded(f"expected at least {self.spec.min_brokers} brokers, found {len(cluster.brokers)}")

    async def _judge_group(
        self, attempt: Attempt, cluster: Cluster, there: tuple[str, int], group: GroupExpectation
    ) -> None:
        about = f"group {quote(group.name)}"
        async with self._connected(attempt, there) as wire:
            attempt.stage = f"finding the coordinator of {about}"
            coordinator = await kafka_wire.find_coordinator(wire, group.name)
        async with self._connected(attempt, coordinator) as wire:
            attempt.stage = f"reading the offsets of {about}"
            committed = await kafka_wire.read_committed(wire, group.name)
        if not committed:
            attempt.down(f"expected {about} to have committed offsets, found none")
            return
        ends = await self._read_ends(attempt, cluster, set(committed))
        by_topic: dict[str, int] = defaultdict(int)
        for place, offset in committed.items():
            by_topic[place[0]] += max(0, ends.get(place, offset) - offset)
        lag = sum(by_topic.values())
        attempt.facts[f"lag {fact(group.name)}"] = lag
        room = _MAX_SAMPLES - len(attempt.samples)
        attempt.samples += [
            Sample("kafka_consumer_group_lag", behind, {"group": group.name, "topic": topic})
            for topic, behind in list(by_topic.items())[:room]
        ]
        judge_count(attempt, f"a lag of {about}", lag, group.lag)

    async def _read_ends(
        self, attempt: Attempt, cluster: Cluster, wanted: set[tuple[str, int]]
    ) -> dict[tuple[str, int], int]:
        by_leader: dict[int, list[tuple[str, int]]] = defaultdict(list)
        for part in cluster.partitions:
            if (part.topic, part.number) in wanted and part.leader in cluster.brokers:
                by_leader[part.leader].append((part.topic, part.number))
        ends: dict[tuple[str, int], int] = {}
        for leader, places in by_leader.items():
            async with self._connected(attempt, cluster.brokers[leader]) as wire:
                attempt.stage = f"reading the ends of partitions on broker {leader}"
                ends.update(await kafka_wire.read_ends(wire, places))
        return ends


def build(spec: KafkaSpec) -> KafkaProbe:
    """Make the probe of a spec."""
    return KafkaProbe(spec)


KIND: Final = ProbeKind("kafka", KafkaSpec, build)
