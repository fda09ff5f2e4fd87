"""Wrong solutions of assignment 06."""

from mutants import Mutant, changed, wrong_answers

COUNT = """
def count_contexts(texts, vocab_size, before, after):
    counts = np.zeros((vocab_size, vocab_size), "int64")
    for text in texts:
        for here, word in enumerate(text):
            for there in range(max(0, here - before), min(len(text), here + after + 1)):
                if there != here and word >= 0 and text[there] >= 0:
                    counts[word, text[there]] += 1
    return counts
"""

PPMI = """
def smoothed_ppmi(counts, alpha):
    counts = np.asarray(counts, float)
    total, powers = counts.sum(), counts.sum(axis=0) ** alpha
    chance = np.outer(counts.sum(axis=1) / total, powers / powers.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.fmax(np.log(counts / total / chance), 0)
"""

COMPONENTS = """
def fewest_components(matrix, share):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    kept = np.cumsum(values**2) / np.sum(values**2)
    size = int(np.argmax(kept >= share)) + 1
    root = np.sqrt(values[:size])
    return left[:, :size] * root, right[:size].T * root, kept[size - 1]
"""

CBOW = """
def cbow_loss_and_gradients(contexts, targets):
    mean = contexts.mean(axis=0)
    scores = targets @ mean
    labels = np.arange(len(targets)) == 0
    loss = np.logaddexp(0, np.where(labels, -scores, scores)).sum()
    error = np.exp(-np.logaddexp(0, -scores)) - labels
    each = error @ targets / len(contexts)
    return loss, np.tile(each, (len(contexts), 1)), np.outer(error, mean)
"""

NEIGHBORS = """
def neighbors(table, word, count):
    lengths = np.linalg.norm(table, axis=1)
    if lengths[word] == 0:
        return []
    unit = table / np.maximum(lengths, 1e-300)[:, None]
    cosines = np.round(unit @ unit[word], 9)
    order = np.argsort(-cosines, kind="stable")
    return [int(other) for other in order if other != word and lengths[other] > 0][:count]
"""

SCORES = """
def best_scores(true, negatives):
    with np.errstate(divide="ignore"):
        return np.log(true * len(true) / true.sum(axis=1, keepdims=True) / negatives)


class BiasedScores(keras.Model):
    def __init__(self, vocab_size, embed_dim):
        super().__init__()
        self.words = keras.layers.Embedding(vocab_size, embed_dim)
        self.contexts = keras.layers.Embedding(vocab_size, embed_dim)
        self.biases = keras.layers.Embedding(vocab_size, 1)

    def call(self, rows):
        u, v = self.words(rows[:, :1]), self.contexts(rows[:, 1:])
        return keras.ops.sum(u * v, axis=-1) + self.biases(rows[:, 1:])[:, :, 0]


def fit_scores(model, pairs, vocab_size, negatives):
    drawn = np.random.default_rng(0).integers(0, vocab_size, (len(pairs), negatives))
    rows = np.concatenate([pairs, drawn], axis=1)
    labels = np.tile(np.eye(1, 1 + negatives), (len(pairs), 1))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, jit_compile=False)
    model.fit(rows, labels, batch_size=2048, epochs=3, verbose=0)
"""

_counted = wrong_answers("task_1_count_contexts", COUNT)
_ppmi = wrong_answers("task_2_smoothed_ppmi", PPMI)
_components = wrong_answers("task_3_fewest_components", COMPONENTS)
_cbow = wrong_answers("task_5_cbow", CBOW)
_near = wrong_answers("task_6_neighbors", NEIGHBORS)
_scores = wrong_answers("task_7_scores", SCORES)


def hidden(task, code, mistake, killed_by, hint, why, *changes):
    """A mutant that only a hidden test notices."""
    return Mutant(task, mistake, changed(code, *changes), killed_by, hint, why)


REACH = "range(max(0, here - before), min(len(text), here + after + 1))"
LOOP = f"            for there in {REACH}:\n"
BOTH = "there != here and word >= 0 and text[there] >= 0"
ADD = "counts[word, text[there]] += 1"
VALUES = "np.fmax(np.log(counts / total / chance), 0)"
SHARES = "powers / powers.sum()"
WORDS = "counts.sum(axis=1) / total"
SQUARES = "np.cumsum(values**2) / np.sum(values**2)"
SIZE = "int(np.argmax(kept >= share)) + 1"
TABLES = "left[:, :size] * root, right[:size].T * root, kept[size - 1]"
LOSS = "np.logaddexp(0, np.where(labels, -scores, scores)).sum()"
ERROR = "np.exp(-np.logaddexp(0, -scores)) - labels"
EACH = "error @ targets / len(contexts)"
UNIT = "table / np.maximum(lengths, 1e-300)[:, None]"
PICKED = "[int(other) for other in order if other != word and lengths[other] > 0][:count]"
ORDER = 'np.argsort(-cosines, kind="stable")'
BEST = "true * len(true) / true.sum(axis=1, keepdims=True) / negatives"
SCORE = "keras.ops.sum(u * v, axis=-1) + self.biases(rows[:, 1:])[:, :, 0]"
DRAWN = "np.random.default_rng(0).integers(0, vocab_size, (len(pairs), negatives))"
LABELS = "np.tile(np.eye(1, 1 + negatives), (len(pairs), 1))"
FIT = "batch_size=2048, epochs=3, verbose=0"

MUTANTS = [
    _counted(
        "nothing is returned",
        "check_1_window",
        "count_contexts returns None; it must be an array of integers of shape (3, 3)",
        ("    return counts\n", ""),
    ),
    _counted(
        "counts are floats",
        "check_1_window",
        "an array of float64; it must be an array of integers",
        (', "int64")', ")"),
    ),
    _counted(
        "rows are contexts",
        "check_1_window",
        "row w holds the contexts of w",
        (ADD, "counts[text[there], word] += 1"),
    ),
    _counted(
        "before and after are swapped",
        "check_1_window",
        "is before taken for after",
        (REACH, "range(max(0, here - after), min(len(text), here + before + 1))"),
    ),
    _counted(
        "the window is symmetric, as in the chapter",
        "check_1_window",
        "nothing to the right counts",
        (REACH, "range(max(0, here - before), min(len(text), here + before + 1))"),
    ),
    _counted(
        "a word is its own context",
        "check_1_window",
        "no context of itself",
        ("there != here and ", ""),
    ),
    _counted(
        "the window is one word too short on the right",
        "check_1_window",
        "too short on the right",
        ("here + after + 1", "here + after"),
    ),
    _counted(
        "the window is one word too long on the left",
        "check_1_window",
        "before is 1",
        ("max(0, here - before)", "max(0, here - before - 1)"),
    ),
    _counted(
        "the window is one word too short on the left",
        "check_1_window",
        "nothing was counted",
        ("max(0, here - before)", "max(0, here - before + 1)"),
    ),
    _counted(
        "a window that begins before the text reads its end",
        "check_1_window",
        "counts from the end",
        ("range(max(0, here - before),", "range(here - before,"),
    ),
    _counted(
        "a window that ends behind the text",
        "check_1_window",
        "count_contexts stops with IndexError",
        ("min(len(text), here + after + 1)", "here + after + 1"),
    ),
    _counted(
        "all texts are one text",
        "check_1_window",
        "into the next text",
        ("for text in texts:", "for text in [[i for row in texts for i in row]]:"),
    ),
    _counted(
        "removed words are taken out first",
        "check_1_gaps",
        "keep its place",
        ("for text in texts:", "for text in ([i for i in row if i >= 0] for row in texts):"),
    ),
    _counted(
        "-1 is the last word",
        "check_1_gaps",
        "-1 is no word",
        (BOTH, "there != here"),
    ),
    _counted(
        "a removed word ends the text",
        "check_1_gaps",
        "goes on behind a removed word",
        ("for text in texts:", "for text in (row[: (row + [-1]).index(-1)] for row in texts):"),
    ),
    _counted(
        "-1 is no context, but it is a word",
        "check_1_gaps",
        "expected",
        ("word >= 0 and ", ""),
    ),
    _counted(
        "the same word is no context",
        "check_1_again",
        "another occurrence of the same word",
        ("there != here", "text[there] != word"),
    ),
    _counted(
        "a context is there or not",
        "check_1_again",
        "expected",
        (ADD, "counts[word, text[there]] = 1"),
    ),
    _counted(
        "+= with an array of indices adds once",
        "check_1_again",
        "both count",
        (LOOP, f"            near = [t for t in {REACH}]\n            if near:\n"),
        (
            f"                if {BOTH}:\n                    {ADD}\n",
            "                near = [text[t] for t in near if t != here and text[t] >= 0]\n"
            "                counts[word, near] += int(word >= 0)\n",
        ),
    ),
    hidden(
        "task_1_count_contexts",
        COUNT,
        "the caller's texts are changed",
        "check_1_again",
        "changed the texts",
        "the visible checks use every text once",
        (
            "        for here, word in enumerate(text):\n",
            "        values = list(text)\n"
            "        text[:] = [max(i, 0) for i in text]\n"
            "        text = values\n"
            "        for here, word in enumerate(text):\n",
        ),
    ),
    _ppmi(
        "nothing is returned",
        "check_2_paper",
        "smoothed_ppmi returns None; it must be an array of numbers of shape (2, 2)",
        ("return np.fmax", "np.fmax"),
    ),
    _ppmi("bits", "check_2_paper", "these are bits", ("np.log(", "np.log2(")),
    _ppmi(
        "no logarithm",
        "check_2_paper",
        "logarithm is missing",
        ("np.log(counts / total / chance)", "(counts / total / chance)"),
    ),
    _ppmi("PMI, not positive", "check_2_paper", "below 0 become 0", (VALUES, VALUES[8:-4])),
    _ppmi(
        "only -inf becomes 0",
        "check_2_paper",
        "not only -inf",
        (VALUES, "np.nan_to_num(np.log(counts / total / chance), neginf=0.0)"),
    ),
    _ppmi(
        "rows and columns are swapped",
        "check_2_paper",
        "rows are words",
        ("np.outer(", "np.outer(*("),
        (f"{SHARES})", f"{SHARES})[::-1])"),
    ),
    _ppmi(
        "alpha is always 0.5",
        "check_2_paper",
        "do you use the argument",
        ("** alpha", "** 0.5"),
    ),
    _ppmi(
        "a square table only",
        "check_2_paper",
        "smoothed_ppmi stops with",
        (WORDS, "counts.sum(axis=1)[: len(powers)] / total"),
        ("counts / total", "counts[:, : len(counts)] / total"),
    ),
    _ppmi(
        "0 / 0 stays NaN",
        "check_2_zeros",
        "0 / 0 is NaN",
        ("np.fmax", "np.maximum"),
    ),
    _ppmi(
        "a large number instead of a logarithm of 0",
        "check_2_zeros",
        "never occurred have",
        (VALUES, "np.fmax(np.log(np.fmax(counts, 1e-9) / total / np.fmax(chance, 1e-30)), 0)"),
    ),
    _ppmi(
        "one is added to every count",
        "check_2_paper",
        "expected",
        ("np.asarray(counts, float)", "np.asarray(counts, float) + 1"),
    ),
    _ppmi("alpha has no effect", "check_2_smooth", "no effect", (" ** alpha", "")),
    _ppmi(
        "the powers are not divided by their sum",
        "check_2_smooth",
        "divided by their sum",
        ("counts.sum(axis=0) ** alpha", "(counts.sum(axis=0) / total) ** alpha"),
        ("total, powers = counts.sum(), ", "total = counts.sum()\n    powers = "),
        (SHARES, "powers"),
    ),
    _ppmi(
        "the words are smoothed",
        "check_2_smooth",
        "not the contexts",
        ("counts.sum(axis=0) ** alpha", "counts.sum(axis=1) ** alpha"),
        (f"{WORDS}, {SHARES}", f"{SHARES}, counts.sum(axis=0) / total"),
    ),
    _ppmi(
        "words and contexts are smoothed",
        "check_2_smooth",
        "the words were smoothed, too",
        (WORDS, "counts.sum(axis=1) ** alpha / (counts.sum(axis=1) ** alpha).sum()"),
    ),
    _ppmi(
        "alpha multiplies the values",
        "check_2_smooth",
        "not a factor",
        (" ** alpha", ""),
        (VALUES, f"alpha * {VALUES}"),
    ),
    hidden(
        "task_2_smoothed_ppmi",
        PPMI,
        "the caller's counts become shares",
        "check_2_smooth",
        "changed the counts",
        "the visible checks hand over a fresh table each time",
        ("    total, powers", "    counts /= counts.sum()\n    total, powers"),
    ),
    _components(
        "nothing is returned",
        "check_3_components",
        "fewest_components returns None; it must return 3 results",
        ("return left", "left"),
    ),
    _components(
        "the share is not returned",
        "check_3_components",
        "it must return 3 results",
        (", kept[size - 1]", ""),
    ),
    _components(
        "the singular values are not squared",
        "check_3_components",
        "the sum of the squares",
        (SQUARES, "np.cumsum(values) / np.sum(values)"),
    ),
    _components(
        "one component too many",
        "check_3_components",
        "expected 1",
        (SIZE, "int(np.argmax(kept >= share)) + 2"),
    ),
    _components(
        "the last component that is not enough",
        "check_3_components",
        "expected",
        (SIZE, "max(1, int(np.argmax(kept >= share)))"),
    ),
    _components(
        "no component at all",
        "check_3_components",
        "0 components, expected 1",
        (SIZE, "int(np.argmax(kept >= share))"),
    ),
    _components(
        "the share that is lost",
        "check_3_components",
        "what was lost",
        (", kept[size - 1]", ", 1 - kept[size - 1]"),
    ),
    _components(
        "the share that was asked for",
        "check_3_components",
        "was asked for",
        (", kept[size - 1]", ", share"),
    ),
    _components(
        "all shares are returned",
        "check_3_components",
        "as its third result, an array of shape (2,); it must be one number",
        (", kept[size - 1]", ", kept"),
    ),
    _components(
        "each component's own share",
        "check_3_components",
        "components, expected",
        ("np.cumsum(values**2)", "values**2"),
    ),
    _components(
        "the contexts are not transposed",
        "check_3_components",
        "as its second result",
        ("right[:size].T * root", "right[:size] * root[:, None]"),
    ),
    _components(
        "columns of the right-hand matrix",
        "check_3_tables",
        "it must be an array of numbers of shape (3, any)",
        ("right[:size].T * root", "right[:, :size] * root"),
    ),
    _components(
        "all the weight goes to the words",
        "check_3_tables",
        "each gets its root",
        (TABLES, "left[:, :size] * root**2, right[:size].T, kept[size - 1]"),
    ),
    _components(
        "no weights",
        "check_3_tables",
        "weight is missing",
        ("np.sqrt(values[:size])", "np.ones(size)"),
    ),
    _components(
        "both get the whole weight",
        "check_3_tables",
        "each gets its root",
        ("np.sqrt(values[:size])", "values[:size]"),
    ),
    _components(
        "absolute values",
        "check_3_tables",
        "expected",
        (TABLES, "abs(left[:, :size]) * root, abs(right[:size].T) * root, kept[size - 1]"),
    ),
    _cbow(
        "nothing is returned",
        "check_5_loss",
        "cbow_loss_and_gradients returns None; it must return 3 results",
        ("return loss", "loss"),
    ),
    _cbow(
        "the loss of each target",
        "check_5_loss",
        "as its first result, an array of shape (2,); it must be one number",
        (".sum()\n", "\n"),
    ),
    _cbow(
        "one gradient for all the contexts",
        "check_5_loss",
        "as its second result, an array of shape (2,); it must be an array of numbers of shape",
        ("np.tile(each, (len(contexts), 1))", "each"),
    ),
    _cbow(
        "every label is 1",
        "check_5_loss",
        "need the other sign",
        ("np.where(labels, -scores, scores)", "-scores"),
    ),
    _cbow(
        "every label is 0",
        "check_5_loss",
        "label is 1",
        ("np.where(labels, -scores, scores)", "scores"),
    ),
    _cbow(
        "the sum of the contexts",
        "check_5_loss",
        "take their mean",
        ("contexts.mean(axis=0)", "contexts.sum(axis=0)"),
    ),
    _cbow("the mean of the parts", "check_5_loss", "their sum", (".sum()\n", ".mean()\n")),
    _cbow(
        "only the first negative",
        "check_5_loss",
        "all negatives count",
        (LOSS, "np.logaddexp(0, np.where(labels, -scores, scores))[:2].sum()"),
    ),
    _cbow(
        "the sign is wrong",
        "check_5_loss",
        "sign is wrong",
        (LOSS, f"-{LOSS}"),
    ),
    _cbow(
        "label minus probability",
        "check_5_gradients",
        "would raise the loss",
        (ERROR, f"-({ERROR})"),
    ),
    _cbow(
        "the label is not subtracted",
        "check_5_gradients",
        "subtract it",
        (" - labels", ""),
    ),
    _cbow(
        "the gradient is not shared out",
        "check_5_gradients",
        "half of that",
        (EACH, "error @ targets"),
    ),
    _cbow(
        "the targets' gradients are shared out, too",
        "check_5_gradients",
        "get all of theirs",
        ("np.outer(error, mean)", "np.outer(error, mean) / len(contexts)"),
    ),
    _cbow(
        "the targets' gradients come from the sum",
        "check_5_gradients",
        "not their sum",
        ("np.outer(error, mean)", "np.outer(error, contexts.sum(axis=0))"),
    ),
    _cbow(
        "always two contexts",
        "check_5_gradients",
        "by finite differences",
        (EACH, "error @ targets / 2"),
    ),
    _cbow(
        "exp overflows in the loss",
        "check_5_large",
        "use np.logaddexp",
        (LOSS, "np.log(1 + np.exp(np.where(labels, -scores, scores))).sum()"),
    ),
    _cbow(
        "the logarithm of a rounded probability",
        "check_5_large",
        "use np.logaddexp",
        (LOSS, "-np.log(1 / (1 + np.exp(np.where(labels, -scores, scores)))).sum()"),
    ),
    _cbow(
        "the scores are clipped",
        "check_5_large",
        "expected 2000",
        ("scores = targets @ mean", "scores = np.clip(targets @ mean, -30, 30)"),
    ),
    _near(
        "nothing is returned",
        "check_6_cosine",
        "neighbors returns None; it must be a list",
        ("    return [int", "    [int"),
    ),
    _near("dot products", "check_6_cosine", "divide by the lengths of the rows", (UNIT, "table")),
    _near(
        "columns of length 1",
        "check_6_cosine",
        "divide by the lengths of the rows",
        (UNIT, "table / np.linalg.norm(table, axis=0)"),
    ),
    _near(
        "from the lowest to the highest",
        "check_6_cosine",
        "highest cosine comes first",
        ("-cosines", "cosines"),
    ),
    _near(
        "one neighbor less",
        "check_6_cosine",
        "count is 3",
        ("[:count]", "[: count - 1]"),
    ),
    _near(
        "the word comes first among its neighbors",
        "check_6_cosine",
        "not its own neighbor",
        ("other != word and ", ""),
    ),
    _near(
        "leaves out whatever comes first",
        "check_6_itself",
        "leave it out by its id",
        (PICKED, "[int(other) for other in order if lengths[other] > 0][1 : count + 1]"),
    ),
    _near(
        "leaves out every word with the same vector",
        "check_6_itself",
        "expected",
        ("other != word", "cosines[other] < 1"),
    ),
    _near(
        "0 / 0",
        "check_6_zeros",
        "expected",
        ("np.maximum(lengths, 1e-300)[:, None]", "lengths[:, None]"),
        (" and lengths[other] > 0", ""),
    ),
    _near(
        "a vector of zeros has the cosine 0",
        "check_6_zeros",
        "cannot be a neighbor",
        (" and lengths[other] > 0", ""),
    ),
    _near(
        "a vector of zeros has neighbors",
        "check_6_zeros",
        "a vector of zeros has none",
        ("lengths[word] == 0", "False"),
    ),
    _near(
        "one vector of zeros and nobody has neighbors",
        "check_6_zeros",
        "is no vector of zeros",
        ("lengths[word] == 0", "not lengths.all()"),
    ),
    _near(
        "among equals, the larger id comes first",
        "check_6_ties",
        "smaller id comes first",
        (ORDER, 'np.argsort(cosines, kind="stable")[::-1]'),
    ),
    _near(
        "cosines are not rounded",
        "check_6_ties",
        "expected",
        ("np.round(unit @ unit[word], 9)", "unit @ unit[word]"),
    ),
    _near(
        "divides the caller's table",
        "check_6_kept",
        "/= writes into it",
        (f"unit = {UNIT}", f"unit = table\n    unit /= {UNIT[8:]}"),
    ),
    _scores(
        "nothing is returned",
        "check_7_best",
        "best_scores returns None; it must be an array of numbers of shape (2, 2)",
        ("return np.log(true", "np.log(true"),
    ),
    _scores(
        "the chapter's PMI minus ln k",
        "check_7_best",
        "this is the PMI",
        (BEST, "true / true.sum(axis=1, keepdims=True) / true.sum(axis=0) / negatives"),
    ),
    _scores(
        "the number of contexts is missing",
        "check_7_best",
        "V is missing",
        (" * len(true)", ""),
    ),
    _scores(
        "the contexts' probability instead of the words'",
        "check_7_best",
        "sum of a row",
        ("true.sum(axis=1, keepdims=True)", "true.sum(axis=0)"),
    ),
    _scores("bits", "check_7_best", "natural one", ("np.log(true", "np.log2(true")),
    _scores("no logarithm", "check_7_best", "logarithm is missing", ("np.log(true", "(true")),
    _scores(
        "the negatives come with any word",
        "check_7_best",
        "come with the word",
        (" / true.sum(axis=1, keepdims=True)", ""),
    ),
    _scores("k is missing", "check_7_best", "has no effect", (" / negatives)", ")")),
    _scores(
        "k multiplies",
        "check_7_best",
        "make the best scores lower",
        (" / negatives)", " * negatives)"),
    ),
    _scores(
        "an impossible pair has the score 0",
        "check_7_best",
        "expected -inf",
        (f"np.log({BEST})", f"np.nan_to_num(np.log({BEST}), neginf=0.0)"),
    ),
    _scores(
        "one table for words and contexts",
        "check_7_build",
        "expected (11, 4) for words and for contexts",
        ("self.contexts(rows", "self.words(rows"),
    ),
    _scores(
        "no bias",
        "check_7_build",
        "there is no bias",
        (f"return {SCORE}", "return keras.ops.sum(u * v, axis=-1)"),
    ),
    _scores(
        "one bias for all",
        "check_7_build",
        "there is no bias",
        ("self.biases = keras.layers.Embedding(vocab_size, 1)", "self.biases = None"),
        (" + self.biases(rows[:, 1:])[:, :, 0]", " + 0.0"),
    ),
    _scores(
        "biases as long as vectors",
        "check_7_build",
        "there is no bias",
        ("Embedding(vocab_size, 1)", "Embedding(vocab_size, embed_dim)"),
    ),
    _scores(
        "call returns nothing",
        "check_7_build",
        "your model's call returns None",
        ("return keras.ops.sum", "keras.ops.sum"),
    ),
    _scores(
        "the bias keeps its last axis",
        "check_7_build",
        "it must be an array of numbers of shape (3, 2)",
        ("[:, :, 0]", ""),
        ("axis=-1)", "axis=-1, keepdims=True)"),
    ),
    _scores(
        "only the first context has a score",
        "check_7_build",
        "it must be an array of numbers of shape (3, 2)",
        (f"return {SCORE}", f"return ({SCORE})[:, :1]"),
    ),
    _scores(
        "a sigmoid",
        "check_7_formula",
        "scores have no sigmoid",
        (f"return {SCORE}", f"return keras.ops.sigmoid({SCORE})"),
    ),
    _scores(
        "the mean of the products",
        "check_7_formula",
        "a dot product is their sum",
        ("keras.ops.sum", "keras.ops.mean"),
    ),
    _scores(
        "the word's bias",
        "check_7_formula",
        "must be the context's",
        ("self.biases(rows[:, 1:])[:, :, 0]", "self.biases(rows[:, :1])[:, :, 0]"),
    ),
    _scores(
        "the bias is subtracted",
        "check_7_formula",
        "was subtracted",
        (" + self.biases", " - self.biases"),
    ),
    _scores(
        "the bias multiplies",
        "check_7_formula",
        "must be added",
        (" + self.biases", " * self.biases"),
    ),
    _scores(
        "each vector is divided by its length",
        "check_7_formula",
        "expected u · v + b",
        ("keras.ops.sum(u * v", "keras.ops.sum(keras.ops.normalize(u) * keras.ops.normalize(v)"),
    ),
    _scores(
        "from_logits is forgotten",
        "check_7_compile",
        "from_logits=True",
        ("from_logits=True", ""),
    ),
    _scores(
        "the mean squared error",
        "check_7_compile",
        "binary cross-entropy",
        ("keras.losses.BinaryCrossentropy(from_logits=True)", '"mse"'),
    ),
    _scores(
        "the model is not trained",
        "check_7_compile",
        "not changed a single weight",
        (f"    model.fit(rows, labels, {FIT})\n", ""),
    ),
    _scores(
        "every label is 1",
        "check_7_score",
        "with label 0",
        (LABELS, "np.ones((len(pairs), 1 + negatives))"),
    ),
    _scores(
        "no negatives",
        "check_7_score",
        "with label 0",
        (f"rows, labels, {FIT}", f"pairs, labels[:, :1], {FIT}"),
    ),
    _scores(
        "negatives by frequency, as in the chapter",
        "check_7_score",
        "equally likely to be drawn",
        (DRAWN, "np.random.default_rng(0).choice(pairs[:, 1], (len(pairs), negatives))"),
    ),
    _scores(
        "the labels are the wrong way round",
        "check_7_score",
        "with label 0",
        (LABELS, f"1 - {LABELS}"),
    ),
    _scores(
        "always one negative",
        "check_7_score",
        "Is `negatives` used",
        ("(len(pairs), negatives))", "(len(pairs), 1))"),
        ("np.eye(1, 1 + negatives)", "np.eye(1, 2)"),
    ),
    _scores(
        "the same negatives for all pairs",
        "check_7_score",
        "with label 0",
        (DRAWN, "np.tile(np.arange(negatives), (len(pairs), 1))"),
    ),
    _scores(
        "the last words are never drawn",
        "check_7_score",
        "with label 0",
        ("integers(0, vocab_size,", "integers(0, vocab_size // 2,"),
    ),
    _scores(
        "too short a run",
        "check_7_score",
        "More epochs",
        (FIT, "batch_size=2048, epochs=1, verbose=0"),
    ),
    _scores(
        "Keras's own learning rate",
        "check_7_score",
        "another learning rate",
        ("Adam(0.02)", "Adam()"),
    ),
    _scores(
        "plain gradient descent",
        "check_7_score",
        "another learning rate",
        ("Adam(0.02)", "SGD(0.02)"),
    ),
]
