"""Runs: durable executions of workflows.

Owns where the code of steps runs and what a dry run plans; refuses to know what the steps are about.
"""

from holdfast.kernel.runs.plans import Change, Plan, PlannedStep, RunPlan, UnplannedStepError

__all__ = ["Change", "Plan", "PlannedStep", "RunPlan", "UnplannedStepError"]
