"""Wrong solutions of assignment 01."""

from mutants import Mutant, changed, wrong_answers

ENCODE = """
def encode_and_pad(rows, id_of, length):
    encoded = []
    for words in rows:
        ids = [id_of.get(word, 1) for word in words]
        if len(ids) > length:
            head = length // 2
            ids = ids[:head] + ids[len(ids) - (length - head) :]
        encoded.append([0] * (length - len(ids)) + ids)
    return np.array(encoded, dtype="int32")
"""

READ = """
def read_states(x, mask, W, U, b, leak):
    states = np.zeros((*x.shape[:2], len(b)))
    h = np.zeros((len(x), len(b)))
    for t in reversed(range(x.shape[1])):
        new = leak * h + (1 - leak) * np.tanh(x[:, t] @ W + h @ U + b)
        h = np.where(mask[:, t, None], new, h)
        states[:, t] = h
    return states
"""

F_BETA = """
def f_beta(labels, probabilities, threshold, beta):
    said = probabilities > threshold
    hits = np.sum(said & (labels == 1))
    praised = np.sum(said & (labels == 0))
    missed = np.sum(~said & (labels == 1))
    if hits == 0:
        return 0.0
    weight = beta**2
    return (1 + weight) * hits / ((1 + weight) * hits + weight * missed + praised)
"""

EVALUATE = """
def evaluate(rows, labels, states_of, v, batch_size, length):
    right = 0
    for start in range(0, len(rows), batch_size):
        batch = [row[-length:] for row in rows[start : start + batch_size]]
        ids = np.array([row + [0] * (length - len(row)) for row in batch])
        mask = (ids != 0)[:, :, None]
        mean = (states_of(ids) * mask).sum(axis=1) / mask.sum(axis=1)
        probabilities = 1 / (1 + np.exp(-mean @ v))[:, 0]
        right += np.sum((probabilities > 0.5) == labels[start : start + batch_size])
    return right / len(rows)
"""

MEAN_OF_MEANS = """
def evaluate(rows, labels, states_of, v, batch_size, length):
    accuracies = []
    for start in range(0, len(rows), batch_size):
        batch = [row[-length:] for row in rows[start : start + batch_size]]
        ids = np.array([row + [0] * (length - len(row)) for row in batch])
        mask = (ids != 0)[:, :, None]
        mean = (states_of(ids) * mask).sum(axis=1) / mask.sum(axis=1)
        probabilities = 1 / (1 + np.exp(-mean @ v))[:, 0]
        accuracies.append(np.mean((probabilities > 0.5) == labels[start : start + batch_size]))
    return np.mean(accuracies)
"""

TRAIN = """
def train_classifier(texts, labels):
    from itertools import pairwise

    def features(text):
        words = WordTokenizer.split(text)
        return [f"{a} {b}" for a, b in pairwise(words)]

    id_of = {}
    rows = [[id_of.setdefault(f, len(id_of)) for f in features(text)] for text in texts]
    weights = fit_weights(rows, labels, len(id_of))

    def score(texts):
        return np.array(
            [sum(weights[id_of[f]] for f in features(text) if f in id_of) for text in texts]
        )

    return score
"""

CLASSIFIER = """
def build_classifier(vocab_size, embed_dim, units):
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(vocab_size, embed_dim, mask_zero=True),
            keras.layers.SimpleRNN(units, go_backwards=True),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    optimizer = keras.optimizers.Adam(0.01)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model


def fit_classifier(model, ids, labels):
    model.fit(ids, labels, batch_size=32, epochs=4, verbose=0)
"""


def encode(mistake, killed_by, hint, *changes, hidden=""):
    """A mutant of task 1."""
    code = changed(ENCODE, *changes)
    return Mutant("task_1_encode_and_pad", mistake, code, killed_by, hint, hidden)


def read(mistake, killed_by, hint, *changes):
    """A mutant of task 2."""
    return Mutant("task_2_read_states", mistake, changed(READ, *changes), killed_by, hint)


def f_beta(mistake, killed_by, hint, *changes):
    """A mutant of task 3."""
    return Mutant("task_3_f_beta", mistake, changed(F_BETA, *changes), killed_by, hint)


def evaluate(mistake, killed_by, hint, *changes, code=EVALUATE):
    """A mutant of task 5."""
    return Mutant("task_5_evaluate", mistake, changed(code, *changes), killed_by, hint)


def train(mistake, killed_by, hint, *changes):
    """A mutant of task 6."""
    return Mutant("task_6_train_classifier", mistake, changed(TRAIN, *changes), killed_by, hint)


_keras = wrong_answers("task_7_classifier", CLASSIFIER)
RECURRENT = "keras.layers.SimpleRNN(units, go_backwards=True)"
FIT = "model.fit(ids, labels, batch_size=32, epochs=4, verbose=0)"
UNKNOWN, NO_HIT = "id_of.get(word, 1) for word in words", "if hits == 0:\n        return 0.0"
ZEROS, KNOWN = "[0] * (length - len(ids)) + ids", "for f in features(text) if f in id_of"
CUT = "ids[:head] + ids[len(ids) - (length - head) :]"
MASKED, MEAN = "np.where(mask[:, t, None], new, h)", "(states_of(ids) * mask).sum(axis=1)"
STATES, NEW = "np.zeros((*x.shape[:2], len(b)))", "new = leak * h + (1 - leak) * np.tanh("

NOTHING = [
    f_beta(
        "nothing is returned",
        "check_3_value",
        "f_beta returns None; it must be one number",
        ("    return (1 + weight)", "    (1 + weight)"),
    ),
    f_beta(
        "a list with one number",
        "check_3_value",
        "an array of shape (1,); it must be one number",
        ("return (1 + weight) * hits", "return [(1 + weight) * hits"),
        ("missed + praised)", "missed + praised)]"),
    ),
    evaluate(
        "nothing is returned",
        "check_5_padding",
        "evaluate returns None; it must be one number",
        ("return right", "right"),
    ),
    train(
        "no function is returned",
        "check_6_alone",
        "train_classifier returns None; it must be a function",
        ("    return score\n", ""),
    ),
    train(
        "the weights are returned",
        "check_6_alone",
        "it must be a function",
        ("    return score\n", "    return weights\n"),
    ),
    train(
        "the scores are a column",
        "check_6_alone",
        "returns gives an array of shape (3, 1); it must be an array of numbers of shape (3,)",
        ("            [sum(", "            [[sum("),
        ("in id_of) for text", "in id_of)] for text"),
    ),
    _keras(
        "no model is returned",
        "check_7_build",
        "build_classifier returns None; it must be a keras.Sequential",
        ("    return model\n", ""),
    ),
]

MUTANTS = [
    *NOTHING,
    encode(
        "pads on the right, as the chapter did",
        "check_1_pad",
        "on the right",
        (ZEROS, "ids + [0] * (length - len(ids))"),
    ),
    encode(
        "an unknown word becomes padding",
        "check_1_pad",
        "but 0 means padding",
        (UNKNOWN, "id_of.get(word, 0) for word in words"),
    ),
    encode(
        "an unknown word is left out",
        "check_1_pad",
        "an unknown word gets the id 1",
        (UNKNOWN, "id_of[word] for word in words if word in id_of"),
    ),
    encode(
        "returns lists of floats",
        "check_1_pad",
        "must be an array of integers",
        ('dtype="int32"', "float"),
    ),
    encode(
        "cuts at the end, as the chapter did",
        "check_1_cut",
        "only the beginning",
        (CUT, "ids[:length]"),
    ),
    encode("cuts at the beginning", "check_1_cut", "only the end", (CUT, "ids[-length:]")),
    encode(
        "the extra place goes to the beginning",
        "check_1_cut",
        "the extra place belongs to the end",
        ("length // 2", "(length + 1) // 2"),
    ),
    encode(
        "half from both sides, so that an odd length lacks a word",
        "check_1_cut",
        "the extra place belongs to the end",
        (CUT, "ids[:head] + ids[-head:]"),
    ),
    encode(
        "writes into the caller's own lists",
        "check_1_pad",
        "changed the lists it was given",
        (
            "ids = [id_of.get(word, 1) for word in words]",
            "words[:] = ids = [id_of.get(word, 1) for word in words]",
        ),
        hidden="the visible checks use every list once, and the ids in it are right",
    ),
    encode(
        "nothing is returned",
        "check_1_pad",
        "returns None",
        ("    return np.array", "    np.array"),
    ),
    encode(
        "rows of different lengths",
        "check_1_pad",
        "rows of different lengths",
        (ZEROS, "ids"),
        ('np.array(encoded, dtype="int32")', "encoded"),
    ),
    read(
        "nothing is returned",
        "check_2_order",
        "read_states returns None; it must be an array of numbers of shape (1, 3, 1)",
        ("    return states\n", ""),
    ),
    read(
        "only the last state is returned",
        "check_2_order",
        "an array of shape (1, 1); it must be an array of numbers of shape (1, 3, 1), (B, T, H)",
        ("    return states\n", "    return h\n"),
    ),
    read(
        "the mask is not turned into a column",
        "check_2_mask",
        "read_states stops with ValueError",
        ("mask[:, t, None]", "mask[:, t]"),
    ),
    read(
        "reads from left to right",
        "check_2_order",
        "from left to right",
        ("reversed(range(x.shape[1]))", "range(x.shape[1])"),
    ),
    read(
        "stores the states in reading order",
        "check_2_order",
        "in reading order",
        ("states[:, t] = h", "states[:, x.shape[1] - 1 - t] = h"),
    ),
    read(
        "leak and 1 - leak are swapped",
        "check_2_order",
        "swapped",
        (NEW, "new = (1 - leak) * h + leak * np.tanh("),
    ),
    read("the leak is forgotten", "check_2_order", "leak is missing", (NEW, "new = np.tanh(")),
    read(
        "every step stores the same array, which is changed in place",
        "check_2_order",
        "change it in place",
        ("h = np.where(", "h[:] = np.where("),
        (STATES, "[None] * x.shape[1]"),
        ("states[:, t] = h", "states[t] = h"),
        ("return states", "return np.stack(states, axis=1)"),
    ),
    read("the mask is ignored", "check_2_mask", "is the mask ignored", (MASKED, "new")),
    read(
        "the mask is inverted",
        "check_2_order",
        "is the mask inverted",
        (MASKED, "np.where(mask[:, t, None], h, new)"),
    ),
    read(
        "a masked step sets the state to 0",
        "check_2_mask",
        "it must be kept",
        (MASKED, "new * mask[:, t, None]"),
    ),
    read(
        "the first row's mask is used for all rows",
        "check_2_mask",
        "each row has its own mask",
        (MASKED, "new if mask[0, t] else h"),
    ),
    read("U is transposed", "check_2_matrices", "transposed?", ("h @ U", "h @ U.T")),
    read("b is forgotten", "check_2_matrices", "look at b", ("h @ U + b", "h @ U")),
    f_beta("F1, whatever beta is", "check_3_value", "no effect", ("beta**2", "1")),
    f_beta("beta is not squared", "check_3_value", "not squared", ("beta**2", "beta")),
    f_beta(
        "beta multiplies the false positives",
        "check_3_value",
        "instead of FN",
        ("weight * missed + praised", "missed + weight * praised"),
    ),
    f_beta(
        "a probability equal to the threshold counts as liked",
        "check_3_counting",
        "not greater than it",
        ("probabilities > threshold", "probabilities >= threshold"),
    ),
    f_beta(
        "an unjudged review counts as not liked",
        "check_3_counting",
        "unjudged",
        ("labels == 0", "labels != 1"),
    ),
    f_beta(
        "the threshold is always 0.5",
        "check_3_counting",
        "does your code use the threshold",
        ("probabilities > threshold", "probabilities > 0.5"),
    ),
    f_beta(
        "0 / 0 without a true positive", "check_3_empty", "0 / 0", (NO_HIT, "hits = hits + 0.0")
    ),
    f_beta(
        "1.0 without a true positive", "check_3_empty", "expected 0.0", ("return 0.0", "return 1.0")
    ),
    evaluate(
        "averages over the padding too",
        "check_5_padding",
        "does your mean include padding",
        (f"{MEAN} / mask.sum(axis=1)", "states_of(ids).mean(axis=1)"),
    ),
    evaluate(
        "divides by the number of words but adds the padding, too",
        "check_5_padding",
        "does your mean include padding",
        (MEAN, "states_of(ids).sum(axis=1)"),
    ),
    evaluate(
        "keeps the first words", "check_5_cut", "cut off the end", ("row[-length:]", "row[:length]")
    ),
    evaluate(
        "compares (B, 1) with (B,)",
        "check_5_shape",
        "which shapes",
        ("(-mean @ v))[:, 0]", "(-mean @ v))"),
    ),
    evaluate(
        "drops the last, smaller batch",
        "check_5_batches",
        "was dropped",
        ("len(rows), batch_size)", "len(rows) - batch_size + 1, batch_size)"),
        ("right / len(rows)", "right / max(1, len(rows) // batch_size * batch_size)"),
    ),
    evaluate(
        "averages the batches' accuracies",
        "check_5_batches",
        "the mean of the batches' means",
        code=MEAN_OF_MEANS,
    ),
    train(
        "a bag of single words",
        "check_6_pairs",
        "do not depend on the order",
        ('[f"{a} {b}" for a, b in pairwise(words)]', "words"),
    ),
    train(
        "pairs of any two words that occur together",
        "check_6_pairs",
        "what captures the order",
        (
            '[f"{a} {b}" for a, b in pairwise(words)]',
            '[f"{a} {b}" for a in set(words[-12:]) for b in set(words[-12:]) if a < b]',
        ),
    ),
    train(
        "the score for the opposite label",
        "check_6_pairs",
        "worse than a coin",
        ("np.array(\n            [sum(", "np.array(\n            [-sum("),
    ),
    train(
        "reads the first words, where there is no verdict",
        "check_6_pairs",
        "do not depend on the order",
        ("WordTokenizer.split(text)", "WordTokenizer.split(text)[:10]"),
    ),
    train(
        "ids are assigned anew when a text is scored",
        "check_6_alone",
        "the other texts",
        (
            "        return np.array(\n",
            "        new = {}\n"
            "        for text in texts:\n"
            "            for f in features(text):\n"
            "                new.setdefault(f, len(new))\n"
            "        id_of = new\n"
            "        return np.array(\n",
        ),
    ),
    train(
        "the scores are centered over the list of texts",
        "check_6_alone",
        "the other texts",
        ("    return score\n", "    return lambda texts: score(texts) - score(texts).mean()\n"),
    ),
    train(
        "stops at a pair that training never saw",
        "check_6_alone",
        "KeyError",
        (KNOWN, "for f in features(text)"),
    ),
    _keras(
        "the recurrent layer returns all its states",
        "check_7_build",
        "its last state only",
        ("go_backwards=True", "go_backwards=True, return_sequences=True"),
    ),
    _keras(
        "two recurrent layers, as the chapter has them",
        "check_7_build",
        "only one recurrent layer",
        (
            RECURRENT,
            "keras.layers.SimpleRNN(units, go_backwards=True, return_sequences=True),\n"
            f"            {RECURRENT}",
        ),
    ),
    _keras(
        "no recurrent layer: a mean over the words",
        "check_7_build",
        "one SimpleRNN with 4 units",
        (RECURRENT, "keras.layers.GlobalAveragePooling1D()"),
    ),
    _keras(
        "two outputs, one per label",
        "check_7_build",
        "expected (2, 1)",
        ("Dense(1,", "Dense(2,"),
    ),
    _keras(
        "reads from left to right, as the chapter does",
        "check_7_reads",
        "from left to right",
        (", go_backwards=True", ""),
    ),
    _keras(
        "the embedding does not mask the padding",
        "check_7_reads",
        "where is the mask",
        (", mask_zero=True", ""),
    ),
    _keras(
        "logits instead of probabilities",
        "check_7_reads",
        "where is the sigmoid",
        ('Dense(1, activation="sigmoid")', "Dense(1)"),
    ),
    _keras(
        "the mean squared error",
        "check_7_compile",
        "mean squared error",
        ('"binary_crossentropy"', '"mean_squared_error"'),
    ),
    _keras(
        "the categorical cross-entropy, which is always 0 for a single output",
        "check_7_compile",
        "a single output cannot go with",
        ('"binary_crossentropy"', '"categorical_crossentropy"'),
    ),
    _keras(
        "the sum of a batch's losses instead of their mean",
        "check_7_compile",
        "but the binary cross-entropy of your model",
        ('"binary_crossentropy"', "keras.losses.BinaryCrossentropy(reduction='sum')"),
    ),
    _keras(
        "no metric",
        "check_7_compile",
        "not the accuracy",
        (', metrics=["accuracy"]', ""),
    ),
    _keras(
        "plain gradient descent at Keras's learning rate",
        "check_7_score",
        "another optimizer or learning rate",
        ("keras.optimizers.Adam(0.01)", '"sgd"'),
    ),
    _keras(
        "trains another model and throws it away",
        "check_7_score",
        "has not changed a single weight",
        (
            FIT,
            f"model = keras.models.clone_model(model)\n    model.compile('sgd', 'mse')\n    {FIT}",
        ),
        ("epochs=4", "epochs=1"),
    ),
    _keras(
        "one epoch in three large batches",
        "check_7_score",
        "More epochs, smaller batches",
        ("batch_size=32, epochs=4", "batch_size=500, epochs=1"),
    ),
    _keras(
        "labels are the wrong way round",
        "check_7_score",
        "the wrong way round",
        ("ids, labels, batch", "ids, 1 - labels, batch"),
    ),
]
