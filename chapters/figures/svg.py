"""The few shapes that the course's diagrams are made of, written as SVG.

A diagram is 640 units wide and its text at least 18 units high, so that it can be read on a
phone, where a page is about 390 pixels wide. It brings its own light background: the same
file works on a light page, on a dark one, and in print. Tints differ in lightness, so they
stay apart in gray.
"""

import re
from xml.sax.saxutils import escape

WIDTH = 640
FONTS = "Helvetica, Arial"
# For a drawing with Chinese characters, fonts of Linux, macOS and Windows that have them.
CHINESE_FONTS = "'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei'"
INK, PALE = "#1b1b1b", "#6B6B6B"
# Okabe and Ito's hues, made light enough for black text.
TINTS = {
    "plain": "#ffffff",
    "blue": "#b7d9ee",
    "orange": "#ffd58a",
    "green": "#bfe6d5",
    "red": "#f3b08c",
    "purple": "#e9c9da",
    "gray": "#dddddd",
}


class Diagram:
    """A drawing that grows by shapes.

    Args:
        height: units from top to bottom.
        title: the sentence that a screen reader says instead of the drawing.
    """

    def __init__(self, height, title):
        self.height, self.title, self.parts = height, title, []

    def box(self, x, y, width, height, text="", tint="plain", size=20):
        """Draws a rounded box with centered text; a line break makes a second line."""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" '
            f'fill="{TINTS[tint]}" stroke="{INK}" stroke-width="1.5"/>'
        )
        self.text(x + width / 2, y + height / 2, text, size)

    def cells(self, x, y, texts, width=64, height=40, tint="plain", size=20):
        """Draws boxes side by side; `tint` is one name, or one for each box."""
        tints = [tint] * len(texts) if isinstance(tint, str) else tint
        for number, (text, name) in enumerate(zip(texts, tints, strict=True)):
            self.box(x + number * width, y, width, height, text, name, size)

    def circle(self, x, y, radius, text="", tint="plain", size=22):
        """Draws a circle with centered text."""
        self.parts.append(
            f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{TINTS[tint]}" '
            f'stroke="{INK}" stroke-width="1.5"/>'
        )
        self.text(x, y, text, size)

    def text(self, x, y, text, size=20, anchor="middle", color=INK, weight="normal"):
        """Writes text whose lines are centered around y."""
        lines = text.split("\n") if text else []
        top = y - (len(lines) - 1) * size * 0.6
        for number, line in enumerate(lines):
            self.parts.append(
                f'<text x="{x:g}" y="{top + number * size * 1.2 + size * 0.35:g}" '
                f'font-size="{size}" text-anchor="{anchor}" fill="{color}" '
                f'font-weight="{weight}" style="white-space:pre">{escape(line)}</text>'
            )

    def arrow(self, *points, color=INK, width=2.0, dashed=False):
        """Draws a line through points, given as x, y, x, y, ..., with a head at its end."""
        self._line(points, color, width, dashed, f' marker-end="url(#{_head(color)})"')

    def line(self, *points, color=INK, width=2.0, dashed=False):
        """Draws a line through points without a head."""
        self._line(points, color, width, dashed, "")

    def _line(self, points, color, width, dashed, end):
        pairs = " ".join(f"{x:g},{y:g}" for x, y in zip(points[::2], points[1::2], strict=True))
        dash = ' stroke-dasharray="6 5"' if dashed else ""
        self.parts.append(
            f'<polyline points="{pairs}" fill="none" stroke="{color}" '
            f'stroke-width="{width:g}"{dash}{end}/>'
        )

    def svg(self):
        """Returns the drawing as the text of an SVG file."""
        heads = "".join(
            f'<marker id="{_head(color)}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
            f'markerHeight="7" orient="auto-start-reverse" markerUnits="strokeWidth">'
            f'<path d="M0 0 10 5 0 10z" fill="{color}"/></marker>'
            for color in (INK, PALE, RED)
        )
        chinese = re.search("[\u4e00-\u9fff]", "".join(self.parts))
        fonts = f"{FONTS}, {CHINESE_FONTS}" if chinese else FONTS
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height:g}" '
            f'width="100%" style="max-width:{WIDTH}px" role="img" '
            f'font-family="{fonts}, sans-serif">\n'
            f"<title>{escape(self.title)}</title>\n<defs>{heads}</defs>\n"
            f'<rect width="{WIDTH}" height="{self.height:g}" fill="#fcfcfa"/>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )


RED = "#B34400"


def _head(color):
    return f"head-{color[1:]}"
