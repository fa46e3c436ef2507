"""Service health: what checks and dependencies say of each service of the catalog, its turns and its uptime.

Owns judging services, the event `service.changed` and the routes below `/services`. Refuses running checks, and knowing
who is told: transitions are events that upper rooms read.
"""

from holdfast.health.services.attachment import Attachments, attach
from holdfast.health.services.board import Board
from holdfast.health.services.judging import IMPACT_LABEL, Reason, ServiceHealth
from holdfast.health.services.wiring import Services, wire

__all__ = ["IMPACT_LABEL", "Attachments", "Board", "Reason", "ServiceHealth", "Services", "attach", "wire"]
