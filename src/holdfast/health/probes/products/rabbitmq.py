"""The `rabbitmq` kind: the AMQP handshake with log-in, chosen queues, and alarms where the management API is given.

The frames are written by pamqp; the conversation stays here, so that it is timed and bounded as all others.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from pydantic import ConfigDict

from holdfast.health.probes.attempts import Attempt, fact, listed, observe, one_line, quote
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.http import Auth, Basic, UrlText
from holdfast.health.probes.limits import CountLimits, judge_count
from holdfast.health.probes.network import Endpoint, Family, Port, Tls, Wire, open_wire
from holdfast.health.probes.products.access import HttpAccess, call_of, fetch_ok
from holdfast.health.probes.products.documents import objects

_FRAME_MAX: Final = 131_072
_HEADER_BYTES: Final = 7
_MAX_FRAMES: Final = 100


@dataclass(frozen=True, slots=True)
class QueueExpectation:
    """A queue that must be there.

    Attributes:
        name: its name.
        messages: limits on messages that are ready.
        min_consumers: the fewest consumers.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    name: str
    messages: CountLimits = field(default_factory=CountLimits)
    min_consumers: int = 0


@dataclass(frozen=True, slots=True)
class RabbitmqSpec:
    """A RabbitMQ broker.

    Attributes:
        host: name or address.
        port: AMQP port: 5672, or 5671 in TLS.
        username: user to log in as.
        password: a reference to a secret, such as `${env:RABBITMQ_PASSWORD}`.
        vhost: virtual host to open.
        ip: which addresses of a name to use: `any`, `4` or `6`.
        tls: `true` or TLS options, to connect in TLS.
        queues: queues to look at.
        management_url: the management API, such as `http://rabbit.example:15672`, for alarms and nodes; the user must
            be allowed to monitor.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    host: str
    port: Port | None = None
    username: str = "guest"
    password: str = "guest"  # noqa: S105 - RabbitMQ's own default, which it accepts from loopback only
    vhost: str = "/"
    ip: Family = Family.ANY
    tls: Tls = None
    queues: tuple[QueueExpectation, ...] = ()
    management_url: UrlText | None = None


@dataclass(frozen=True, slots=True)
class RabbitmqProbe:
    """Asks a broker."""

    spec: RabbitmqSpec
    endpoint: Endpoint

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        async with open_wire(attempt, self.endpoint, self.spec.tls) as wire:
            talk = _Conversation(attempt, wire)
            await talk.open(self.spec)
            for number, queue in enumerate(self.spec.queues, start=1):
                # A queue that is missing closes its channel, so each has its own.
                await talk.judge_queue(number, queue)
            talk.close()
        if self.spec.management_url:
            await self._judge_nodes(attempt, self.spec.management_url)
        return f"{attempt.facts['product']} {attempt.facts['version']} answers"

    async def _judge_nodes(self, attempt: Attempt, url: str) -> None:
        auth = Auth(basic=Basic(self.spec.username, self.spec.password))
        nodes = await fetch_ok(attempt, call_of(HttpAccess(url, auth, ip=self.spec.ip), "api/nodes"))
        stopped, alarmed, parted = [], [], []
        for node in objects({"nodes": nodes.json}, "nodes"):
            name = str(node.get("name"))
            if node.get("running") is not True:
                stopped.append(name)
            alarmed += [f"{what} on {name}" for what in ("mem", "disk_free") if node.get(f"{what}_alarm") is True]
            if node.get("partitions"):
                parted.append(name)
        if alarmed:
            attempt.down(f"alarms block publishers: {listed(alarmed)}")
        if parted:
            attempt.down(f"the cluster is partitioned, says {listed(parted)}")
        if stopped:
            attempt.degraded(f"nodes that do not run: {listed(stopped)}")
        attempt.facts["nodes"] = len(nodes.json)


class _Conversation:
    """AMQP 0-9-1 from the protocol header to the open virtual host, and passive declarations of queues."""

    def __init__(self, attempt: Attempt, wire: Wire) -> None:
        from pamqp import commands, frame  # noqa: PLC0415 - loaded by the first rabbitmq check

        self._attempt = attempt
        self._wire = wire
        self._commands: Any = commands
        self._frame: Any = frame

    async def open(self, spec: RabbitmqSpec) -> None:
        """Log in and open the virtual host."""
        connection = self._commands.Connection
        self._attempt.stage = "waiting for the AMQP greeting"
        self._wire.send(b"AMQP\x00\x00\x09\x01")
        start = await self._expect(0, connection.Start)
        self._note(start.server_properties)
        self._attempt.stage = "logging in"
        password = await self._attempt.expand(spec.password)
        self._attempt.hide(password)
        capabilities = {"authentication_failure_close": True}
        properties = {"product": "holdfast", "connection_name": "holdfast check", "capabilities": capabilities}
        answer = connection.StartOk(properties, "PLAIN", f"\0{spec.username}\0{password}", "en_US")
        self._send(0, answer)
        tune = await self._expect(0, connection.Tune)
        self._send(0, connection.TuneOk(tune.channel_max, min(tune.frame_max or _FRAME_MAX, _FRAME_MAX), 0))
        self._attempt.stage = f"opening virtual host {spec.vhost}"
        self._send(0, connection.Open(spec.vhost))
        await self._expect(0, connection.OpenOk)

    def _note(self, properties: Mapping[str, Any]) -> None:
        facts = self._attempt.facts
        facts["product"] = fact(properties.get("product", "AMQP broker"))
        facts["version"] = fact(properties.get("version", "unknown"))
        if properties.get("cluster_name"):
            facts["cluster_name"] = fact(properties["cluster_name"])

    async def judge_queue(self, channel: int, queue: QueueExpectation) -> None:
        """Look at one queue without changing it."""
        self._attempt.stage = f"looking at queue {queue.name}"
        self._send(channel, self._commands.Channel.Open())
        await self._expect(channel, self._commands.Channel.OpenOk)
        self._send(channel, self._commands.Queue.Declare(queue=queue.name, passive=True))
        answer = await self._expect(channel, self._commands.Queue.DeclareOk, self._commands.Channel.Close)
        if isinstance(answer, self._commands.Channel.Close):
            self._send(channel, self._commands.Channel.CloseOk())
            self._attempt.down(f"expected queue {quote(queue.name)}, found {one_line(answer.reply_text, 160)}")
            return
        about = f"queue {quote(queue.name)}"
        self._attempt.facts[f"messages {fact(queue.name)}"] = answer.message_count
        self._attempt.facts[f"consumers {fact(queue.name)}"] = answer.consumer_count
        judge_count(self._attempt, f"a depth of {about}", answer.message_count, queue.messages)
        if answer.consumer_count < queue.min_consumers:
            found = f"found {answer.consumer_count}"
            self._attempt.down(f"expected at least {queue.min_consumers} consumers of {about}, {found}")

    def close(self) -> None:
        """Say goodbye, so that the broker does not log a lost connection."""
        self._send(0, self._commands.Connection.Close(reply_code=200, reply_text="bye", class_id=0, method_id=0))

    def _send(self, channel: int, command: Any) -> None:
        self._wire.send(self._frame.marshal(command, channel))

    async def _expect(self, channel: int, *kinds: type[Any]) -> Any:
        """Give the next command on `channel`, which must be one of `kinds`.

        Raises:
            FaultError: it is another one, or the broker closed the connection with a reason.
        """
        for _ in range(_MAX_FRAMES):
            on_channel, received = await self._receive()
            if isinstance(received, self._commands.Connection.Close):
                raise FaultError(f"the broker refused: {one_line(received.reply_text, 200)}")
            if on_channel == channel and isinstance(received, kinds):
                return received
            if on_channel == channel and channel:
                raise FaultError(f"expected {kinds[0].name}, found {getattr(received, 'name', 'another frame')}")
        raise FaultError(f"expected {kinds[0].name}, found something else for {_MAX_FRAMES} frames")

    async def _receive(self) -> tuple[int, Any]:
        from pamqp.exceptions import PAMQPException  # noqa: PLC0415 - loaded with the frames

        header = await self._wire.receive_exactly(_HEADER_BYTES)
        if header[:4] == b"AMQP":
            version = ".".join(str(number) for number in header[4:])
            raise FaultError(f"the broker speaks another AMQP, {version} instead of 0.9.1")
        size = int.from_bytes(header[3:7], "big")
        if header[0] not in {1, 2, 3, 8} or size > _FRAME_MAX:
            raise FaultError(f"expected an AMQP frame, found {quote(header.decode('latin-1'))}")
        try:
            _, channel, received = self._frame.unmarshal(header + await self._wire.receive_exactly(size + 1))
        except (PAMQPException, ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
            # The codec does not guard its look-ups; on foreign bytes they fail in all these ways.
            raise FaultError(f"an AMQP frame cannot be read: {one_line(str(error), 80)}") from None
        return channel, received


def build(spec: RabbitmqSpec) -> RabbitmqProbe:
    """Make the probe of a spec."""
    port = spec.port or (5672 if spec.tls is None else 5671)
    return RabbitmqProbe(spec, Endpoint(spec.host, port, spec.ip))


KIND: Final = ProbeKind("rabbitmq", RabbitmqSpec, build)
