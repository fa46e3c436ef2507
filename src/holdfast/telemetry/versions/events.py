"""What happens to versions, in the event log; the subject is `service/<name>`."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.events import EventKind

_WHO: Final = "{service, environment, version, from}"

SEEN: Final = EventKind(
    "deploy.seen",
    f"A service began to tell another version, or an ended one: {_WHO}, and where: {{signal, trace_id, instance}}.",
)
RECORDED: Final = EventKind(
    "deploy.recorded", f"Somebody recorded a deploy: {_WHO}, {{at}}, and {{commit, url, by}} where given."
)
SETTLED: Final = EventKind("deploy.settled", f"Only the new version of a service is heard any more: {_WHO}.")
ROLLED_BACK: Final = EventKind("deploy.rolled_back", f"Only a version is heard that a service told before: {_WHO}.")

KINDS: Final = (RECORDED, ROLLED_BACK, SEEN, SETTLED)
