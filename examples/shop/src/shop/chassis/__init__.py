"""The chassis: what every service of the shop has, so that a service holds only its own business.

Owns faults, health, problems, telemetry and serving. Refuses any word of the business: no order, no
product, no payment is known here.
"""

from shop.chassis.faults import FaultPlan, Faults, InjectedError
from shop.chassis.health import Degraded, Dependency, Health, Status
from shop.chassis.ids import new_id, now_ms, shared_secret
from shop.chassis.loops import Loop
from shop.chassis.money import CURRENCY, Amount, from_cents, to_cents
from shop.chassis.outcomes import OutcomeWindow
from shop.chassis.problems import PROBLEM_MEDIA_TYPE, Problem, answer_problem
from shop.chassis.service import Service
from shop.chassis.serving import serve
from shop.chassis.tracing import continued_span

__all__ = [
    "CURRENCY",
    "PROBLEM_MEDIA_TYPE",
    "Amount",
    "Degraded",
    "Dependency",
    "FaultPlan",
    "Faults",
    "Health",
    "InjectedError",
    "Loop",
    "OutcomeWindow",
    "Problem",
    "Service",
    "Status",
    "answer_problem",
    "continued_span",
    "from_cents",
    "new_id",
    "now_ms",
    "serve",
    "shared_secret",
    "to_cents",
]
