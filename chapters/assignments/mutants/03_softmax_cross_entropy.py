"""Wrong solutions of assignment 03."""

from mutants import wrong_answers

AMONG = """
def log_softmax_among(logits, allowed, temperature):
    z = np.where(allowed, np.asarray(logits) / temperature, -np.inf)
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
"""

SLOPE = """
def loss_and_slope(logits, targets, weights, epsilon):
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    size = logits.shape[-1]
    hard = np.eye(size)[targets]
    wanted = (1 - epsilon) * hard + epsilon / size
    share = weights / weights.sum()
    loss = share @ -(wanted * log_p).sum(axis=-1)
    return loss, share[:, None] * (np.exp(log_p) - wanted)
"""

SPLIT = """
def split_loss(truth, model, counts):
    comes = truth > 0
    own = np.where(comes, -truth * np.log2(np.where(comes, truth, 1)), 0)
    loss = np.where(comes, -truth * np.log2(np.where(comes, model, 1)), 0)
    share = counts / np.sum(counts)
    entropy = share @ own.sum(axis=-1)
    return entropy, share @ loss.sum(axis=-1) - entropy
"""

END = """
def fit_end(lengths, cut):
    words, ends = np.sum(lengths), np.count_nonzero(~np.asarray(cut))
    s = ends / words
    stays = (words - ends) * np.log1p(-s) if words > ends else 0.0
    return s, -(stays + ends * np.log(s)) / words
"""

KINDS = """
def means_by_kind(losses, kinds, count):
    inside = kinds >= 0
    sums = np.bincount(kinds[inside], losses[inside], minlength=count)
    sizes = np.bincount(kinds[inside], minlength=count)
    return sums / sizes, losses[inside].mean()
"""

DESCEND = """
def descend(W, x, targets, rate):
    powers = np.exp(x @ W)
    p = powers / powers.sum(axis=-1, keepdims=True)
    wanted = np.eye(W.shape[1])[targets]
    share = (targets != 0) / np.count_nonzero(targets)
    loss = -(share * (wanted * np.log(p)).sum(axis=-1)).sum()
    return W - rate * np.einsum("ntc,ntv->cv", x * share[..., None], p - wanted), loss
"""

_among = wrong_answers("task_1_log_softmax", AMONG)
_slope = wrong_answers("task_2_loss_and_slope", SLOPE)
_split = wrong_answers("task_3_split", SPLIT)
_end = wrong_answers("task_4_fit_end", END)
_kinds = wrong_answers("task_5_means_by_kind", KINDS)
_descend = wrong_answers("task_7_descend", DESCEND)

RESULT = "return sums / sizes, losses[inside].mean()"
LOG_SUM = "z - np.log(np.exp(z).sum(axis=-1, keepdims=True))"
SHARE = "(targets != 0) / np.count_nonzero(targets)"
MERGE = "truth, model = (np.average(part, 0, counts)[None] for part in (truth, model))"
LATER = """p - wanted)
    later = np.exp(x @ new)
    later = later / later.sum(axis=-1, keepdims=True)
    return new, -(share * (wanted * np.log(later)).sum(axis=-1)).sum()"""

MUTANTS = [
    _among(
        "the temperature multiplies",
        "check_1_paper",
        "it was multiplied",
        ("/ temperature", "* temperature"),
    ),
    _among(
        "the temperature is forgotten",
        "check_1_paper",
        "the temperature has no effect",
        (" / temperature", ""),
    ),
    _among(
        "sums over all rows",
        "check_1_paper",
        "along which axis do you sum",
        ("np.exp(z).sum(axis=-1, keepdims=True)", "np.exp(z).sum()"),
    ),
    _among(
        "returns probabilities",
        "check_1_paper",
        "no logarithms",
        (LOG_SUM, "np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)"),
    ),
    _among(
        "does not subtract the largest logit",
        "check_1_stable",
        "e to the 5000 is no float",
        ("    z = z - z.max(axis=-1, keepdims=True)\n", ""),
    ),
    _among(
        "subtracts the largest logit of all rows",
        "check_1_stable",
        "each row's own largest",
        ("z.max(axis=-1, keepdims=True)", "z.max()"),
    ),
    _among(
        "takes the logarithm of the softmax",
        "check_1_stable",
        "rounded to 0",
        (
            "z - np.log(np.exp(z).sum(axis=-1, keepdims=True))",
            "np.log(np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True))",
        ),
    ),
    _among(
        "a word that is not allowed has the logit 0",
        "check_1_allowed",
        "word 2 is not allowed",
        ("/ temperature, -np.inf)", "/ temperature, 0)"),
    ),
    _among(
        "takes words out after the softmax",
        "check_1_allowed",
        "still has its share",
        ("np.where(allowed, np.asarray(logits) / temperature, -np.inf)", "logits / temperature"),
        (
            "z - np.log(np.exp(z).sum(axis=-1, keepdims=True))",
            "np.where(allowed, z - np.log(np.exp(z).sum(axis=-1, keepdims=True)), -np.inf)",
        ),
    ),
    _among(
        "returns columns for the allowed words alone",
        "check_1_allowed",
        "keeps its place",
        (LOG_SUM, f"({LOG_SUM})[:, allowed]"),
    ),
    _among(
        "writes into the caller's logits",
        "check_1_allowed",
        "changed the logits",
        ("    z = np.where", "    logits[:, ~allowed] = -np.inf\n    z = np.where"),
    ),
    _among(
        "subtracts the largest logit of all words, allowed or not",
        "check_1_allowed",
        "whose largest logit is taken off",
        ("z = z - z.max", "z = z - (np.asarray(logits) / temperature).max"),
    ),
    _slope(
        "softmax runs along the predictions",
        "check_2_loss",
        "along the words of a prediction",
        ("np.exp(logits).sum(axis=-1, keepdims=True)", "np.exp(logits).sum(axis=0)"),
    ),
    _slope(
        "smoothing is forgotten",
        "check_2_loss",
        "epsilon has no effect",
        ("(1 - epsilon) * hard + epsilon / size", "hard"),
    ),
    _slope(
        "epsilon is shared out among the other words",
        "check_2_loss",
        "goes to the other words alone",
        ("epsilon / size", "epsilon / (size - 1) * (1 - hard)"),
    ),
    _slope(
        "the target keeps its 1",
        "check_2_loss",
        "keeps its 1",
        ("(1 - epsilon) * hard", "hard"),
    ),
    _slope(
        "weights are forgotten",
        "check_2_weights",
        "the weights have no effect",
        ("weights / weights.sum()", "np.ones(len(weights)) / len(weights)"),
    ),
    _slope(
        "divides by the number of predictions, as Keras does",
        "check_2_weights",
        "that is divided by N",
        ("weights / weights.sum()", "weights / len(weights)"),
    ),
    _slope(
        "a weighted sum instead of a mean",
        "check_2_weights",
        "divide by the weights' sum",
        ("weights / weights.sum()", "weights"),
    ),
    _slope(
        "the slope is y - p",
        "check_2_slope",
        "would raise the loss",
        ("np.exp(log_p) - wanted", "wanted - np.exp(log_p)"),
    ),
    _slope(
        "the slope is that of the hard targets",
        "check_2_slope",
        "that was not smoothed",
        ("np.exp(log_p) - wanted", "np.exp(log_p) - hard"),
    ),
    _slope(
        "the slope is weighted, but not divided",
        "check_2_slope",
        "not divided by the sum of the weights",
        ("share[:, None] *", "weights[:, None] *"),
    ),
    _slope(
        "the slope is divided by the number of predictions",
        "check_2_slope",
        "two close losses give",
        ("share[:, None] *", "1 / len(weights) *"),
    ),
    _split("nats instead of bits", "check_3_paper", "nats; bits", ("np.log2", "np.log")),
    _split(
        "the model's probabilities give the weights",
        "check_3_paper",
        "KL(q, p)",
        (
            "share @ loss.sum(axis=-1) - entropy",
            "share @ (model * np.log2(model / truth)).sum(axis=-1)",
        ),
    ),
    _split(
        "the cross-entropy is returned for the divergence",
        "check_3_paper",
        "the model is right, and the divergence",
        (" - entropy", ""),
    ),
    _split(
        "0 ln 0 is NaN",
        "check_3_zeros",
        "0 ln 0 is 0",
        (
            "np.where(comes, -truth * np.log2(np.where(comes, truth, 1)), 0)",
            "-truth * np.log2(truth)",
        ),
    ),
    _split(
        "a little is added so that no logarithm is infinite",
        "check_3_zeros",
        "expected inf",
        ("np.where(comes, model, 1)", "np.where(comes, model, 1) + 1e-12"),
    ),
    _split(
        "words that the model calls impossible are left out",
        "check_3_zeros",
        "expected inf",
        ("np.where(comes, model, 1)", "np.where(comes & (model > 0), model, 1)"),
    ),
    _split(
        "every context counts once",
        "check_3_contexts",
        "both contexts count once",
        ("counts / np.sum(counts)", "np.full(len(counts), 1 / len(counts))"),
    ),
    _split(
        "sums over the occurrences",
        "check_3_contexts",
        "a mean is asked for",
        ("counts / np.sum(counts)", "np.asarray(counts)"),
    ),
    _split(
        "splits the mean truth and the mean model",
        "check_3_contexts",
        "split each context",
        ("    comes =", f"    {MERGE}\n    counts = np.ones(1)\n    comes ="),
    ),
    _end(
        "the mean length",
        "check_4_value",
        "that is the mean length",
        ("s = ends / words", "s = words / ends"),
        ("np.log1p(-s)", "np.log(s)"),
    ),
    _end(
        "the mean of 1 / n",
        "check_4_value",
        "the mean of 1/2 and 1/4",
        ("s = ends / words", "s = np.mean(1 / lengths)"),
    ),
    _end(
        "a text of n words had n - 1 chances to end",
        "check_4_value",
        "had n chances to end",
        ("s = ends / words", "s = ends / (words - len(lengths))"),
    ),
    _end(
        "cut texts are taken for ended ones",
        "check_4_cut",
        "taken for one that ended",
        ("np.count_nonzero(~np.asarray(cut))", "len(lengths)"),
    ),
    _end(
        "cut texts are left out",
        "check_4_cut",
        "is left out",
        ("np.sum(lengths)", "np.sum(lengths[~cut])"),
    ),
    _end(
        "a cut text's last word is not counted",
        "check_4_cut",
        "last word is not counted",
        ("np.sum(lengths)", "np.sum(lengths - cut)"),
    ),
    _end(
        "the loss of all texts",
        "check_4_loss",
        "that is the sum",
        ("np.log(s)) / words", "np.log(s))"),
    ),
    _end(
        "the loss of a text",
        "check_4_loss",
        "that is a text's",
        ("np.log(s)) / words", "np.log(s)) / len(lengths)"),
    ),
    _end(
        "0 times ln 0 where every text ends at once",
        "check_4_loss",
        "two texts of one word",
        (" if words > ends else 0.0", ""),
    ),
    _kinds(
        "each kind's sum is divided by all positions",
        "check_5_value",
        "divided by all positions",
        ("sums / sizes", "sums / losses.size"),
    ),
    _kinds(
        "kind -1 is the last kind",
        "check_5_value",
        "counted as the last kind",
        ("    inside = kinds >= 0\n", "    kinds = kinds % count\n    inside = kinds >= 0\n"),
    ),
    _kinds(
        "the mean of the kinds' means",
        "check_5_value",
        "the mean of the means",
        ("losses[inside].mean()", "np.nanmean(sums / sizes)"),
    ),
    _kinds(
        "the padding stays in the denominator",
        "check_5_value",
        "in the denominator",
        ("losses[inside].mean()", "losses[inside].sum() / losses.size"),
    ),
    _kinds(
        "the padding is counted",
        "check_5_value",
        "the padding is counted",
        ("losses[inside].mean()", "losses.mean()"),
    ),
    _kinds(
        "multiplies rubbish with 0",
        "check_5_rubbish",
        "0 times NaN is NaN",
        ("losses[inside].mean()", "(losses * inside).sum() / inside.sum()"),
    ),
    _kinds(
        "whatever is infinite is taken for padding",
        "check_5_rubbish",
        "it is a word",
        ("inside = kinds >= 0", "inside = np.isfinite(losses) & (kinds >= 0)"),
    ),
    _kinds(
        "writes 0 into the caller's losses",
        "check_5_rubbish",
        "changed the losses",
        ("    inside = kinds >= 0\n", "    inside = kinds >= 0\n    losses[~inside] = 0\n"),
    ),
    _kinds(
        "a kind that does not occur gets 0",
        "check_5_missing",
        "has no mean, not 0",
        ("sums / sizes", "sums / np.maximum(sizes, 1)"),
    ),
    _kinds(
        "kinds that do not occur are left out",
        "check_5_missing",
        "2 means",
        (RESULT, "return (sums / sizes)[sizes > 0], losses[inside].mean()"),
    ),
    _descend(
        "softmax over everything",
        "check_7_axis",
        "among all words of all texts",
        ("powers.sum(axis=-1, keepdims=True)", "powers.sum()"),
    ),
    _descend(
        "softmax along the words",
        "check_7_axis",
        "softmax along the words",
        ("powers.sum(axis=-1, keepdims=True)", "powers.sum(axis=1, keepdims=True)"),
    ),
    _descend(
        "the loss of a text",
        "check_7_axis",
        "not a word's",
        ("/ np.count_nonzero(targets)", "/ len(targets)"),
    ),
    _descend(
        "softmax twice",
        "check_7_twice",
        "softmax was taken twice",
        (
            "    wanted =",
            "    p = np.exp(p) / np.exp(p).sum(axis=-1, keepdims=True)\n    wanted =",
        ),
    ),
    _descend(
        "padding is a word",
        "check_7_padding",
        "two columns of padding: the loss",
        (SHARE, "np.ones(targets.shape) / targets.size"),
    ),
    _descend(
        "padding is not scored, but learned from",
        "check_7_padding",
        "the same loss, other new weights",
        ("x * share[..., None]", "x / np.count_nonzero(targets)"),
    ),
    _descend("walks up", "check_7_down", "the loss rises", ("W - rate", "W + rate")),
    _descend(
        "writes into the caller's W",
        "check_7_down",
        "W += writes into it",
        ("return W - rate *", "W -= rate *"),
        ("p - wanted), loss", "p - wanted)\n    return W, loss"),
    ),
    _descend(
        "returns the loss after the step",
        "check_7_down",
        "return the loss before",
        ("return W - rate *", "new = W - rate *"),
        ("p - wanted), loss", LATER),
    ),
    _descend(
        "the mean of the texts' means",
        "check_7_mean",
        "mean of the texts' means",
        (SHARE, "keep / keep.sum(axis=1, keepdims=True) / len(keep)"),
        ("    share", "    keep = targets != 0\n    share"),
    ),
    _descend(
        "the slope of the sum",
        "check_7_mean",
        "so its slope is one, too",
        ("x * share[..., None]", "x * (targets != 0)[..., None]"),
    ),
]
