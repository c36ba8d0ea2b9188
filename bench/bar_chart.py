"""Bars in SVG, for a report: a label, a bar, a figure."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

WIDTH, LABELS, FIGURES = 720, 170, 90
#: Height of a bar with what is around it, and of a title.
BAR, TITLE = 24, 34


class Chart(NamedTuple):
    """Bars of one unit."""

    title: str
    #: Labels, and figures of 0 and more.
    bars: Sequence[tuple[str, float]]

    @property
    def height(self) -> int:
        return TITLE + BAR * len(self.bars)


def svg(charts: Sequence[Chart]) -> str:
    """The charts below one another."""
    height = sum(chart.height for chart in charts) + BAR // 2
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    top = 0
    for chart in charts:
        lines.append(_text(8, top + 22, chart.title, 'font-weight="bold"'))
        longest = max((figure for _, figure in chart.bars), default=0.0) or 1.0
        for number, (label, figure) in enumerate(chart.bars):
            y = top + TITLE + BAR * number
            length = (WIDTH - LABELS - FIGURES) * figure / longest
            lines += [
                _text(LABELS - 8, y + 13, label, 'text-anchor="end"'),
                f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR - 8}"'
                ' fill="#3b6ea8"/>',
                _text(LABELS + length + 6, y + 13, f"{figure:,.4g}"),
            ]
        top += chart.height
    return "\n".join([*lines, "</svg>\n"])


def _text(x: float, y: float, text: str, attributes: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y}" {attributes}>{escape(text)}</text>'
