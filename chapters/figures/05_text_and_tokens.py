"""Diagrams of chapter 05: what byte-pair encoding does to two words and to two characters."""

from svg import PALE, Diagram


def byte_pairs():
    """Four stages: a text, its words, their bytes, the pieces that merges have made."""
    d = Diagram(
        490,
        "Byte-pair encoding in four steps. The text 'cells 浮' is split into 'cells' and ' 浮'. "
        "Each part becomes UTF-8 bytes: five for 'cells', four for space and 浮. Merges join "
        "neighbors: 'cells' becomes the pieces c, ell and s; 浮 was never met, so its three bytes "
        "stay as they are. Each of the seven pieces has an id.",
    )
    rows = [("text", 60), ("parts", 160), ("bytes", 260), ("pieces", 360), ("ids", 438)]
    for name, y in rows:
        d.text(12, y, name, 20, "start", weight="bold")
    d.box(110, 38, 510, 44, "cells 浮", "plain", 22)
    for x, width, text in ((110, 270, "cells"), (400, 220, "␣浮")):
        d.arrow(x + width / 2, 84, x + width / 2, 134)
        d.box(x, 138, width, 44, text, "blue", 22)
        d.arrow(x + width / 2, 184, x + width / 2, 234)
    d.cells(110, 238, ["c", "e", "l", "l", "s"], 54, 44, "gray", 20)
    d.cells(400, 238, ["␣", "E6", "B5", "AE"], 55, 44, "gray", 20)
    places = [137, 245, 353, 427, 482, 537, 592]
    for x in places:
        d.arrow(x, 284, x, 334)
    d.text(181, 310, "merges", 18, "middle", PALE)
    d.box(110, 338, 54, 44, "c", "orange", 20)
    d.box(164, 338, 162, 44, "ell", "orange", 20)
    d.box(326, 338, 54, 44, "s", "orange", 20)
    d.cells(400, 338, ["␣", "E6", "B5", "AE"], 55, 44, "orange", 20)
    for x, number in zip(places, (66, 338, 82, 220, 162, 113, 106), strict=True):
        d.arrow(x, 384, x, 418)
        d.text(x, 438, str(number), 20)
    d.text(510, 468, "never joined: spelled in bytes", 18, "middle", PALE)
    return d


DIAGRAMS = {"05_byte_pairs": byte_pairs}
