"""What a bare line tells of itself: its time, level, service, trace and span; and which lines belong to one record.

Owns the formats that are recognised on arrival. Refuses to change a body, except for the frame that a container
runtime put around it; taking a line apart is the business of queries.
"""

from holdfast.telemetry.logs.recognition.cri import CriJoiner, Framed
from holdfast.telemetry.logs.recognition.ids import span_id, trace_id
from holdfast.telemetry.logs.recognition.lines import Recognised, recognise
from holdfast.telemetry.logs.recognition.multiline import Joiner, join_lines
from holdfast.telemetry.logs.recognition.times import from_number, from_text, time_in_year

__all__ = [
    "CriJoiner",
    "Framed",
    "Joiner",
    "Recognised",
    "from_number",
    "from_text",
    "join_lines",
    "recognise",
    "span_id",
    "time_in_year",
    "trace_id",
]
