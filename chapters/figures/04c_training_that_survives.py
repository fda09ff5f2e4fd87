"""Diagrams of notebook 04c: what one training step reads."""

from svg import PALE, RED, Diagram


def step():
    """Five things decide the next update; three more are only reported."""
    d = Diagram(
        520,
        "What one training step reads: the order of the rows and the position in it give the "
        "batch; the weights; the dropout counters give the dropout masks; Adam's two means; the "
        "count of updates gives the learning rate. It changes the last four and moves the "
        "position. The sums behind the metrics, the history and the callbacks' memories are "
        "only reported.",
    )
    d.text(16, 26, "what is read", 20, "start", weight="bold")
    d.text(292, 26, "what it gives", 20, "start", weight="bold")
    parts = [
        ("order of the rows,\nposition in it", "the batch", "blue"),
        ("weights", "the prediction", "orange"),
        ("dropout counters", "the dropout masks", "blue"),
        ("Adam's two means\nper weight", "the direction", "blue"),
        ("count of updates", "the learning rate", "blue"),
    ]
    for n, (read, gives, tint) in enumerate(parts):
        y = 48 + 68 * n
        d.box(16, y, 212, 56, read, tint, 20)
        d.arrow(230, y + 28, 280, y + 28)
        d.text(292, y + 28, gives, 20, "start")
        d.line(470, y + 28, 490, y + 28)
    d.line(490, 76, 490, 348)
    d.arrow(490, 212, 514, 212)
    d.box(516, 176, 108, 72, "one\nupdate", "green", 20)
    d.arrow(570, 250, 570, 416, color=PALE, dashed=True)
    d.box(16, 418, 608, 52, "metric sums, history, callbacks' memories", "gray", 20)
    d.text(16, 496, "only reported (unless a callback stops the run)", 20, "start", PALE)
    d.text(292, 396, "saving the weights alone saves the orange box", 18, "middle", RED)
    return d


DIAGRAMS = {"04c_step": step}
