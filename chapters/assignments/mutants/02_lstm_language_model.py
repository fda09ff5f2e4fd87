"""Wrong solutions of assignment 02."""

from mutants import wrong_answers

TABLE = """
def bigram_table(rows, vocab_size, alpha):
    rows = np.asarray(rows)
    before = np.concatenate([np.zeros_like(rows[:, :1]), rows[:, :-1]], axis=1)
    inside = rows != 0
    counts = np.zeros((vocab_size, vocab_size))
    np.add.at(counts, (before[inside], rows[inside]), 1)
    counts[:, 1:] += alpha
    return counts / counts.sum(axis=1, keepdims=True)
"""

CUT = """
def cut_ahead(ids, length, stride, ahead):
    ids = np.asarray(ids)
    starts = np.arange(0, len(ids) - length - ahead + 1, stride)
    places = starts[:, None] + np.arange(length)
    return ids[places], ids[places + ahead]
"""

STEP = """
def mgu_step(x, h, mask, W, U, b):
    x_gate, x_candidate = np.split(x @ W + b, 2, axis=-1)
    U_gate, U_candidate = np.split(U, 2, axis=-1)
    f = 1 / (1 + np.exp(-(x_gate + h @ U_gate)))
    g = np.tanh(x_candidate + (f * h) @ U_candidate)
    return np.where(mask[:, None], (1 - f) * h + f * g, h)
"""

PERPLEXITY = """
def word_perplexity(probabilities, words):
    with np.errstate(divide="ignore"):
        total = -sum(np.log(pieces).sum() for pieces in probabilities)
    return float(np.exp(total / sum(words)))
"""

DRAW = """
def draw(probabilities, temperature, points):
    if temperature == 0:
        return np.full(len(points), np.argmax(probabilities))
    with np.errstate(divide="ignore"):
        logs = np.log(probabilities) / temperature
    edges = np.cumsum(np.exp(logs - logs.max()))
    return np.searchsorted(edges, np.asarray(points) * edges[-1], side="right")
"""

LOSS = """
def held_out_loss(inputs, targets, model):
    losses = []
    for row, wanted in zip(inputs, targets, strict=True):
        h = np.zeros(len(model["U"]))
        for word, target in zip(row, wanted, strict=True):
            h = np.tanh(model["embed"][word] + h @ model["U"])
            if target != IGNORE:
                logits = h @ model["out"]
                losses.append(np.log(np.exp(logits).sum() / np.exp(logits[target])))
    return np.mean(losses)
"""

LM = """
def build_lm(vocab_size, embed_dim, units):
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(vocab_size, embed_dim),
            keras.layers.LSTM(units, return_sequences=True),
            keras.layers.Dense(embed_dim, activation="tanh"),
            keras.layers.Dense(vocab_size),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), lm_loss(), jit_compile=False)
    return model


def fit_lm(model, rows):
    inputs, targets = next_tokens(rows)
    model.fit(inputs, targets, batch_size=8, epochs=3, verbose=0)
"""

_table = wrong_answers("task_1_bigram_table", TABLE)
_cut = wrong_answers("task_2_cut_ahead", CUT)
_step = wrong_answers("task_3_mgu_step", STEP)
_perplexity = wrong_answers("task_4_word_perplexity", PERPLEXITY)
_drawn = wrong_answers("task_5_draw", DRAW)
_loss = wrong_answers("task_7_loss", LOSS)
_keras = wrong_answers("task_8_lm", LM)

TOTAL = "-sum(np.log(pieces).sum() for pieces in probabilities)"
RESULT = "float(np.exp(total / sum(words)))"
LOGS = "np.log(probabilities) / temperature"
START = '        h = np.zeros(len(model["U"]))\n'
READ = '            h = np.tanh(model["embed"][word] + h @ model["U"])\n'
SCORE = """            if target != IGNORE:
                logits = h @ model["out"]
                losses.append(np.log(np.exp(logits).sum() / np.exp(logits[target])))
"""

NOTHING = [
    _table(
        "nothing is returned",
        "check_1_counts",
        "bigram_table returns None; it must be an array of numbers of shape (5, 5)",
        ("    return counts /", "    counts /"),
    ),
    _table(
        "the table has no row for beginnings",
        "check_1_counts",
        "an array of shape (4, 4); it must be an array of numbers of shape (5, 5)",
        ("return counts /", "counts = counts[1:, 1:]\n    return counts /"),
    ),
    _cut(
        "nothing is returned",
        "check_2_shift",
        "cut_ahead returns None; it must return 2 results",
        ("return ids[places], ids", "ids[places], ids"),
    ),
    _cut(
        "only the inputs are returned",
        "check_2_shift",
        "it must be an array of numbers of shape (any, 3)",
        ("return ids[places], ids[places + ahead]", "return ids[places]"),
    ),
    _cut(
        "windows in a list, the last one shorter",
        "check_2_shift",
        "rows of different lengths",
        (
            "    return ids[places], ids[places + ahead]",
            "    starts = range(0, len(ids), stride)\n"
            "    windows = [list(ids[i : i + length]) for i in starts]\n"
            "    return windows, windows",
        ),
    ),
    _step(
        "nothing is returned",
        "check_3_paper",
        "mgu_step returns None; it must be an array of numbers of shape (1, 1), (B, H)",
        ("return np.where", "np.where"),
    ),
    _step(
        "the mask is not turned into a column",
        "check_3_mask",
        "an array of shape (3, 3); it must be an array of numbers of shape (3, 1)",
        ("mask[:, None]", "mask"),
    ),
    _perplexity(
        "nothing is returned",
        "check_4_value",
        "word_perplexity returns None; it must be one number",
        ("return float", "float"),
    ),
    _drawn(
        "nothing is returned",
        "check_5_sharpen",
        "draw returns None; it must be an array of integers of shape (600,)",
        ("return np.searchsorted", "np.searchsorted"),
    ),
    _drawn(
        "words as floats",
        "check_5_sharpen",
        "an array of float64; it must be an array of integers",
        ('side="right")', 'side="right").astype(float)'),
    ),
    _loss(
        "nothing is returned",
        "check_7_unit",
        "held_out_loss returns None; it must be one number",
        ("return np.mean", "np.mean"),
    ),
    _loss(
        "the losses are returned, not their mean",
        "check_7_unit",
        "an array of shape (3,); it must be one number",
        ("return np.mean(losses)", "return losses"),
    ),
    _keras(
        "no model is returned",
        "check_8_build",
        "build_lm returns None; it must be a keras.Sequential",
        ("    return model\n", ""),
    ),
]

MUTANTS = [
    *NOTHING,
    _table(
        "rows are next words, columns are words before",
        "check_1_counts",
        "columns sum to 1",
        ("(before[inside], rows[inside])", "(rows[inside], before[inside])"),
        ("counts[:, 1:] += alpha", "counts[1:, :] += alpha"),
        ("axis=1, keepdims=True)\n", "axis=0, keepdims=True).clip(1e-9)\n"),
    ),
    _table(
        "a text's last word is followed by the next text's first",
        "check_1_counts",
        "nothing follows 3",
        (
            "before = np.concatenate([np.zeros_like(rows[:, :1]), rows[:, :-1]], axis=1)",
            "before = np.concatenate([[0], rows.ravel()[:-1]]).reshape(rows.shape)",
        ),
    ),
    _table(
        "a pair that occurs twice is counted once: += with an index array",
        "check_1_counts",
        "but you have counted it once",
        (
            "np.add.at(counts, (before[inside], rows[inside]), 1)",
            "counts[before[inside], rows[inside]] += 1",
        ),
    ),
    _table(
        "alpha is given to V words, padding included",
        "check_1_counts",
        "padding is not a word",
        ("counts[:, 1:] += alpha", "counts += alpha"),
    ),
    _table(
        "the denominator counts V words, the numerators V - 1",
        "check_1_counts",
        "add alpha (V - 1) to the denominator",
        ("counts.sum(axis=1, keepdims=True)", "(counts.sum(axis=1, keepdims=True) + alpha)"),
    ),
    _table(
        "divides by how often the word occurs, including at the ends of texts",
        "check_1_counts",
        "not how often v occurs",
        (
            "    return counts / counts.sum(axis=1, keepdims=True)",
            "    n = np.bincount(rows.ravel(), minlength=vocab_size)\n"
            "    n[0] = len(rows)\n"
            "    return counts / (n + alpha * (vocab_size - 1))[:, None]",
        ),
    ),
    _table(
        "alpha is added to the numerator, not to the denominator",
        "check_1_counts",
        "is alpha missing from the denominator",
        ("counts / counts.sum(axis=1, keepdims=True)", "counts / total"),
        (
            "    counts[:, 1:] += alpha\n",
            "    total = counts.sum(axis=1, keepdims=True)\n    counts[:, 1:] += alpha\n",
        ),
    ),
    _table(
        "only what was never seen is smoothed",
        "check_1_counts",
        "row 1 is",
        ("counts[:, 1:] += alpha", "counts[:, 1:] = np.maximum(counts[:, 1:], alpha)"),
    ),
    _table(
        "first words are not counted",
        "check_1_start",
        "row 0 is uniform",
        ("    inside = rows != 0\n", "    inside = (rows != 0) & (before != 0)\n"),
    ),
    _table(
        "padding is a word like any other",
        "check_1_padding",
        "padding never follows a word",
        ("inside = rows != 0", "inside = np.ones(rows.shape, bool)"),
    ),
    _table(
        "padding followed by padding counts as a beginning",
        "check_1_padding",
        "with two columns of padding, row 0",
        ("inside = rows != 0", "inside = np.ones(rows.shape, bool)"),
        (
            "counts[:, 1:] += alpha",
            "counts[0] += counts[:, 0]; counts[:, 0] = 0\n    counts[:, 1:] += alpha",
        ),
    ),
    _cut(
        "the targets are the inputs",
        "check_2_shift",
        "nothing is predicted",
        ("ids[places + ahead]", "ids[places]"),
    ),
    _cut(
        "one target per window",
        "check_2_shift",
        "as its second result, an array of shape (2,); it must be",
        ("ids[places + ahead]", "ids[places[:, -1] + ahead]"),
    ),
    _cut(
        "windows never overlap, whatever the stride",
        "check_2_stride",
        "is the stride ignored",
        ("ahead + 1, stride)", "ahead + 1, length)"),
    ),
    _cut(
        "the target is the next id, whatever `ahead` is",
        "check_2_ahead",
        "your targets are only 1 place ahead",
        ("ids[places + ahead]", "ids[places + 1]"),
    ),
    _cut(
        "the text wraps around",
        "check_2_end",
        "wraps around to its beginning",
        ("len(ids) - length - ahead + 1", "len(ids) - length + 1"),
        ("ids[places + ahead]", "np.roll(ids, -ahead)[places]"),
    ),
    _cut(
        "the last window that fits is lost",
        "check_2_shift",
        "fits, but yours leave it out",
        ("len(ids) - length - ahead + 1", "len(ids) - length - ahead"),
    ),
    _step(
        "f is what is kept",
        "check_3_paper",
        "f and 1 - f are swapped",
        ("(1 - f) * h + f * g", "f * h + (1 - f) * g"),
    ),
    _step(
        "the candidate sees all of h, as in a plain network",
        "check_3_paper",
        "it should see f * h",
        ("(f * h) @ U_candidate", "h @ U_candidate"),
    ),
    _step(
        "the candidate's columns come first",
        "check_3_paper",
        "gate and candidate are swapped",
        ("x_gate, x_candidate", "x_candidate, x_gate"),
        ("U_gate, U_candidate = np", "U_candidate, U_gate = np"),
    ),
    _step(
        "the gate goes through tanh",
        "check_3_paper",
        "a gate goes through the sigmoid",
        ("1 / (1 + np.exp(-(x_gate + h @ U_gate)))", "np.tanh(x_gate + h @ U_gate)"),
    ),
    _step(
        "the gate comes after the matrix",
        "check_3_matrices",
        "(f * h) U is not f * (h U)",
        ("(f * h) @ U_candidate", "f * (h @ U_candidate)"),
    ),
    _step(
        "the gate does not see the state",
        "check_3_matrices",
        "the gate sees only x",
        ("-(x_gate + h @ U_gate)", "-x_gate"),
    ),
    _step(
        "U is transposed",
        "check_3_matrices",
        "U is transposed",
        ("(f * h) @ U_candidate", "(f * h) @ U_candidate.T"),
        ("h @ U_gate", "h @ U_gate.T"),
    ),
    _step(
        "the mask is ignored",
        "check_3_mask",
        "but its state has changed",
        ("np.where(mask[:, None], (1 - f) * h + f * g, h)", "(1 - f) * h + f * g"),
    ),
    _step(
        "padding sets the state to 0",
        "check_3_mask",
        "its state became 0",
        ("f * g, h)", "f * g, 0)"),
    ),
    _step(
        "padding in one text stops all texts",
        "check_3_mask",
        "padding in text 1 changed texts 0 and 2",
        ("mask[:, None]", "mask.all()"),
    ),
    _step(
        "writes into the caller's state",
        "check_3_mask",
        "your function changed h",
        (
            "return np.where(mask[:, None], (1 - f) * h + f * g, h)",
            "h[mask] = ((1 - f) * h + f * g)[mask]\n    return h",
        ),
    ),
    _perplexity(
        "divides by the number of pieces",
        "check_4_value",
        "by the number of pieces, not of words",
        ("sum(words)", "sum(map(len, probabilities))"),
    ),
    _perplexity(
        "the mean of the texts' perplexities",
        "check_4_value",
        "the mean of the texts' perplexities",
        (TOTAL, "[-np.log(pieces).sum() for pieces in probabilities]"),
        (RESULT, "np.mean(np.exp(np.array(total) / words))"),
    ),
    _perplexity(
        "the exponential of the mean of the texts' losses",
        "check_4_value",
        "the mean of the texts' losses",
        (TOTAL, "[-np.log(pieces).sum() for pieces in probabilities]"),
        (RESULT, "np.exp(np.mean(np.array(total) / words))"),
    ),
    _perplexity(
        "log2, undone with exp",
        "check_4_value",
        "log2 does not go with exp",
        ("np.log(pieces)", "np.log2(pieces)"),
    ),
    _perplexity(
        "multiplies the probabilities first",
        "check_4_long",
        "as a float, their product is 0",
        (TOTAL, "-np.log(np.prod([np.prod(pieces) for pieces in probabilities]))"),
    ),
    _perplexity(
        "a little is added so that no logarithm is infinite",
        "check_4_zero",
        "not infinite",
        ("np.log(pieces)", "np.log(pieces + 1e-9)"),
    ),
    _perplexity(
        "impossible pieces are left out",
        "check_4_zero",
        "not infinite",
        ("np.log(pieces).sum()", "np.log(pieces[pieces > 0]).sum()"),
    ),
    _drawn(
        "divides probabilities by the temperature; the sum takes it out again",
        "check_5_sharpen",
        "the temperature has no effect",
        (LOGS, "np.log(probabilities / temperature)"),
    ),
    _drawn(
        "the exponent is the temperature",
        "check_5_sharpen",
        "the exponent is tau",
        (LOGS, "np.log(probabilities) * temperature"),
    ),
    _drawn(
        "mistakes probabilities for logits",
        "check_5_sharpen",
        "they are not logits",
        (LOGS, "probabilities / temperature"),
    ),
    _drawn(
        "a piece contains its right end: point 0 draws a word without a probability",
        "check_5_impossible",
        "were drawn; only 1 and 3 can be",
        ('side="right"', 'side="left"'),
    ),
    _drawn(
        "a little is added so that no logarithm is infinite",
        "check_5_impossible",
        "were drawn; only 1 and 3 can be",
        ("np.log(probabilities)", "np.log(probabilities + 1e-3)"),
    ),
    _drawn(
        "raises to the power without logarithms",
        "check_5_cold",
        "did 0.5 ** 2000 become 0?",
        (LOGS, "probabilities ** (1 / temperature)"),
        ("np.exp(logs - logs.max())", "logs"),
    ),
    _drawn(
        "temperature 0 returns one word, however many points there are",
        "check_5_cold",
        "an array of shape (1,); it must be an array of integers of shape (600,)",
        ("np.full(len(points), np.argmax(probabilities))", "[np.argmax(probabilities)]"),
    ),
    _drawn(
        "temperature 0 draws among all",
        "check_5_cold",
        "expected word 1 only",
        ("np.full(len(points), np.argmax(probabilities))", "draw(probabilities, 1.0, points)"),
    ),
    _loss(
        "bits instead of nats",
        "check_7_unit",
        "that is in bits",
        ("np.log(np.exp", "np.log2(np.exp"),
    ),
    _loss(
        "the sum of the losses",
        "check_7_unit",
        "the sum over 3 words",
        ("np.mean(losses)", "np.sum(losses)"),
    ),
    _loss(
        "reads the word that it has to predict",
        "check_7_leak",
        "read the word that it has to predict",
        ('model["embed"][word]', 'model["embed"][target]'),
    ),
    _loss(
        "scores the word that was read",
        "check_7_leak",
        "read the word that it has to predict",
        ("np.exp(logits[target])", "np.exp(logits[word])"),
    ),
    _loss(
        "predicts before it has read the input",
        "check_7_leak",
        "read the input before you predict",
        (READ, ""),
        (SCORE, SCORE + READ),
    ),
    _loss(
        "the start word is not read, so that the first word is not scored",
        "check_7_leak",
        "predicted from the start word",
        ("zip(row, wanted, strict=True)", "zip(row[1:], wanted[1:], strict=True)"),
    ),
    _loss(
        "the state goes on from text to text",
        "check_7_state",
        "one text's state enters the next",
        (START, ""),
        ("    losses = []\n", '    losses = []\n    h = np.zeros(len(model["U"]))\n'),
    ),
    _loss(
        "the state starts again at every word",
        "check_7_state",
        "forgets between words",
        ('model["embed"][word] + h @ model["U"]', 'model["embed"][word]'),
    ),
    _loss(
        "IGNORE is scored: as an index, -1 is the last word",
        "check_7_padding",
        "three more columns of IGNORE",
        ("if target != IGNORE", "if True"),
    ),
    _loss(
        "takes the id 0 for what is not scored",
        "check_7_padding",
        "three more columns of IGNORE",
        ("if target != IGNORE", "if target != 0"),
    ),
    _loss(
        "stops at the first IGNORE",
        "check_7_padding",
        "an IGNORE does not end the text",
        (READ, "            if target == IGNORE:\n                break\n" + READ),
    ),
    _loss(
        "does not read the input where the target is IGNORE",
        "check_7_padding",
        "is the input above IGNORE read",
        (READ, "            if target == IGNORE:\n                continue\n" + READ),
    ),
    _loss(
        "the mean of the texts' means",
        "check_7_mean",
        "every word should count once",
        ("    losses = []\n    for row", "    means = []\n    for row"),
        (START, "        losses = []\n" + START),
        (
            "    return np.mean(losses)",
            "        means.append(np.mean(losses))\n    return np.mean(means)",
        ),
    ),
    _loss(
        "the number of words is that of the longest text",
        "check_7_mean",
        "not their mean",
        (
            "np.mean(losses)",
            "np.sum(losses) / (targets != IGNORE).sum(axis=1).max() / len(targets)",
        ),
    ),
    _keras(
        "the LSTM returns its last state only",
        "check_8_build",
        "at every word",
        (", return_sequences=True", ""),
    ),
    _keras(
        "no bottleneck, as the chapter's model",
        "check_8_build",
        "where is layer 3",
        ('            keras.layers.Dense(embed_dim, activation="tanh"),\n', ""),
    ),
    _keras(
        "a plain recurrent layer",
        "check_8_build",
        "an LSTM with 5 units",
        ("layers.LSTM", "layers.SimpleRNN"),
    ),
    _keras(
        "reads the texts from the end",
        "check_8_causal",
        "read from the end",
        ("return_sequences=True", "return_sequences=True, go_backwards=True"),
    ),
    _keras(
        "a softmax along the text, so that every position depends on all others",
        "check_8_causal",
        "position 0 sees an id",
        (
            "keras.layers.Dense(vocab_size),",
            "keras.layers.Dense(vocab_size),\n            keras.layers.Softmax(axis=1),",
        ),
    ),
    _keras(
        "a softmax below a loss that wants logits",
        "check_8_compile",
        "lm_loss wants logits",
        ("Dense(vocab_size),", 'Dense(vocab_size, activation="softmax"),'),
    ),
    _keras(
        "the loss takes the logits for probabilities",
        "check_8_compile",
        "compiled with lm_loss",
        (
            "lm_loss()",
            "keras.losses.SparseCategoricalCrossentropy(from_logits=False, ignore_class=IGNORE)",
        ),
    ),
    _keras(
        "the targets are the inputs",
        "check_8_score",
        "your targets are the inputs",
        ("model.fit(inputs, targets", "model.fit(inputs, inputs"),
    ),
    _keras(
        "the target is the word before",
        "check_8_score",
        "shifted to the next word",
        ("model.fit(inputs, targets", "model.fit(inputs, np.roll(inputs, 1, axis=1)"),
    ),
    _keras(
        "one epoch at Keras's own learning rate",
        "check_8_score",
        "another learning rate",
        ("Adam(0.01)", "Adam()"),
        ("epochs=3", "epochs=1"),
    ),
    _keras(
        "never calls fit",
        "check_8_score",
        "has not changed a single weight",
        ("    model.fit(inputs, targets, batch_size=8, epochs=3, verbose=0)\n", ""),
    ),
]
