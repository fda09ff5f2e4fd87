"""Diagram of notebook 06b: three methods that read the same table of counts."""

from svg import PALE, Diagram


def three_methods():
    """From a word or its pieces to a vector, to a block of scores, to a loss."""
    d = Diagram(
        430,
        "A word becomes a vector in one of two ways: skip-gram and GloVe look it up, FastText "
        "takes the mean of the vectors of its pieces. Word vectors times context vectors give a "
        "block of scores. A loss compares the scores with the same block of the table of counts: "
        "skip-gram and FastText with negative sampling's loss, GloVe with squared errors of the "
        "log counts.",
    )
    d.text(110, 26, "word vectors", 20, weight="bold")
    d.box(20, 48, 180, 56, "look up: skip-gram,\nGloVe", "blue", 18)
    d.text(110, 122, "or", 18, "middle", PALE)
    d.box(20, 140, 180, 56, "mean of pieces:\nFastText", "orange", 18)
    d.text(110, 244, "context vectors", 20, weight="bold")
    d.box(20, 264, 180, 44, "look up", "blue", 18)
    d.arrow(200, 76, 258, 140)
    d.arrow(200, 168, 258, 160)
    d.arrow(200, 286, 258, 186)
    d.box(260, 110, 130, 100, "scores\n500 x 500", "green", 20)
    d.text(325, 92, "dot products", 18, "middle", PALE)
    d.box(260, 352, 130, 60, "counts\n500 x 500", "gray", 20)
    d.text(325, 334, "the same block", 18, "middle", PALE)
    d.box(430, 84, 206, 206, "", "plain", 18)  # one frame: every loss reads both
    d.arrow(392, 160, 428, 160)
    d.arrow(392, 382, 533, 382, 533, 292)
    d.text(536, 72, "loss", 20, weight="bold")
    d.box(440, 96, 188, 72, "negative sampling:\nskip-gram, FastText", "plain", 18)
    d.text(534, 186, "or", 18, "middle", PALE)
    d.box(440, 206, 188, 72, "squared errors\nof log counts: GloVe", "plain", 18)
    return d


DIAGRAMS = {"06b_three_methods": three_methods}
