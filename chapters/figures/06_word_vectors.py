"""Diagram of chapter 06: from a window around a word to scores with labels."""

from svg import PALE, Diagram


def skip_gram():
    """A sentence, the window, one pair and two negatives, two tables, three scores."""
    d = Diagram(
        560,
        "Skip-gram with negative sampling. In the sentence 'Mia and Tom ran to the lake', the "
        "word ran has a window of two words on each side: and, Tom, to, the. It makes four "
        "pairs. The pair ran, Tom is kept company by two random contexts, book and cold. The "
        "word's row u comes from the word table, three rows v come from the context table. Each "
        "dot product of u and v is a score. Training pushes the score of Tom up, label 1, and "
        "the scores of book and cold down, label 0.",
    )
    words = ["Mia", "and", "Tom", "ran", "to", "the", "lake"]
    tints = ["plain", "blue", "blue", "orange", "blue", "blue", "plain"]
    d.cells(12, 34, words, 88, 46, tints, 22)
    d.text(320, 16, "the window: two words on each side", 18, color=PALE)
    for end in (144, 232, 408, 496):
        d.arrow(320, 82, 320, 104, end, 104, end, 84)
    d.text(12, 146, "pairs", 20, "start", weight="bold")
    for number, context in enumerate(("and", "Tom", "to", "the")):
        x = 100 + number * 134
        d.box(x, 124, 122, 44, f"ran, {context}", "green" if context == "Tom" else "plain", 20)
    d.text(150, 214, "word table", 20, weight="bold")
    d.text(456, 214, "context table", 20, weight="bold")
    d.arrow(240, 170, 160, 198)
    d.arrow(290, 170, 440, 198)
    rows = [("ran", "orange", 312)]
    for name, tint, y in rows:
        d.text(20, y + 20, name, 20, "start")
        d.cells(70, y, ["", "", "", ""], 40, 40, tint)
    d.text(150, 378, "u", 22)
    for (name, note, tint), y in zip(
        [("Tom", "from text", "green"), ("book", "random", "gray"), ("cold", "random", "gray")],
        (242, 312, 382),
        strict=True,
    ):
        d.cells(376, y, ["", "", "", ""], 40, 40, tint)
        d.text(546, y + 8, name, 20, "start")
        d.text(546, y + 34, note, 18, "start", PALE)
        d.arrow(234, 332, 370, y + 20)
    d.text(456, 438, "v", 22)
    d.text(12, 484, "scores", 20, "start", weight="bold")
    scores = [("u · v(Tom)", "green"), ("u · v(book)", "gray"), ("u · v(cold)", "gray")]
    for number, (text, tint) in enumerate(scores):
        x = 100 + number * 178
        d.box(x, 462, 166, 44, text, tint, 20)
        d.text(x + 83, 530, ("label 1: up", "label 0: down", "label 0: down")[number], 20)
    return d


DIAGRAMS = {"06_skip_gram": skip_gram}
