"""Diagrams of chapters 04 and 04b: attention, heads, block and model, the cache."""

from svg import PALE, RED, Diagram


def attention():
    """One word asks all words up to itself."""
    d = Diagram(
        556,
        "Attention for one word: the query of 'She' is compared with the key of every word up "
        "to it, softmax turns the scores into weights, and the output is the weighted sum of "
        "the values. Its last number, the name Mia, was 0 before and is 0.34 now.",
    )
    words, scores = ["Mia", "met", "Tom", "She"], ["2", "0", "1", "2"]
    vectors = ["1 0 1 1", "0 1 0 0", "0 0 1 0", "1 0 1 0"]
    weights = ["0.336", "0.124", "0.204", "0.336"]
    d.text(16, 34, "query of “She”", 20, "start", weight="bold")
    d.box(164, 12, 100, 42, vectors[3], "orange", 22)
    d.text(280, 34, "is compared with every key", 20, "start", PALE)
    for n, word in enumerate(words):
        x = 164 + 118 * n
        d.text(x + 50, 98, word, 21, weight="bold")
        d.box(x, 116, 100, 42, vectors[n], "blue", 22)
        d.text(x + 50, 208, f"{scores[n]} / √4", 20)
        d.arrow(x + 50, 160, x + 50, 188)
        d.text(x + 50, 302, weights[n], 21, weight="bold")
        d.box(x, 332, 100, 42, vectors[n], "green", 22)
        d.arrow(x + 50, 376, x + 50, 414)
    d.text(16, 138, "keys", 20, "start")
    d.text(16, 208, "scores q·k / √4", 18, "start")
    d.box(164, 236, 454, 36, "softmax", "gray", 20)
    d.text(16, 302, "weights", 20, "start")
    d.text(16, 354, "values", 20, "start")
    d.line(214, 416, 568, 416)
    d.arrow(391, 416, 391, 438)
    d.text(16, 462, "output", 20, "start")
    d.box(270, 440, 242, 44, "", "orange")
    for n, number in enumerate(["0.67", "0.12", "0.88"]):
        d.text(302 + 58 * n, 462, number, 21)
    d.text(478, 462, "0.34", 21, color=RED, weight="bold")
    d.arrow(478, 508, 478, 488, color=RED)
    d.text(624, 524, "“She” had 0 here: the name Mia has arrived", 20, "end", RED)
    return d


def heads():
    """(B, T, C) to (B, H, T, D) and back."""
    d = Diagram(
        520,
        "How heads are split: queries of shape (B, T, C) are reshaped to (B, T, H, D), "
        "transposed to (B, H, T, D), and after attention both steps are reversed.",
    )
    d.text(20, 30, "(B, T, C) = (2, 4, 6)", 20, "start", weight="bold")
    tints = ["blue"] * 3 + ["orange"] * 3
    numbers = [[str(6 * t + c) for c in range(6)] for t in range(4)]  # of each word's channels
    for t in range(4):
        d.cells(20, 48 + 34 * t, numbers[t], width=34, height=34, tint=tints)
    d.text(122, 204, "one text of the two", 19)
    d.arrow(236, 116, 316, 116)
    d.text(276, 88, "reshape", 19)
    d.text(330, 30, "(B, T, H, D) = (2, 4, 2, 3)", 20, "start", weight="bold")
    for t in range(4):
        # Each word stands by itself, with its two groups: words come first, then heads.
        d.cells(330, 44 + 41 * t, numbers[t][:3], width=34, height=34, tint="blue")
        d.cells(442, 44 + 41 * t, numbers[t][3:], width=34, height=34, tint="orange")
    d.text(442, 222, "word by word: two groups of channels", 19)
    d.arrow(442, 234, 442, 270)
    d.text(456, 258, "transpose", 19, "start")
    d.text(330, 296, "(B, H, T, D) = (2, 2, 4, 3)", 20, "start", weight="bold")
    for t in range(4):
        d.cells(330, 312 + 34 * t, numbers[t][:3], width=34, height=34, tint="blue")
        d.cells(500, 312 + 34 * t, numbers[t][3:], width=34, height=34, tint="orange")
    d.text(381, 466, "head 1", 20)
    d.text(551, 466, "head 2", 20)
    beside = "Attention runs in each|head by itself, with|T × T weights per head."
    back = "The way back: transpose,|then reshape to (B, T, C)."
    for n, line in enumerate([*beside.split("|"), "", *back.split("|")]):
        d.text(20, 318 + 26 * n, line, 20, "start")
    d.text(20, 504, "B batch   T time   C channels   H heads   D = C / H", 18, "start", PALE)
    return d


def block():
    """The model on the left, one block on the right."""
    d = Diagram(
        640,
        "A Transformer language model with shapes: ids, token and position embeddings, a stack "
        "of blocks, layer normalization, and a dense layer that makes the logits. Beside it "
        "one block: two residual connections around attention and the feed-forward network, "
        "each preceded by layer normalization.",
    )
    d.text(120, 26, "the model", 22, weight="bold")
    parts = [
        (578, "ids", "plain", "(B, T)"),
        (492, "token + position\nembedding", "blue", "(B, T, C)"),
        (398, "block 1", "orange", "(B, T, C)"),
        (312, "block 2", "orange", "(B, T, C)"),
        (226, "layer\nnormalization", "gray", "(B, T, C)"),
        (140, "dense layer", "blue", "(B, T, V)"),
    ]
    for n, (y, name, tint, shape) in enumerate(parts):
        d.box(30, y, 180, 52, name, tint, 19)
        above = parts[n + 1][0] + 52 if n + 1 < len(parts) else 96
        d.arrow(120, y, 120, above + 2)
        d.text(130, (y + above) / 2, shape, 18, "start", PALE)
    d.text(120, 78, "logits", 20)
    d.text(440, 26, "one block", 22, weight="bold")
    d.arrow(440, 622, 440, 532)
    d.text(452, 610, "x (B, T, C)", 18, "start", PALE)
    d.box(350, 480, 180, 50, "layer\nnormalization", "gray", 19)
    d.arrow(440, 480, 440, 452)
    d.box(350, 400, 180, 50, "attention", "green", 20)
    d.arrow(440, 400, 440, 372)
    d.circle(440, 350, 20, "+", "orange", 26)
    d.arrow(440, 576, 586, 576, 586, 350, 462, 350, color=RED, width=3)
    d.arrow(440, 330, 440, 284)
    d.box(350, 232, 180, 50, "layer\nnormalization", "gray", 19)
    d.arrow(440, 232, 440, 204)
    d.box(350, 134, 180, 68, "feed-forward:\nC → 4C, GELU, → C", "green", 18)
    d.arrow(440, 134, 440, 112)
    d.circle(440, 90, 20, "+", "orange", 26)
    d.arrow(440, 308, 586, 308, 586, 90, 462, 90, color=RED, width=3)
    d.arrow(440, 70, 440, 42)
    d.text(312, 350, "red: residual\nconnections", 18, color=RED)
    return d


def cache():
    """Only the new word is computed."""
    d = Diagram(
        420,
        "The key-value cache: keys and values of the words read so far are kept; for a new word "
        "only its own query, key and value are computed, and the query looks at the whole cache.",
    )
    words = ["Mia", "met", "Tom", "She"]
    d.text(20, 30, "kept from earlier steps", 20, "start", weight="bold")
    d.text(500, 30, "new word", 20, "start", weight="bold", color=RED)
    for n, word in enumerate([*words, "smiled"]):
        x = 96 + 100 * n + (24 if n == 4 else 0)
        tint = "gray" if n < 4 else "orange"
        d.text(x + 44, 70, word, 20)
        d.box(x, 92, 88, 44, f"k{'₁₂₃₄₅'[n]}", tint, 22)
        d.box(x, 150, 88, 44, f"v{'₁₂₃₄₅'[n]}", tint, 22)
    d.text(20, 114, "keys", 20, "start")
    d.text(20, 172, "values", 20, "start")
    d.box(520, 262, 88, 44, "q₅", "orange", 22)
    d.line(96, 204, 96, 214, 608, 214, 608, 204, color=RED, width=3)
    d.arrow(518, 284, 330, 284, 330, 216, color=RED, width=3)
    d.text(424, 306, "looks at all five", 20)
    d.text(20, 346, "Without a cache, step t computes t keys and t values,", 20, "start")
    d.text(20, 374, "t − 1 of each again. With it: one of each.", 20, "start")
    d.text(20, 402, "The price is memory that grows with t.", 20, "start")
    return d


DIAGRAMS = {
    "04_attention": attention,
    "04_heads": heads,
    "04_block_and_model": block,
    "04b_cache": cache,
}
