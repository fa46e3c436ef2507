"""Reads the ids of OpenTelemetry's current span, so that a line leads to its trace.

Only when its SDK is loaded: without one there are no spans but those that came over the wire, and what takes these in
(`carriers`, `holdfast.instrument`) binds their ids itself. So a program that does not trace pays for one look-up.
"""

from __future__ import annotations

import sys
from typing import Final

SDK: Final = "opentelemetry.sdk.trace"


def current_span_ids() -> tuple[str, str] | None:
    """Give trace id and span id as hexadecimal text, or None when nothing is traced now."""
    if SDK not in sys.modules:
        return None
    from opentelemetry.trace import get_current_span  # noqa: PLC0415 -- loaded already, or never needed

    context = get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def current_trace_state() -> str:
    """Give what vendors noted on the trace of OpenTelemetry's current span, as a header; empty if there is nothing."""
    if SDK not in sys.modules:
        return ""
    from opentelemetry.trace import get_current_span  # noqa: PLC0415 -- loaded already, or never needed

    return str(get_current_span().get_span_context().trace_state.to_header())
