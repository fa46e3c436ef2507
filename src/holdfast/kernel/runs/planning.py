"""From what somebody asks for to the run that is written: options, input, moments."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.ids import new_id
from holdfast.kernel.runs import payloads
from holdfast.kernel.runs.model import RunId, StartOptions
from holdfast.kernel.runs.plans import RunPlan
from holdfast.kernel.runs.records import NewRun
from holdfast.kernel.runs.workflows import Workflow

_DEFAULTS: Final = StartOptions()


def read_options(options: StartOptions | None, fields: dict[str, Any]) -> StartOptions:
    """Give the options with `fields` in their places.

    Raises:
        InvalidError: a field is not an option.
    """
    if not fields:
        return options or _DEFAULTS
    try:
        return replace(options or _DEFAULTS, **fields)
    except TypeError as error:
        raise InvalidError(f"a run is not started with that: {error}", hint="see StartOptions") from None


def plan_run(
    workflow: Workflow[Any, Any], given: Any, wanted: StartOptions, now: datetime, payload_limit: int
) -> NewRun:
    """Give the run to be.

    Raises:
        InvalidError: the input does not fit.
        LimitError: it is too large.
    """
    due = now + timedelta(seconds=wanted.delay_s) if wanted.delay_s > 0 else None
    moments = [wanted.deadline] if wanted.deadline is not None else []
    if workflow.timeout_s is not None:
        moments.append((due or now) + timedelta(seconds=workflow.timeout_s))
    return NewRun(
        id=RunId(new_id()),
        tenant=wanted.tenant,
        workflow=workflow.name,
        version=workflow.version,
        fingerprint=workflow.fingerprint,
        queue=wanted.queue or workflow.queue,
        priority=wanted.priority,
        concurrency_key=wanted.concurrency_key,
        dedupe_key=f"dry run of {wanted.key}" if wanted.key is not None and wanted.is_dry_run else wanted.key,
        input=_encode_input(workflow, given, payload_limit),
        is_dry_run=wanted.is_dry_run,
        actor=wanted.actor,
        service=wanted.service,
        parent_id=None,
        parent_key=None,
        on_cancel=None,
        created_at=now,
        wake_at=due,
        deadline=min(moments, default=None),
    )


def as_planned(workflow: Workflow[Any, Any], wanted: StartOptions) -> Workflow[Any, Any]:
    """Give the workflow as its caller sees it: a dry run gives a `RunPlan` instead of the result."""
    return replace(workflow, output_type=RunPlan) if wanted.is_dry_run else workflow


def _encode_input(workflow: Workflow[Any, Any], given: Any, limit_bytes: int) -> str | None:
    if not workflow.takes_input:
        if given is not None:
            raise InvalidError(f"workflow {workflow.name!r} takes no input")
        return None
    what = f"the input of {workflow.name}"
    text = payloads.encode(given, what=what, limit_bytes=limit_bytes)
    payloads.decode(text, workflow.input_type, what=what)
    return text
