"""Diagram of notebook 06c: what a projection removes, and what it leaves."""

from svg import PALE, Diagram


def what_remains():
    """Words in the plane of two directions, before and after the projection."""
    d = Diagram(
        470,
        "Two planes side by side. In both, the horizontal direction g runs from the name Tom on "
        "the left to the name Mia on the right. The vertical direction h has nothing to do with "
        "it. Before the projection, the adjectives pretty and lovely are at the top, a little to "
        "the right; strong and heavy are at the bottom, a little to the left. The projection "
        "moves each adjective sideways until it is as near to Tom as to Mia. Afterwards, pretty "
        "and lovely are still at the top, strong and heavy still at the bottom.",
    )
    before = {"pretty": (94, 74), "lovely": (74, 122), "strong": (-74, 262), "heavy": (-94, 310)}
    for left, title in ((10, "before"), (330, "after")):
        middle = left + 150
        d.text(middle, 20, title, 22, weight="bold")
        d.arrow(left + 6, 190, left + 296, 190, color=PALE)
        d.arrow(middle, 352, middle, 36, color=PALE)
        d.text(left + 290, 216, "g", 22, color=PALE)
        d.text(middle - 62, 48, "h", 22, color=PALE)
        d.box(left + 8, 172, 66, 36, "Tom", "orange")
        d.box(left + 210, 172, 66, 36, "Mia", "orange")
        for word, (x, y) in before.items():
            at = middle + (x if title == "before" else 0)
            if title == "before":
                side = 1 if x > 0 else -1
                d.arrow(at - 42 * side, y, middle + 4 * side, y, color=PALE)
            d.box(at - 42, y - 18, 84, 36, word, "blue" if y < 190 else "green")
    d.text(160, 392, "her adjectives lean toward Mia,\nhis toward Tom", 20)
    d.text(480, 392, "no adjective leans,\nyet the lists are still apart", 20)
    d.text(320, 446, "The projection moves every adjective along g, and leaves h alone.", 20)
    return d


DIAGRAMS = {"06c_what_remains": what_remains}
