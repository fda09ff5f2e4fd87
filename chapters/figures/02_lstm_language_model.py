"""Diagrams of chapter 02: inputs beside shifted targets, the LSTM cell, the GRU cell."""

from svg import PALE, RED, Diagram


def shifted():
    """Targets are the inputs, one step later."""
    d = Diagram(
        320,
        "Inputs and targets of a language model: the target at every position is the input at "
        "the next position; padding in the targets is marked as not scored.",
    )
    words, step = ["[END]", "Mia", "ran", "home", ".", "[END]"], 88
    for y, name in ((56, "inputs"), (176, "targets")):
        d.text(12, y, name, 22, "start", weight="bold")
    tints = {tint: [tint] * 5 + ["gray"] for tint in ("blue", "green")}
    d.cells(104, 34, [*words[:-1], "0"], width=step, height=44, tint=tints["blue"])
    d.cells(104, 154, [*words[1:], "−1"], width=step, height=44, tint=tints["green"])
    for n in range(5):
        x = 104 + step * n + 34
        d.arrow(x, 78, x, 152)
        if n < 4:  # from a word to its copy
            d.arrow(x + step, 78, x + 28, 152, color=PALE, dashed=True)
    d.arrow(12, 236, 56, 236)
    d.text(66, 236, "one prediction", 20, "start")
    d.arrow(222, 236, 266, 236, color=PALE, dashed=True)
    d.text(278, 236, "the same word, one place to the left", 20, "start", PALE)
    d.text(12, 286, "gray: 0 fills the row; −1 (IGNORE) is not scored", 20, "start")
    return d


def lstm_cell():
    """Three gates and a candidate write the cell state."""
    d = Diagram(
        520,
        "The LSTM cell: the forget gate multiplies the old cell state, the input gate times the "
        "candidate is added, and the output gate times tanh of the cell state is the new state. "
        "Going back along the cell state, the gradient is multiplied by the forget gate.",
    )
    d.text(20, 24, "the cell state c runs straight through", 21, "start", weight="bold")
    d.text(326, 54, "going back: gradient × f", 20, color=RED)
    d.arrow(552, 76, 100, 76, color=RED, dashed=True)
    d.line(20, 110, 190, 110, width=4)
    d.circle(214, 110, 22, "×", "orange", 28)
    d.line(236, 110, 346, 110, width=4)
    d.circle(370, 110, 22, "+", "orange", 28)
    d.arrow(392, 110, 620, 110, width=4)
    d.text(60, 84, "cₜ₋₁", 22)
    d.text(592, 84, "cₜ", 22)
    gates = ["forget\ngate f\nσ", "input\ngate i\nσ", "candidate\ng\ntanh", "output\ngate o\nσ"]
    for n, name in enumerate(gates):
        x = 160 + 122 * n
        d.box(x - 4, 300, 108, 84, name, "green" if n == 2 else "blue", 20)
        d.arrow(x + 50, 430, x + 50, 386)
    d.arrow(214, 298, 214, 134)
    d.text(196, 216, "f", 22)
    d.circle(370, 216, 20, "×", "orange", 26)
    d.arrow(336, 298, 336, 216, 348, 216)
    d.text(322, 262, "i", 22)
    d.arrow(454, 298, 454, 216, 392, 216)
    d.text(468, 262, "g", 22)
    d.arrow(370, 194, 370, 134)
    d.arrow(540, 112, 540, 150)
    d.box(504, 152, 72, 36, "tanh", "plain", 19)
    d.circle(576, 232, 20, "×", "orange", 26)
    d.arrow(540, 190, 540, 232, 554, 232)
    d.arrow(576, 298, 576, 254)
    d.text(592, 278, "o", 22)
    d.arrow(598, 232, 632, 232)
    d.text(618, 210, "hₜ", 22)
    d.text(20, 430, "xₜ, hₜ₋₁", 22, "start")
    d.line(108, 430, 576, 430)
    d.text(108, 464, "the word and the old state enter all four boxes", 20, "start")
    d.text(20, 500, "cₜ = f ⊙ cₜ₋₁ + i ⊙ g        hₜ = o ⊙ tanh(cₜ)", 21, "start", PALE)
    return d


def gru_cell():
    """One gate mixes the old state with a candidate."""
    d = Diagram(
        580,
        "The GRU cell: the update gate z multiplies the old state, 1 minus z times the candidate "
        "is added, and inside the candidate the reset gate r multiplies only the part that comes "
        "from the old state.",
    )
    d.text(20, 30, "the state h itself is kept and added to", 21, "start", weight="bold")
    d.line(20, 110, 136, 110, width=4)
    d.circle(160, 110, 22, "×", "orange", 28)
    d.line(182, 110, 336, 110, width=4)
    d.circle(360, 110, 22, "+", "orange", 28)
    d.arrow(382, 110, 620, 110, width=4)
    d.text(50, 84, "hₜ₋₁", 22)
    d.text(592, 84, "hₜ", 22)
    d.box(84, 290, 152, 70, "update gate\nσ", "blue", 20)
    d.box(284, 290, 152, 70, "candidate\ntanh", "green", 20)
    d.box(496, 388, 134, 70, "reset gate\nσ", "blue", 20)
    d.arrow(160, 288, 160, 134)
    d.text(142, 256, "z", 22)
    d.arrow(160, 206, 210, 206)
    d.box(212, 186, 84, 40, "1 − z", "plain", 20)
    d.arrow(296, 206, 338, 206)
    d.circle(360, 206, 20, "×", "orange", 26)
    d.arrow(360, 288, 360, 228)
    d.text(378, 258, "g", 22)
    d.arrow(360, 184, 360, 134)
    d.arrow(310, 480, 310, 362)  # the word's part of the candidate: no gate
    d.circle(410, 423, 20, "×", "orange", 26)
    d.arrow(410, 480, 410, 445)
    d.arrow(410, 401, 410, 362)
    d.arrow(496, 423, 432, 423)
    d.text(464, 402, "r", 22)
    d.arrow(160, 480, 160, 362)
    d.arrow(563, 480, 563, 460)
    d.text(160, 502, "xₜ and hₜ₋₁", 20)
    d.text(310, 512, "part\nfrom xₜ", 20)
    d.text(410, 512, "part\nfrom hₜ₋₁", 20)
    d.text(563, 502, "xₜ and hₜ₋₁", 20)
    d.text(20, 552, "hₜ = z ⊙ hₜ₋₁ + (1 − z) ⊙ g", 21, "start", PALE)
    return d


DIAGRAMS = {
    "02_shifted_targets": shifted,
    "02_lstm_cell": lstm_cell,
    "02c_gru_cell": gru_cell,
}
