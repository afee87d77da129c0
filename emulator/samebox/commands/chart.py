"""Metrics by time as a picture: a panel for each metric, with a line for each host. Drawn by Pillow, an extra."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.commands.outcome import Stop

try:
    from PIL import Image, ImageDraw, ImageFont
except ImportError:  # an extra of the package: see `picture`
    Image = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from PIL.ImageDraw import ImageDraw as Drawing

    from samebox.commands.metrics import Curve

_SCALE = 2  # dots for each dot of the layout
_WIDTH, _TITLE, _PANEL, _FOOT = 900, 46, 170, 24
_LEFT, _RIGHT, _ABOVE, _BELOW = 76, 24, 34, 18  # of the plot in its panel
_TICKS = 4
_INK, _GREY, _GRID, _PAPER = "#1f2328", "#656d76", "#e4e8ec", "#ffffff"
_COLOURS = ("#0969da", "#cf4f08", "#1a7f37", "#8250df", "#bf3989", "#9a6700", "#0f7b8a", "#57606a")
_UNITS = ((1.0, "s"), (60.0, "min"), (3600.0, "h"), (86400.0, "d"))

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class _Panel:
    """One metric: by the host's name ('' for one of the log) seconds since the start of all, and values."""

    name: str
    lines: Mapping[str, Points]


def save(curves: Sequence[Curve], title: str, file: Path) -> None:
    """Write the picture as PNG. Raises Stop where Pillow is not installed."""
    if Image is None:
        raise Stop("a PNG is drawn by Pillow, which is not installed: pip install 'samebox[png]'.", status=2)
    _picture(curves, title).save(file, "PNG", optimize=True)


def _picture(curves: Sequence[Curve], title: str) -> Image.Image:
    panels = _panels(curves)
    height = _TITLE + _PANEL * len(panels) + _FOOT
    image = Image.new("RGB", (_WIDTH * _SCALE, height * _SCALE), _PAPER)
    draw = ImageDraw.Draw(image)
    _text(draw, (_LEFT, 14), title, _INK, 18)
    end = max((at for panel in panels for points in panel.lines.values() for at, _ in points), default=0.0)
    for number, panel in enumerate(panels):
        _draw_panel(draw, panel, _TITLE + _PANEL * number, end or 1.0)
    seconds, unit = next((size, name) for size, name in reversed(_UNITS) if end >= 2 * size or size == 1.0)
    for at in ticks(0.0, end / seconds):
        if at * seconds > end:
            break
        _text(draw, (_x(at * seconds, end or 1.0), height - _FOOT), f"{at:g} {unit}", _GREY, 11, "ma")
    return image


def _panels(curves: Sequence[Curve]) -> list[_Panel]:
    first = min((one.times[0] for one in curves), default=None)
    found: dict[str, dict[str, Points]] = {}
    for one in curves:
        host, _, name = one.name.rpartition(" ")
        points = [(at - first).total_seconds() for at in one.times] if first else []
        found.setdefault(name, {})[host] = list(zip(points, one.values, strict=True))
    return [_Panel(name, lines) for name, lines in found.items()]


def _draw_panel(draw: Drawing, panel: _Panel, top: int, end: float) -> None:
    values = [value for points in panel.lines.values() for _, value in points]
    marks = ticks(min(values), max(values))
    low, high = min(marks[0], *values), max(marks[-1], *values)
    upper, lower = top + _ABOVE, top + _PANEL - _BELOW

    def y(value: float) -> float:
        return lower - (value - low) / ((high - low) or 1.0) * (lower - upper)

    for mark in marks:
        _line(draw, [(_LEFT, y(mark)), (_WIDTH - _RIGHT, y(mark))], _GRID, 1)
        _text(draw, (_LEFT - 8, y(mark)), f"{mark:.4g}", _GREY, 11, "rm")
    _text(draw, (_LEFT, top + 12), panel.name, _INK, 13)
    place = float(_WIDTH - _RIGHT)
    for number, (host, points) in reversed(list(enumerate(panel.lines.items()))):
        colour = _COLOURS[number % len(_COLOURS)]
        dots = [(_x(at, end), y(value)) for at, value in points]
        _line(draw, dots, colour, 2)
        if len(dots) == 1:
            _dot(draw, dots[0], colour)
        label = f"{host} {points[-1][1]:.5g}".strip()
        _text(draw, (place, top + 12), label, colour, 12, "ra")
        place -= draw.textlength(label, ImageFont.load_default(12 * _SCALE)) / _SCALE + 16


def ticks(least: float, most: float) -> list[float]:
    """Round numbers from one to the other, and the nearest outside of them: some four steps of 1, 2 or 5 by tens."""
    span = (most - least) or abs(most) or 1.0
    power = 10 ** math.floor(math.log10(span / _TICKS))
    step = next(power * one for one in (1, 2, 5, 10) if span / (power * one) <= _TICKS)
    first = math.floor(least / step + 1e-9)
    last = max(math.ceil(most / step - 1e-9), first + 1)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _x(at: float, end: float) -> float:
    return _LEFT + at / end * (_WIDTH - _RIGHT - _LEFT)


def _line(draw: Drawing, points: Iterable[tuple[float, float]], colour: str, width: int) -> None:
    draw.line([(x * _SCALE, y * _SCALE) for x, y in points], colour, width * _SCALE, joint="curve")


def _dot(draw: Drawing, place: tuple[float, float], colour: str) -> None:
    draw.circle((place[0] * _SCALE, place[1] * _SCALE), 3 * _SCALE, colour)


def _text(draw: Drawing, place: tuple[float, float], text: str, colour: str, size: int, anchor: str = "la") -> None:
    x, y = place
    draw.text((x * _SCALE, y * _SCALE), text, colour, ImageFont.load_default(size * _SCALE), anchor)
