"""The event log: immutable facts, strictly ordered per tenant, written in the transaction of the state they describe.

Owns the log, its named consumers and their cursors. Refuses edits, and events without the transaction they belong to.
Over HTTP it is read through `kernel.feed`.
"""

from holdfast.kernel.events.consumers import Consumer, run_consumer
from holdfast.kernel.events.log import EventLog, Times
from holdfast.kernel.events.model import Event, EventKind, NewEvent
from holdfast.kernel.events.wake import Wake, listen_postgres

__all__ = ["Consumer", "Event", "EventKind", "EventLog", "NewEvent", "Times", "Wake", "listen_postgres", "run_consumer"]
