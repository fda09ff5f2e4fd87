"""Diagram of chapter 03: a loss is entropy plus divergence."""

from svg import PALE, Diagram


def split_bar():
    """The loss as a bar of two pieces."""
    d = Diagram(
        250,
        "The cross-entropy of a model drawn as one bar: a long piece is the entropy, which no "
        "model can avoid, and a short piece is the KL divergence, which training can remove.",
    )
    d.text(20, 30, "cross-entropy: the loss to expect on new text", 21, "start", weight="bold")
    d.line(20, 62, 620, 62)
    d.line(20, 54, 20, 70)
    d.line(620, 54, 620, 70)
    d.box(20, 84, 430, 70, "entropy H(p)", "gray", 23)
    d.box(450, 84, 170, 70, "KL(p ‖ q)", "orange", 23)
    d.text(235, 194, "the text’s own uncertainty:\nno model gets below it", 20)
    d.text(535, 194, "what this model\nstill gets wrong", 20)
    d.text(20, 238, "p: the true distribution     q: the model’s", 18, "start", PALE)
    return d


DIAGRAMS = {"03_entropy_and_divergence": split_bar}
