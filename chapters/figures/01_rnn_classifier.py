"""Diagrams of chapter 01: text to padded ids, the unrolled network, the way back in time."""

from svg import PALE, RED, Diagram


def padding():
    """Three reviews become one array of ids."""
    d = Diagram(
        470,
        "Three short reviews are split into words, each word is looked up in the vocabulary, "
        "and the rows of ids are padded with zeros to one length.",
    )
    rows = [["warm", "not", "dull"], ["dull", "not", "warm"], "a warm and clever film".split()]
    ids = [["2", "4", "3"], ["3", "4", "2"], ["5", "2", "6", "7", "8"]]
    d.text(20, 28, "words", 22, "start", weight="bold")
    for n, row in enumerate(rows):
        d.cells(20, 50 + 46 * n, row, width=74, height=38)
    d.text(420, 28, "vocabulary", 22, "start", weight="bold")
    entries = ["[PAD]", "[UNK]", "warm", "dull", "not", "a", "and", "clever", "film"]
    for n, entry in enumerate(entries):
        color = RED if n == 0 else "#1b1b1b"
        d.text(424 + 110 * (n // 5), 60 + 31 * (n % 5), f"{n}  {entry}", 19, "start", color)
    d.arrow(60, 198, 60, 248)
    d.text(76, 224, "look up, then pad with 0", 19, "start")
    d.text(20, 276, "one array of ids: 3 reviews, 5 places each", 22, "start", weight="bold")
    for n, row in enumerate(ids):
        full = [*row, *["0"] * (5 - len(row))]
        tints = ["blue"] * len(row) + ["gray"] * (5 - len(row))
        d.cells(20, 300 + 46 * n, full, width=74, height=38, tint=tints)
    d.text(420, 344, "gray: padding,\nno word at all", 20, "start")
    return d


def unrolled():
    """The same cell, once per word."""
    d = Diagram(
        440,
        "An unrolled recurrent network: the same cell reads one word vector at each step and "
        "passes its state on; a dense layer reads the last state.",
    )
    d.text(20, 28, "one cell, used once per word", 22, "start", weight="bold")
    for t, word in enumerate(["warm", "not", "dull"]):
        x = 110 + 160 * t
        d.box(x, 172, 96, 72, "cell\nW, U, b", "orange")
        d.box(x, 306, 96, 42, f"x{'₁₂₃'[t]}", "blue")
        d.text(x + 48, 376, f"“{word}”", 20)
        d.arrow(x + 48, 306, x + 48, 246)
    d.text(48, 176, "h₀ = 0", 20)
    d.arrow(20, 208, 108, 208)
    for t in range(2):
        x = 206 + 160 * t
        d.arrow(x, 208, x + 62, 208)
        d.text(x + 31, 186, f"h{'₁₂'[t]}", 20)
    d.arrow(526, 208, 576, 208, 576, 130)
    d.text(556, 232, "h₃", 20)
    d.box(500, 74, 128, 54, "sigmoid\nV h₃ + c", "green", 19)
    d.arrow(500, 100, 420, 100)
    d.text(408, 100, "answer o", 22, "end", weight="bold")
    d.text(20, 414, "x: vector of a word     h: state after a word", 20, "start", PALE)
    return d


def backpropagation():
    """The gradient runs back through every state."""
    d = Diagram(
        400,
        "Backpropagation through time: the forward pass runs from the first word to the loss, "
        "the gradient runs back through every state and is multiplied at every step.",
    )
    for t, word in enumerate(["dull", "not", "warm"]):
        x = 40 + 160 * t
        d.box(x, 140, 96, 60, f"h{'₁₂₃'[t]}", "orange", 24)
        d.text(x + 48, 262, f"“{word}”", 20)
        d.arrow(x + 48, 246, x + 48, 204)
    for t in range(2):
        d.arrow(138 + 160 * t, 156, 196 + 160 * t, 156)
        d.arrow(196 + 160 * t, 186, 140 + 160 * t, 186, color=RED, width=3, dashed=True)
    d.box(516, 140, 104, 60, "loss L", "green", 22)
    d.arrow(458, 156, 514, 156)
    d.arrow(514, 186, 460, 186, color=RED, width=3, dashed=True)
    d.text(40, 40, "forward: compute the states and the loss", 20, "start")
    d.arrow(440, 40, 560, 40)
    d.text(40, 80, "backward: pass the gradient on", 20, "start", RED)
    d.arrow(560, 80, 440, 80, color=RED, width=3, dashed=True)
    d.text(40, 308, "δ₂ = Uᵀ δ₃ ⊙ (1 − h₂²)        δ₁ = Uᵀ δ₂ ⊙ (1 − h₁²)", 21, "start", RED)
    d.text(40, 346, "Every step back multiplies by Uᵀ, and each entry by at most 1.", 20, "start")
    d.text(40, 376, "Each step adds δₜ times hₜ₋₁ to the gradient of U.", 20, "start")
    return d


DIAGRAMS = {
    "01_padding": padding,
    "01_unrolled_rnn": unrolled,
    "01_backpropagation": backpropagation,
}
