"""From what was found to check files: which kind fits, proven by a trial run, and its text.

A check is only written when it is not red at once: a product that wants a login is watched by its port until somebody
gives the check its credentials.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from holdfast.health.discover.asking import Found
from holdfast.health.engine import observe_within
from holdfast.health.probes import Observation, ProbeContext, ProbeKind
from holdfast.health.verdict import Verdict
from holdfast.kernel import decoding
from holdfast.kernel.errors import HoldfastError

_TRIAL_S: Final = 3.0
_GOOD: Final = frozenset({Verdict.UP, Verdict.DEGRADED})
_PRODUCT_KINDS: Final = {"elasticsearch": "elasticsearch", "opensearch": "elasticsearch", "amqp": "rabbitmq"}
_CONVERSATIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "smtp": {"expect": "^220 "},
    "ftp": {"expect": "^220"},
    "imap": {"expect": r"^\* OK"},
    "pop3": {"expect": r"^\+OK"},
    "memcached": {"send": "version\r\n", "expect": "^VERSION "},
}
_HEADER: Final = "# Found by `holdfast discover`. The file is yours now: edit it, keep it in Git.\n"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A check for something that was found. `tried` says why a better kind was not taken, if so."""

    name: str
    kind: str
    section: Mapping[str, Any]
    found: Found
    observation: Observation
    tried: str = ""

    @property
    def text(self) -> str:
        """The check as a file."""
        service = re.sub(r"-\d+$", "", self.name)
        check = {"name": self.name, "kind": self.kind, "service": service, self.kind: dict(self.section)}
        note = f"# {self.tried}\n" if self.tried else ""
        return _HEADER + note + yaml.safe_dump({"checks": [check]}, sort_keys=False, allow_unicode=True)


async def propose(found: Sequence[Found], kinds: Mapping[str, ProbeKind]) -> list[Proposal]:
    """Give a check for everything that was found."""
    return list(await asyncio.gather(*(_propose(one, kinds) for one in found)))


async def _propose(found: Found, kinds: Mapping[str, ProbeKind]) -> Proposal:
    tried, name = "", name_check(found)
    *better, (kind, section) = ((kind, section) for kind, section in _candidates(found) if kind in kinds)
    for word, fields in better:
        observation = await _try(kinds[word], fields)
        if observation.verdict in _GOOD:
            return Proposal(name, word, fields, found, observation, tried)
        said = " ".join(observation.message.split())
        tried = tried or f"kind {word} says more of it, once this is solved: {said}"
    return Proposal(name, kind, section, found, await _try(kinds[kind], section), tried)


async def _try(kind: ProbeKind, section: Mapping[str, Any]) -> Observation:
    try:
        spec = decoding.decode(kind.spec, dict(section))
        assert kind.build is not None, f"{kind.name} is passive"
        probe = kind.build(spec)
    except HoldfastError as error:
        return Observation(Verdict.UNKNOWN, str(error), 0.0)
    return await observe_within(probe, ProbeContext(_TRIAL_S, str))


def _candidates(found: Found) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give kinds and their sections, the most telling first; the port itself is the last resort."""
    host, port, what = found.listener.host, found.listener.port, found.what
    at = {"host": host, "port": port}
    if what is not None and what.protocol == "http":
        yield from _web_candidates(found)
    elif what is not None:
        kind = _PRODUCT_KINDS.get(what.protocol, what.protocol)
        yield kind, at
        if what.protocol in _CONVERSATIONS:
            yield "tcp", {**at, "exchange": [dict(_CONVERSATIONS[what.protocol])]}
    if what is not None and what.is_tls:
        yield "tls", at
    yield "tcp", at


def _web_candidates(found: Found) -> Iterator[tuple[str, dict[str, Any]]]:
    what, listener = found.what, found.listener
    assert what is not None
    host = f"[{listener.host}]" if ":" in listener.host else listener.host
    base = f"{'https' if what.is_tls else 'http'}://{host}:{listener.port}"
    if what.product:
        yield _PRODUCT_KINDS.get(what.product, what.product), {"url": base}
    for path, status in what.paths.items():
        section: dict[str, Any] = {"url": base + path}
        if not 200 <= status < 300:
            section["expect"] = {"status": [status]}
            section["redirects"] = 0
        yield "http", section


def name_check(found: Found) -> str:
    """Give a name that says what and where: `redis-6379`; the process' name where the product is unknown."""
    product = found.what.name if found.what and found.what.name not in {"http", "tcp"} else ""
    word = product or found.listener.process or (found.what.protocol if found.what else "port")
    slug = re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")[:50] or "port"
    return f"{slug}-{found.listener.port}"
