"""What a process says that it knows: workflows, queues and schedules. The part of the engine used before it runs."""

from __future__ import annotations

from typing import Any

from holdfast.kernel.runs.queues import Queue, QueueBoard
from holdfast.kernel.runs.scheduled_starts import judge
from holdfast.kernel.runs.schedules import Schedule, ScheduleBook
from holdfast.kernel.runs.settings import RunsSettings
from holdfast.kernel.runs.workflows import Registry, Workflow


class Declarations:
    """The declaring half of `Runs`, which sets the attributes."""

    settings: RunsSettings
    registry: Registry
    queues: QueueBoard
    schedules: ScheduleBook

    def register(self, *workflows: Workflow[Any, Any]) -> None:
        """Take workflows, before `running`.

        Raises:
            ConflictError: two different ones have the same name and version.
        """
        for workflow in workflows:
            self.registry.add(workflow)

    def queue(self, *queues: Queue) -> None:
        """Take queues, before `running`; the queue `default`, without limits, is always there.

        Raises:
            ConflictError: two different ones have the same name.
        """
        for queue in queues:
            self.queues.add(queue)

    def schedule(self, *schedules: Schedule) -> None:
        """Take schedules, before `running`.

        Raises:
            ConflictError: two different ones have the same name.
            InvalidError: the input does not fit the workflow.
            NotFoundError: there is no such workflow or queue.
        """
        for schedule in schedules:
            self.judge_schedule(schedule)
            self.schedules.add(schedule)

    def judge_schedule(self, schedule: Schedule) -> None:
        """Raise what is wrong with a schedule in this process; see `schedule`."""
        judge(schedule, self.registry, self.queues, self.settings.payload_limit)

    def workflows(self) -> list[Workflow[Any, Any]]:
        """Give all versions of all workflows."""
        return self.registry.all()
