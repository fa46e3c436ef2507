"""`line_format` and `label_format`: Go templates over the labels; a template that fails is noted as an error.

It leaves the line, or the label, as it was. What templates may call: `template_functions`.
"""

from __future__ import annotations

from typing import Final

import gotpl

from holdfast.telemetry.logs.logql.nodes import LabelAssignment, LabelFormat, LineFormat
from holdfast.telemetry.logs.pipeline.entries import Entry, Step
from holdfast.telemetry.logs.pipeline.template_errors import (
    is_endless,
    place_of,
    problem_of_chain,
    problem_of_run,
    problem_of_text,
)
from holdfast.telemetry.logs.pipeline.template_functions import CURRENT, FUNCTIONS
from holdfast.telemetry.logs.pipeline.template_growth import BUDGET

TEMPLATE_ERROR: Final = "TemplateFormatErr"


def line_format_step(stage: LineFormat) -> Step:
    """Give the step of `| line_format`.

    Raises:
        ValueError: it is no template.
    """
    template = _compile(stage.template, "line", "invalid line template")

    def fill(entry: Entry) -> bool:
        rendered = template.fill(entry, entry.labels())
        if rendered is not None:
            entry.line = rendered
        return True

    return fill


def label_format_step(stage: LabelFormat) -> Step:
    """Give the step of `| label_format`.

    Raises:
        ValueError: one of them is no template.
    """
    assignments = [(one.label, one.source, one.template and _of_label(one)) for one in stage.assignments]

    def fill(entry: Entry) -> bool:
        labels: dict[str, str] | None = None  # those before the first template: templates do not see each other
        for label, source, template in assignments:
            if source is not None:
                entry.rename(source, label)
                continue
            labels = entry.labels() if labels is None else labels
            rendered = "" if not template else template.fill(entry, labels)
            if rendered is not None:
                entry.put(label, rendered)
        return True

    return fill


def _of_label(one: LabelAssignment) -> _Template:
    return _compile(one.template or "", "label", f"invalid template for label '{one.label}'")


def _compile(text: str, name: str, what_is_wrong: str) -> _Template:
    try:
        return _Template(text, name)
    except gotpl.TemplateError as error:
        message = f"{what_is_wrong}: {problem_of_text(error, name, text)}"
        raise ValueError(message) from error


class _Template:
    """A template that notes on an entry that it failed."""

    def __init__(self, text: str, name: str) -> None:
        self._template = gotpl.Template(text, name=name, functions=FUNCTIONS, missing_key="zero", budget=BUDGET)
        self._text, self._name = text, name
        self._chain = problem_of_chain(name, text)  # our engine goes over it
        self._endless = ""  # what was wrong when it called itself without an end, which took a third of a second

    def fill(self, entry: Entry, labels: dict[str, str]) -> str | None:
        """Give the text; None if there is none."""
        if self._endless:
            entry.fail(TEMPLATE_ERROR, self._endless)
            return None
        token, rendered = CURRENT.set(entry), ""
        place, problem = self._chain
        try:
            rendered = str(self._template.render(gotpl.TypedMap(labels, "", "string", "string")))
        except gotpl.TemplateError as error:
            if place < 0 or place_of(error) < place:
                problem = problem_of_run(error, self._name, self._text, labels)
            self._endless = problem if is_endless(error) else ""
        finally:
            CURRENT.reset(token)
        if problem:
            entry.fail(TEMPLATE_ERROR, problem)
        return None if problem else rendered
