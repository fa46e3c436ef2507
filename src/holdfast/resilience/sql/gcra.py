"""GCRA as one conditional statement: asking and taking are the same write, so there is nothing to lock before.

The row's `idle_from_s` is the moment at which the bucket is full again, which is all that the rule remembers.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from sqlalchemy import TextClause, text

from holdfast.resilience.ports import Taken
from holdfast.resilience.rate_rules import ROUNDING_S, Gcra

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.resilience.clocks import Clock

LESS: Final = text("UPDATE resilience_rates SET idle_from_s = idle_from_s - :cost_s WHERE id = :id")

_TAKE: Final = """
INSERT INTO resilience_rates (id, state, idle_from_s) VALUES (:id, '', {now} + :cost_s)
ON CONFLICT (id) DO UPDATE SET idle_from_s = {later}(resilience_rates.idle_from_s, {now}) + :cost_s
WHERE {later}(resilience_rates.idle_from_s, {now}) + :cost_s - :burst_s - {now} <= :most_s
RETURNING idle_from_s, {now}
"""
_READ: Final = """
SELECT coalesce((SELECT idle_from_s FROM resilience_rates WHERE id = :id), 0), {now}
"""


class GcraStatements:
    """The statements in the words of one database; PostgreSQL's time is the statement's, SQLite's this machine's."""

    def __init__(self, *, is_postgres: bool, clock: Clock | None) -> None:
        self._has_time = is_postgres and clock is None
        self._clock = clock
        now = (
            "extract(epoch FROM statement_timestamp())::float8"
            if self._has_time
            else "cast(:now_s AS double precision)"
        )
        later = "greatest" if is_postgres else "max"
        self._take: TextClause = text(_TAKE.format(now=now, later=later))
        self._read: TextClause = text(_READ.format(now=now))

    def take(self, connection: Connection, place: str, rule: Gcra, cost: float, most_wait_s: float) -> Taken:
        """Take `cost`, or tell the wait and take nothing."""
        cost_s, burst_s, most_s = cost / rule.rate, rule.burst / rule.rate, max(most_wait_s, ROUNDING_S)
        values = {"id": place} if self._has_time else {"id": place, "now_s": self._read_time_s()}
        if cost_s - burst_s <= most_s:  # else not even a full bucket would do
            terms = {"cost_s": cost_s, "burst_s": burst_s, "most_s": most_s}
            row = connection.execute(self._take, values | terms).one_or_none()
            if row is not None:
                full_at_s, now_s = row
                wait_s = full_at_s - burst_s - now_s
                wait_s = wait_s if wait_s > ROUNDING_S else 0.0
                return Taken(is_admitted=True, wait_s=wait_s, due_s=now_s + wait_s)
        full_at_s, now_s = connection.execute(self._read, values).one()
        wait_s = max(full_at_s, now_s) + cost_s - burst_s - now_s
        return Taken(is_admitted=False, wait_s=wait_s, due_s=now_s + wait_s)

    def _read_time_s(self) -> float:
        return self._clock.monotonic() if self._clock else time.time()
