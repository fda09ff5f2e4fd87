"""Wrong solutions of assignment 04."""

from mutants import Mutant, changed, wrong_answers

MASK = """
def band_mask(new, length, window):
    looks = np.arange(length - new, length)[:, None]
    seen = np.arange(length)[None, :]
    return (seen <= looks) & (looks - seen < window)
"""

NEAR = """
def attend_near(queries, keys, values, mask, slope):
    places = np.arange(len(keys))
    distances = np.abs(places[:, None] - places[None, :])
    scores = queries @ keys.T / np.sqrt(queries.shape[-1]) - slope * distances
    scores = np.where(mask, scores, -1e30)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True)) * mask
    total = weights.sum(axis=-1, keepdims=True)
    return weights @ values / np.maximum(total, 1)
"""

AFTER = """
def attend_near(queries, keys, values, mask, slope):
    places = np.arange(len(keys))
    distances = np.abs(places[:, None] - places[None, :])
    scores = queries @ keys.T / np.sqrt(queries.shape[-1])
    scores = np.where(mask, scores, -1e30)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True)) * mask
    weights = weights / np.maximum(weights.sum(axis=-1, keepdims=True), 1)
    return weights * np.exp(-slope * distances) @ values
"""

HEADS = """
def deal_heads(x, num_heads):
    batch, time, channels = x.shape
    pieces = x.reshape(batch, time, channels // num_heads, num_heads)
    return pieces.transpose(0, 3, 1, 2)


def collect_heads(pieces):
    batch, heads, time, size = pieces.shape
    return pieces.transpose(0, 2, 3, 1).reshape(batch, time, size * heads)
"""

BLOCK = """
def parallel_block(x, gamma, attention, feed_forward):
    size = np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6)
    normed = gamma * x / size
    return x + attention(normed) + feed_forward(normed)
"""

STEP = """
def step(x, cache, Wq, Wk, Wv, window):
    keys = np.concatenate([cache[0], [x @ Wk]])[-window:]
    values = np.concatenate([cache[1], [x @ Wv]])[-window:]
    scores = keys @ (x @ Wq) / np.sqrt(keys.shape[-1])
    weights = np.exp(scores - scores.max())
    return weights @ values / weights.sum(), (keys, values)
"""

IN_PLACE = """
def step(x, cache, Wq, Wk, Wv, window):
    keys, values = cache
    if len(keys) < window:
        keys, values = np.append(keys, [x @ Wk], axis=0), np.append(values, [x @ Wv], axis=0)
    else:
        for array, new in ((keys, x @ Wk), (values, x @ Wv)):
            array[:-1] = array[1:]
            array[-1] = new
    scores = keys @ (x @ Wq) / np.sqrt(keys.shape[-1])
    weights = np.exp(scores - scores.max())
    return weights @ values / weights.sum(), (keys, values)
"""

LOGITS = """
def logits(ids, model, heads):
    ids = ids[-len(model["positions"]) :]
    x = model["tokens"][ids] + model["positions"][: len(ids)]
    queries = (x @ model["query"]).reshape(len(ids), heads, -1).transpose(1, 0, 2)
    keys, values = x @ model["key"], x @ model["value"]
    scores = queries @ keys.T / np.sqrt(keys.shape[1])
    may = np.tril(np.ones((len(ids), len(ids)), bool))
    weights = np.exp(np.where(may, scores, -np.inf))
    seen = weights / weights.sum(axis=-1, keepdims=True) @ values
    x = x + seen.transpose(1, 0, 2).reshape(len(ids), -1) @ model["out"]
    return x @ model["tokens"].T
"""

ECHO = """
class EchoModel(keras.Model):
    def __init__(self, vocab_size, length, embed_dim, num_heads):
        super().__init__()
        self.tokens = keras.layers.Embedding(vocab_size, embed_dim)
        self.positions = keras.layers.Embedding(length, embed_dim)
        self.norm_1 = keras.layers.LayerNormalization(epsilon=1e-5)
        self.attention = keras.layers.MultiHeadAttention(num_heads, embed_dim // num_heads)
        self.expand = keras.layers.Dense(4 * embed_dim, activation="relu")
        self.contract = keras.layers.Dense(embed_dim)
        self.norm_2 = keras.layers.LayerNormalization(epsilon=1e-5)
        self.head = keras.layers.Dense(vocab_size)

    def call(self, ids):
        x = self.tokens(ids) + self.positions(keras.ops.arange(keras.ops.shape(ids)[1]))
        n = self.norm_1(x)
        attention = self.attention(n, n, use_causal_mask=True)
        y = x + attention + self.contract(self.expand(n))
        return self.head(self.norm_2(y))


def fit_echo(model, rows):
    model.compile(keras.optimizers.Adam(0.005), lm_loss(), jit_compile=False)
    inputs, targets = next_tokens(rows)
    model.fit(inputs, targets, batch_size=32, epochs=3, verbose=0)
"""


def mask(mistake, killed_by, hint, *changes, hidden=""):
    """A mutant of task 1."""
    return Mutant("task_1_band_mask", mistake, changed(MASK, *changes), killed_by, hint, hidden)


def near(mistake, killed_by, hint, *changes, code=NEAR, hidden=""):
    """A mutant of task 2."""
    return Mutant("task_2_attend_near", mistake, changed(code, *changes), killed_by, hint, hidden)


def heads(mistake, killed_by, hint, *changes, hidden=""):
    """A mutant of task 3."""
    return Mutant("task_3_heads", mistake, changed(HEADS, *changes), killed_by, hint, hidden)


def block(mistake, killed_by, hint, *changes):
    """A mutant of task 4."""
    return Mutant("task_4_parallel_block", mistake, changed(BLOCK, *changes), killed_by, hint)


def step(mistake, killed_by, hint, *changes, code=STEP, hidden=""):
    """A mutant of task 5."""
    return Mutant("task_5_step", mistake, changed(code, *changes), killed_by, hint, hidden)


def logits(mistake, killed_by, hint, *changes):
    """A mutant of task 7."""
    return Mutant("task_7_logits", mistake, changed(LOGITS, *changes), killed_by, hint)


_echo = wrong_answers("task_8_echo", ECHO)
POSITIONS = " + self.positions(keras.ops.arange(keras.ops.shape(ids)[1]))"
ONE_SUM = "y = x + attention + self.contract(self.expand(n))"
FIT_ECHO = "    model.fit(inputs, targets, batch_size=32, epochs=3, verbose=0)\n"
BAND, LOOKS = (
    "(seen <= looks) & (looks - seen < window)",
    "np.arange(length - new, length)[:, None]",
)
ROOT_D, BIAS = "np.sqrt(queries.shape[-1])", "- slope * distances"
FORBID, LARGEST = "np.where(mask, scores, -1e30)", "scores.max(axis=-1, keepdims=True)"
TOTAL = "weights.sum(axis=-1, keepdims=True)"
DEAL = "x.reshape(batch, time, channels // num_heads, num_heads)"
COLLECT = "pieces.transpose(0, 2, 3, 1).reshape"
SQUARES = "np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6)"
SUM = "return x + attention(normed) + feed_forward(normed)"
KEYS = "np.concatenate([cache[0], [x @ Wk]])[-window:]"
VALUES = "np.concatenate([cache[1], [x @ Wv]])[-window:]"
ASK = "reshape(len(ids), heads, -1).transpose(1, 0, 2)"
SCALE, TRIL = "np.sqrt(keys.shape[1])", "np.tril(np.ones((len(ids), len(ids)), bool))"


def whole(start="", stop="-window:"):
    """The changes that cut the cache before (`start`) and after (`stop`) the new word."""
    old = "np.concatenate([cache[{0}]{1}, [x @ {2}]])[{3}]"
    return tuple(
        (old.format(n, "", matrix, "-window:"), old.format(n, start, matrix, stop))
        for n, matrix in enumerate(("Wk", "Wv"))
    )


NOTHING = [
    mask(
        "nothing is returned",
        "check_1_direction",
        "band_mask returns None; it must be an array of booleans of shape (4, 4)",
        ("return (seen", "(seen"),
    ),
    near(
        "nothing is returned",
        "check_2_paper",
        "attend_near returns None; it must be an array of numbers of shape (3, 3), (T, E)",
        ("return weights", "weights"),
    ),
    block(
        "nothing is returned",
        "check_4_norm",
        "parallel_block returns None; it must be an array of numbers of shape (1, 1, 2)",
        ("return x +", "x +"),
    ),
    step(
        "only the output is returned",
        "check_5_one",
        "it must return two results, the output and the cache",
        (", (keys, values)\n", "\n"),
    ),
    step(
        "nothing is returned",
        "check_5_one",
        "step returns None; it must return two results",
        ("return weights", "weights"),
    ),
    logits(
        "nothing is returned",
        "check_7_context",
        "logits returns None; it must be an array of numbers of shape (1, 4), (T, V)",
        ("    return x @", "    x @"),
    ),
    logits(
        "only the last word's logits",
        "check_7_context",
        "an array of shape (4,); it must be an array of numbers of shape (1, 4), (T, V)",
        ('return x @ model["tokens"].T', 'return x[-1] @ model["tokens"].T'),
    ),
    logits(
        "the heads are not put side by side",
        "check_7_context",
        "an array of shape (1, 1, 4); it must be an array of numbers of shape (1, 4), (T, V)",
        ("seen.transpose(1, 0, 2).reshape(len(ids), -1)", "seen"),
    ),
    _echo(
        "call returns nothing",
        "check_8_parts",
        "your model's call returns None; it must return the logits",
        ("return self.head", "self.head"),
    ),
    _echo(
        "positions for a batch that is not there",
        "check_8_parts",
        "your model stops with",
        ("keras.ops.shape(ids)[1]", "keras.ops.shape(ids)[2]"),
    ),
]

MUTANTS = [
    *NOTHING,
    mask(
        "rows and columns are swapped",
        "check_1_direction",
        "look ahead",
        ("seen <= looks", "seen >= looks"),
        ("looks - seen <", "seen - looks <"),
    ),
    mask(
        "a band on both sides",
        "check_1_direction",
        "look ahead",
        (BAND, "np.abs(looks - seen) < window"),
    ),
    mask(
        "a word does not see itself",
        "check_1_direction",
        "may look at itself",
        ("seen <= looks", "seen < looks"),
    ),
    mask(
        "numbers instead of booleans",
        "check_1_direction",
        "must be an array of booleans",
        (BAND, f"({BAND}).astype(float)"),
    ),
    mask(
        "the window has no effect",
        "check_1_window",
        "is the window ignored",
        (BAND, "seen <= looks"),
    ),
    mask(
        "the window does not include the word itself",
        "check_1_window",
        "the window includes the word itself",
        ("seen < window", "seen <= window"),
    ),
    mask(
        "the new words are the first ones",
        "check_1_new",
        "words 0 and 1",
        (LOOKS, "np.arange(new)[:, None]"),
    ),
    mask(
        "the new words are the first ones if the window is wider than the text",
        "check_1_new",
        "band_mask(2, 3, 9)",
        ("    seen =", "    looks = looks if window <= length else looks - looks[0]\n    seen ="),
        hidden="the visible checks with new words have a window narrower than the text",
    ),
    near("the bias is added", "check_2_paper", "must be subtracted", (BIAS, "+ slope * distances")),
    near("the distance is forgotten", "check_2_paper", "no effect", (BIAS, "")),
    near(
        "the bias is divided by sqrt(D) too",
        "check_2_paper",
        "the bias was divided",
        (
            f"queries @ keys.T / {ROOT_D} {BIAS}",
            f"(queries @ keys.T {BIAS}) / {ROOT_D}",
        ),
    ),
    near(
        "weights shrink with the distance after the softmax",
        "check_2_paper",
        "rows sum to",
        code=AFTER,
    ),
    near(
        "masks after the softmax",
        "check_2_paper",
        "weights changed after",
        (FORBID, "scores"),
        ("* mask\n", "\n"),
        ("return weights @", f"weights = weights / {TOTAL} * mask\n    return weights @"),
        ("/ np.maximum(total, 1)", ""),
    ),
    near(
        "the softmax runs over the words that look",
        "check_2_paper",
        "wrong axis",
        (LARGEST, "scores.max(axis=0, keepdims=True)"),
        (TOTAL, "weights.sum(axis=0, keepdims=True)"),
        ("weights @ values / np.maximum(total, 1)", "weights / np.maximum(total, 1) @ values"),
    ),
    near(
        "forbidden scores become 0",
        "check_2_paper",
        "it looks ahead",
        (FORBID, "scores * mask"),
        ("* mask\n    total", "\n    total"),
    ),
    near("not divided by sqrt(D)", "check_2_scale", "by nothing", (f" / {ROOT_D}", "")),
    near("divided by D", "check_2_scale", "divided by D", (ROOT_D, "queries.shape[-1]")),
    near("divided by sqrt(T)", "check_2_scale", "sqrt(T)", (ROOT_D, "np.sqrt(len(keys))")),
    near(
        "0 / 0 where nothing may be seen",
        "check_2_mask",
        "0 / 0",
        ("np.maximum(total, 1)", "total"),
    ),
    near(
        "a word that may see nothing sees all, as with lmkit's mask",
        "check_2_mask",
        "expected zeros",
        ("* mask\n", "\n"),
    ),
    near(
        "the distance has a sign, so that later words gain",
        "check_2_mask",
        "the distance is |i - j|",
        ("np.abs(places[:, None] - places[None, :])", "places[:, None] - places[None, :]"),
    ),
    near(
        "exp without subtracting the largest score",
        "check_2_mask",
        "exp overflows",
        (f"scores - {LARGEST}", "scores"),
        ("np.maximum(total, 1)", "np.where(total > 0, total, 1)"),
    ),
    near(
        "forbidden scores take part in the maximum",
        "check_2_mask",
        "the maximum",
        (f"scores = {FORBID}\n", "\n"),
        ("np.maximum(total, 1)", "np.where(total > 0, total, 1)"),
        hidden="no forbidden score of the visible checks is far above the allowed ones",
    ),
    heads(
        "splits into neighboring numbers, as the chapter did",
        "check_3_deal",
        "neighboring numbers",
        (DEAL, "x.reshape(batch, time, num_heads, channels // num_heads)"),
        ("pieces.transpose(0, 3, 1, 2)", "pieces.transpose(0, 2, 1, 3)"),
    ),
    heads(
        "reshapes without a transpose",
        "check_3_deal",
        "without a transpose",
        (DEAL, "x.reshape(batch, num_heads, time, channels // num_heads)"),
        ("pieces.transpose(0, 3, 1, 2)", "pieces"),
    ),
    heads(
        "words and heads are swapped",
        "check_3_deal",
        "(B, H, T, D)",
        ("pieces.transpose(0, 3, 1, 2)", "pieces.transpose(0, 1, 3, 2)"),
    ),
    heads(
        "words and numbers are swapped",
        "check_3_deal",
        "yours are swapped",
        ("pieces.transpose(0, 3, 1, 2)", "pieces.transpose(0, 3, 2, 1)"),
    ),
    heads(
        "joins side by side, as the chapter did",
        "check_3_collect",
        "side by side",
        (COLLECT, "pieces.transpose(0, 2, 1, 3).reshape"),
    ),
    heads(
        "joins without a transpose",
        "check_3_collect",
        "without a transpose",
        (COLLECT, "pieces.reshape"),
    ),
    heads(
        "joins words instead of numbers",
        "check_3_collect",
        "which axes",
        (COLLECT, "pieces.transpose(0, 3, 2, 1).reshape"),
    ),
    block(
        "subtracts the mean, as the chapter did",
        "check_4_norm",
        "mean was subtracted",
        ("    size =", "    given, x = x, x - x.mean(axis=-1, keepdims=True)\n    size ="),
        ("return x +", "return given +"),
    ),
    block(
        "the mean runs over the words", "check_4_norm", "along which axis", ("axis=-1", "axis=1")
    ),
    block(
        "the mean runs over everything",
        "check_4_norm",
        "along which axis",
        ("axis=-1, keepdims=True", "keepdims=True"),
    ),
    block("gamma is forgotten", "check_4_norm", "gamma is missing", ("gamma * x", "x")),
    block(
        "the root is forgotten",
        "check_4_norm",
        "the root",
        (SQUARES, "(np.mean(x**2, axis=-1, keepdims=True) + 1e-6)"),
    ),
    block("the sum of the squares", "check_4_norm", "take their mean", ("np.mean", "np.sum")),
    block("0 / 0 for a word of zeros", "check_4_norm", "1e-6", (" + 1e-6", "")),
    block(
        "one branch after the other, as the chapter did",
        "check_4_paths",
        "as in the chapter",
        (
            SUM,
            "x = x + attention(normed)\n"
            f"    size = {SQUARES}\n"
            "    return x + feed_forward(gamma * x / size)",
        ),
    ),
    block(
        "adds to the normalized input",
        "check_4_paths",
        "adds x itself",
        ("return x +", "return normed +"),
    ),
    block(
        "the feed-forward network reads what attention returned",
        "check_4_paths",
        "feed_forward reads what attention returned",
        (SUM, "seen = attention(normed)\n    return x + seen + feed_forward(seen)"),
    ),
    block("each branch adds x", "check_4_paths", "added twice", (SUM, f"{SUM} + x")),
    block(
        "adds into the caller's array",
        "check_4_paths",
        "changed its argument",
        (SUM, "x += attention(normed) + feed_forward(normed)\n    return x"),
    ),
    step(
        "looks before it has stored itself",
        "check_5_one",
        "see itself as well",
        ("scores = keys @", "scores = cache[0] @"),
        ("weights @ values", "weights @ cache[1]"),
    ),
    step(
        "looks only at itself",
        "check_5_one",
        "only at itself",
        ("scores = keys @", "scores = keys[-1:] @"),
        ("weights @ values", "weights @ values[-1:]"),
    ),
    step("stores queries as keys", "check_5_one", "then x Wk", ("[x @ Wk]", "[x @ Wq]")),
    step("keeps the first words", "check_5_all", "wrong words", *whole(stop=":window")),
    step("drops nothing", "check_5_all", "looks at all", *whole(stop=":")),
    step(
        "drops after it has looked: one word too many",
        "check_5_all",
        "drop the oldest first",
        *whole(stop=":"),
        ("(keys, values)", "(keys[-window:], values[-window:])"),
    ),
    step("one word too few", "check_5_all", "only 3 words", *whole("[-window + 2 :]", ":")),
    step("not divided by sqrt(D)", "check_5_all", "scale", (" / np.sqrt(keys.shape[-1])", "")),
    step(
        "trims the cache first, and [-0:] is everything",
        "check_5_all",
        "window 1",
        *whole("[-(window - 1) :]", ":"),
        hidden="only a window of 1 makes the slice begin at -0",
    ),
    step(
        "stores the newest word first",
        "check_5_one",
        "oldest first",
        (KEYS, "np.concatenate([[x @ Wk], cache[0]])[:window]"),
        (VALUES, "np.concatenate([[x @ Wv], cache[1]])[:window]"),
    ),
    step(
        "overwrites the cache that it was given",
        "check_5_cache",
        "changed the cache",
        code=IN_PLACE,
    ),
    step(
        "returns a cache that grows",
        "check_5_cache",
        "keys and values",
        *whole(stop=":"),
        ("scores = keys @", "scores = keys[-window:] @"),
        ("weights @ values", "weights @ values[-window:]"),
    ),
    logits(
        "keeps the first ids",
        "check_7_context",
        "not the last",
        ('ids[-len(model["positions"]) :]', 'ids[: len(model["positions"])]'),
    ),
    logits(
        "counts the positions from the table's end",
        "check_7_context",
        "is at position 0",
        ('["positions"][: len(ids)]', '["positions"][-len(ids) :]'),
    ),
    logits(
        "the mask allows the later words", "check_7_mask", "another last word", ("tril", "triu")
    ),
    logits("no mask at all", "check_7_mask", "another last word", (TRIL, "True")),
    logits(
        "no word sees itself",
        "check_7_context",
        "not even see itself",
        ("bool))", "bool), -1)"),
    ),
    logits(
        "a word sees nothing but itself",
        "check_7_mask",
        "another first word",
        (TRIL, "np.eye(len(ids), dtype=bool)"),
    ),
    logits(
        "splits and joins without a transpose",
        "check_7_heads",
        "split without a transpose",
        (ASK, "reshape(heads, len(ids), -1)"),
        ("seen.transpose(1, 0, 2).reshape", "seen.reshape"),
    ),
    logits(
        "splits correctly, but joins without a transpose",
        "check_7_heads",
        "joined without a transpose",
        ("seen.transpose(1, 0, 2).reshape", "seen.reshape"),
    ),
    logits(
        "joins correctly, but splits without a transpose",
        "check_7_heads",
        "split without a transpose",
        (ASK, "reshape(heads, len(ids), -1)"),
    ),
    logits(
        "deals the queries, but joins side by side",
        "check_7_heads",
        "or dealt",
        (ASK, "reshape(len(ids), -1, heads).transpose(2, 0, 1)"),
    ),
    logits(
        "deals the heads",
        "check_7_heads",
        "as in task 3",
        (ASK, "reshape(len(ids), -1, heads).transpose(2, 0, 1)"),
        ("seen.transpose(1, 0, 2)", "seen.transpose(1, 2, 0)"),
    ),
    logits(
        "divides by sqrt(T)", "check_7_scale", "the number of words", (SCALE, "np.sqrt(len(keys))")
    ),
    logits("divides by sqrt(C)", "check_7_scale", "sqrt(C)", (SCALE, "np.sqrt(x.shape[1])")),
    logits("does not divide", "check_7_scale", "not divided", (f" / {SCALE}", "")),
    _echo(
        "no positions",
        "check_8_parts",
        "position embedding",
        ("        self.positions = keras.layers.Embedding(length, embed_dim)\n", ""),
        (POSITIONS, ""),
    ),
    _echo(
        "every head is as large as the whole vector",
        "check_8_parts",
        "bias of a query, key or value",
        ("embed_dim // num_heads", "embed_dim"),
    ),
    _echo(
        "the feed-forward network is not wider than the vector",
        "check_8_parts",
        "(expand)",
        ("4 * embed_dim", "embed_dim"),
    ),
    _echo(
        "a second normalization before the feed-forward network, as in the chapter",
        "check_8_parts",
        "gamma or beta of a norm",
        (
            "        self.head",
            "        self.norm_3 = keras.layers.LayerNormalization(epsilon=1e-5)\n"
            "        self.head",
        ),
        (
            ONE_SUM,
            "y = x + attention\n        y = y + self.contract(self.expand(self.norm_3(y)))",
        ),
    ),
    _echo(
        "no causal mask",
        "check_8_causal",
        "sees an id",
        (", use_causal_mask=True", ""),
    ),
    _echo(
        "a word sees nothing but itself",
        "check_8_causal",
        "can a word look at those before it",
        (
            "n, n, use_causal_mask=True",
            "n, n, attention_mask=keras.ops.eye(ids.shape[1], dtype='bool')[None]",
        ),
    ),
    _echo(
        "no residual connection",
        "check_8_formula",
        "residual connection is missing",
        ("y = x + attention", "y = attention"),
    ),
    _echo(
        "adds the normalized input",
        "check_8_formula",
        "adds x itself",
        ("y = x + attention", "y = n + attention"),
    ),
    _echo(
        "the feed-forward network reads what attention has added",
        "check_8_formula",
        "it must read n",
        ("self.expand(n)", "self.expand(self.norm_1(x + attention))"),
    ),
    _echo(
        "attention reads the input before it is normalized",
        "check_8_formula",
        "they must read n",
        ("n = self.norm_1(x)", "n, _ = x, self.norm_1(x)"),
    ),
    _echo(
        "no nonlinearity in the feed-forward network",
        "check_8_formula",
        "no relu",
        (', activation="relu"', ""),
    ),
    _echo(
        "looks positions up by the words' ids",
        "check_8_formula",
        "by the words' ids",
        ("keras.ops.arange(keras.ops.shape(ids)[1])", "ids % 7"),
    ),
    _echo(
        "a softmax below a loss that wants logits",
        "check_8_formula",
        "head has no softmax",
        ("Dense(vocab_size)", 'Dense(vocab_size, activation="softmax")'),
    ),
    _echo(
        "the targets are the inputs",
        "check_8_score",
        "shift the targets",
        ("model.fit(inputs, targets", "model.fit(inputs, inputs"),
    ),
    _echo(
        "one epoch in large batches",
        "check_8_score",
        "More epochs",
        ("batch_size=32, epochs=3", "batch_size=500, epochs=1"),
    ),
    _echo("never calls fit", "check_8_score", "has not changed a single weight", (FIT_ECHO, "")),
]
