"""Notifier: tells customers what became of their orders.

Owns an inbox of events, its retries and its dead letters, and the messages that were sent. Refuses to ask other
services anything: an event carries all that a message needs.
"""

from shop.notifier.app import build

__all__ = ["build"]
