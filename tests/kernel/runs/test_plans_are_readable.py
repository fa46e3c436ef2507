"""A plan says in order what would change, as text with diffs and as JSON."""

from __future__ import annotations

import json

import pytest

from holdfast.kernel.runs.plans import (
    MAX_DIFF_LINES,
    Change,
    Plan,
    PlannedStep,
    RunPlan,
    UnplannedStepError,
    as_plan,
    read_plan,
)

SCALE = Change(
    "deployment/shop-web",
    "update",
    {"replicas": 2, "image": "shop:1"},
    {"replicas": 4, "image": "shop:1"},
    "no downtime",
)
MAIL = Change("mail to ops@example.com", "send", None, "Scaled up.\nAll is well.")


def plan_of(*steps, result=None):
    return RunPlan(tuple(steps), result)


def test_the_text_names_each_change_and_shows_its_difference():
    plan = plan_of(PlannedStep("scale", "change", (SCALE,)), PlannedStep("tell", "change", (MAIL,)))
    assert plan.diff() == (
        "scale: update deployment/shop-web (no downtime)\n"
        "--- deployment/shop-web (now)\n"
        "+++ deployment/shop-web (then)\n"
        "@@ -1,4 +1,4 @@\n"
        " {\n"
        '   "image": "shop:1",\n'
        '-  "replicas": 2\n'
        '+  "replicas": 4\n'
        " }\n"
        "tell: send mail to ops@example.com\n"
        "--- mail to ops@example.com (now)\n"
        "+++ mail to ops@example.com (then)\n"
        "@@ -0,0 +1,2 @@\n"
        "+Scaled up.\n"
        "+All is well."
    )


def test_changes_of_children_stand_where_the_child_would_run():
    child = plan_of(PlannedStep("restart", "change", (SCALE,)))
    plan = plan_of(PlannedStep("heal", "child", child=child), PlannedStep("tell", "change", (MAIL,)))
    assert plan.changes == (SCALE, MAIL)
    assert plan.diff().startswith("heal > restart: update deployment/shop-web")


def test_a_plan_without_changes_says_so():
    assert plan_of(PlannedStep("look", "read")).diff() == "nothing would change"


def test_a_plan_is_the_same_after_json():
    child = plan_of(PlannedStep("restart", "change", (SCALE,)), result=[1])
    plan = plan_of(
        PlannedStep("heal", "child", child=child),
        PlannedStep("wait", "sleep", note="10 minutes"),
        PlannedStep("tell", "change", (MAIL,)),
        result={"ok": True},
    )
    assert read_plan(json.loads(json.dumps(plan.as_json()))) == plan


def test_a_huge_difference_is_cut_and_says_by_how_much():
    lines = Change("file", "create", None, "\n".join("x" * 1000)).diff().splitlines()
    assert len(lines) == MAX_DIFF_LINES + 1
    assert lines[-1] == f"... {1000 + 3 - MAX_DIFF_LINES} more lines"


@pytest.mark.parametrize(
    ("answer", "plan"),
    [
        (None, Plan()),
        (MAIL, Plan((MAIL,))),
        ([SCALE, MAIL], Plan((SCALE, MAIL))),
        (Plan((MAIL,), result=1), Plan((MAIL,), result=1)),
    ],
)
def test_a_plan_function_may_answer_in_the_way_that_is_shortest(answer, plan):
    assert as_plan(answer, "tell") == plan


@pytest.mark.parametrize("answer", [7, "text", [1]])
def test_any_other_answer_is_refused_with_the_fix(answer):
    with pytest.raises(UnplannedStepError, match=r"step tell: its plan function gave .*return a Plan"):
        as_plan(answer, "tell")
