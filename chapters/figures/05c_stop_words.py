"""Diagram of notebook 05c: two reviews become one text, and one text has one answer."""

from svg import PALE, Diagram


def one_input():
    """Two reviews above, the words that are removed in gray, one text, one answer below."""
    d = Diagram(
        430,
        "Two reviews, 'the film was not good' and 'the film was good', with opposite labels. "
        "Their stop words, drawn gray, are removed: the, was, not. What is left of both is the "
        "same text, 'film good'. A classifier therefore gives both the same answer, and one of "
        "the two answers is wrong.",
    )
    gray = {"the", "was", "not"}
    rows = [(20, 70, "the film was not good", "disliked"), (400, 70, "the film was good", "liked")]
    for x, width, text, label in rows:
        words = text.split()
        d.text(x + width * len(words) / 2 * 0.8, 28, f"label: {label}", 20, weight="bold")
        tints = ["gray" if word in gray else "blue" for word in words]
        d.cells(x, 50, words, width * 0.8, 46, tints, 19)
    d.arrow(160, 100, 270, 186)
    d.arrow(512, 100, 370, 186)
    d.text(318, 128, "remove the list\n(gray)", 18, color=PALE)
    d.cells(230, 190, ["film", "good"], 90, 46, "blue", 20)
    d.text(480, 213, "one text", 18, color=PALE)
    d.arrow(320, 240, 320, 282)
    d.box(220, 286, 200, 46, "any classifier", "orange", 20)
    d.arrow(320, 334, 320, 376)
    d.text(320, 396, "one answer for both: one of them is wrong", 20, weight="bold")
    return d


DIAGRAMS = {"05c_one_input": one_input}
