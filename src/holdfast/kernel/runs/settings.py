"""Settings of runs: `[runs]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.secrets import Secret
from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration, Size


@dataclass(frozen=True, slots=True)
class RunsSettings:
    """How runs are executed and kept.

    Attributes:
        concurrency: runs that this process executes at once; more wait in their queues.
        resident_limit: waiting runs kept in memory for a quick answer; more leave it at once.
        park_after: how long a run may wait in memory; then it is a row until what it waits for happens.
        threads: sync workflows that run at once, each in a thread of its own; as many steps may be in threads.
        processes: steps that run at once in processes of their own; others wait.
        container_socket: where Docker or Podman serves its API, for steps in containers.
        kubernetes_url: the API server, for steps as Jobs; empty means the cluster that this process runs in.
        kubernetes_token: a token for it; empty means that of the service account.
        kubernetes_ca: file of the authority that vouches for it; empty means the service account's or the system's.
        kubernetes_namespace: where Jobs run that name no other; empty means the service account's.
        lease: how long another process waits for a sign of life before it takes this one's runs over (PostgreSQL).
        heartbeat: how often this process gives that sign.
        recovery_limit: a run that was there at so many crashes without getting any further is failed.
        stop_grace: how long a stopping process lets its runs reach their next step.
        cancel_grace: how long a step that declares a compensation may go on after its run was cancelled.
        inline_limit: inputs and results up to this size stand in the database; larger ones become blobs.
        payload_limit: inputs and results over this size are refused.
        log_lines: lines of output kept per run; the rest is counted.
        journal_size: journal entries that may wait for the disk before new runs are refused.
        poll: how often to look for work that nobody told this process of.
        keep_succeeded: how long runs that succeeded are kept; 0 keeps them for ever.
        keep_failed: how long runs that failed or were cancelled are kept; 0 keeps them for ever.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    concurrency: Annotated[int, Field(ge=1, le=100_000)] = 500
    resident_limit: Annotated[int, Field(ge=0, le=100_000)] = 1000
    park_after: Duration = 1.0
    threads: Annotated[int, Field(ge=1, le=1000)] = 32
    processes: Annotated[int, Field(ge=1, le=1000)] = 16
    container_socket: str = "/var/run/docker.sock"
    kubernetes_url: str = ""
    kubernetes_token: Secret = Secret("")
    kubernetes_ca: str = ""
    kubernetes_namespace: str = ""
    lease: Duration = 15.0
    heartbeat: Duration = 3.0
    recovery_limit: Annotated[int, Field(ge=1, le=1000)] = 5
    stop_grace: Duration = 5.0
    cancel_grace: Duration = 10.0
    inline_limit: Size = 64 * 1024
    payload_limit: Size = 32 * 1024 * 1024
    log_lines: Annotated[int, Field(ge=0, le=1_000_000)] = 10_000
    journal_size: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    poll: Duration = 5.0
    keep_succeeded: Duration = 30 * 86400.0
    keep_failed: Duration = 90 * 86400.0


SECTION: Final = Section("runs", RunsSettings)
