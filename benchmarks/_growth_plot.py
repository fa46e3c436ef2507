"""Draws how figures grow with a number: one SVG, a small panel each, the number logarithmic, the figures from zero."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 300, 190
COLUMNS = 3
LEFT, RIGHT, TOP, BOTTOM = 48, 26, 34, 30
STYLE = """
  text { font: 11px system-ui, sans-serif; fill: #868e96 }
  .title { font-size: 12px; font-weight: 600 }
  .grid { stroke: #868e96; stroke-opacity: .25 }
  .line { stroke: #228be6; stroke-width: 2; fill: none }
  .dot { fill: #228be6 }
"""


def draw(counts: Sequence[int], figures: Mapping[str, Sequence[float]], caption: str) -> str:
    """Give the SVG of figures that were measured at `counts`; the caption stands below."""
    rows = -(-len(figures) // COLUMNS)
    width, height = COLUMNS * WIDTH, rows * HEIGHT + 24
    panels = []
    for place, (title, values) in enumerate(figures.items()):
        row, column = divmod(place, COLUMNS)
        panel = _panel(title, counts, values)
        panels.append(f'<g transform="translate({column * WIDTH},{row * HEIGHT})">{panel}</g>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f"<title>{escape(caption)}</title><style>{STYLE}</style>\n"
        + "\n".join(panels)
        + f'\n<text x="{LEFT}" y="{height - 8}">{escape(caption)}</text></svg>\n'
    )


def _panel(title: str, counts: Sequence[int], values: Sequence[float]) -> str:
    top = _round_up(max(values))
    low, high = math.log10(counts[0]), math.log10(counts[-1])

    def x(count: float) -> float:
        return LEFT + (math.log10(count) - low) / ((high - low) or 1) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    parts = [f'<text class="title" x="{LEFT}" y="18">{escape(title)}</text>']
    for share in (0.0, 0.5, 1.0):
        at = y(share * top)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{_short(share * top)}</text>')
    powers = range(math.ceil(low), math.floor(high) + 1)
    parts += [f'<text x="{x(10**n):.1f}" y="{HEIGHT - 12}" text-anchor="middle">10^{n}</text>' for n in powers]
    places = [(x(count), y(value)) for count, value in zip(counts, values, strict=True)]
    parts.append('<polyline class="line" points="' + " ".join(f"{a:.1f},{b:.1f}" for a, b in places) + '"/>')
    for (a, b), count, value in zip(places, counts, values, strict=True):
        told = f"{count:,} series: {_short(value)}"
        parts.append(f'<circle class="dot" cx="{a:.1f}" cy="{b:.1f}" r="3.5"><title>{escape(told)}</title></circle>')
    return "".join(parts)


def _round_up(value: float) -> float:
    """Give the next of 1, 2, 5, 10, 20, ..."""
    power = 10 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999)


def _short(value: float) -> str:
    if value >= 1000:
        return f"{value / 1000:g}k" if value >= 10_000 else f"{value:,.0f}"
    return f"{value:.3g}"
