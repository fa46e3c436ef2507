"""Where step code runs: the event loop, a thread, a process of its own, a container, a Kubernetes Job.

Owns starting it, hearing it, and ending it for real. Refuses retries, timeouts and journals: those are the engine's,
which ends work by cancelling it.
"""

from holdfast.kernel.runs.places.choosing import PlaceChoice, PlaceName, Places
from holdfast.kernel.runs.places.containers import Container, ContainerPlace
from holdfast.kernel.runs.places.errors import (
    CommandFailedError,
    StepDiedError,
    StepPlaceError,
    StepRaisedError,
    ThreadsAbandonedError,
)
from holdfast.kernel.runs.places.kubernetes import KubernetesJob, KubernetesPlace
from holdfast.kernel.runs.places.ports import (
    CleanUp,
    Command,
    CommandResult,
    Place,
    Stream,
    Work,
    WriteLine,
    write_nowhere,
)
from holdfast.kernel.runs.places.processes import Process, ProcessPlace
from holdfast.kernel.runs.places.tasks import TaskPlace
from holdfast.kernel.runs.places.threads import ThreadPlace

__all__ = [
    "CleanUp",
    "Command",
    "CommandFailedError",
    "CommandResult",
    "Container",
    "ContainerPlace",
    "KubernetesJob",
    "KubernetesPlace",
    "Place",
    "PlaceChoice",
    "PlaceName",
    "Places",
    "Process",
    "ProcessPlace",
    "StepDiedError",
    "StepPlaceError",
    "StepRaisedError",
    "Stream",
    "TaskPlace",
    "ThreadPlace",
    "ThreadsAbandonedError",
    "Work",
    "WriteLine",
    "write_nowhere",
]
