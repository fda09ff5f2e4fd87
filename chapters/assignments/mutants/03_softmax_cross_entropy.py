"""Wrong solutions of assignment 03."""

from mutants import wrong_answers

AMONG = """
def log_softmax_among(logits, allowed, temperature):
    z = np.where(allowed, np.asarray(logits) / temperature, -np.inf)
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
"""

GRADIENT = """
def loss_and_gradient(logits, targets, weights, epsilon):
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
    counts = targets != IGNORE
    share = counts / counts.sum()
    loss = -(share * (wanted * np.log(p)).sum(axis=-1)).sum()
    return W - rate * np.einsum("ntc,ntv->cv", x * share[..., None], p - wanted), loss
"""

_among = wrong_answers("task_1_log_softmax", AMONG)
_gradient = wrong_answers("task_2_loss_and_gradient", GRADIENT)
_split = wrong_answers("task_3_split", SPLIT)
_end = wrong_answers("task_4_fit_end", END)
_kinds = wrong_answers("task_5_means_by_kind", KINDS)
_descend = wrong_answers("task_7_descend", DESCEND)

RESULT = "return sums / sizes, losses[inside].mean()"
LOG_SUM = "z - np.log(np.exp(z).sum(axis=-1, keepdims=True))"
SHARE = "counts / counts.sum()"
MERGE = "truth, model = (np.average(part, 0, counts)[None] for part in (truth, model))"
LATER = """p - wanted)
    later = np.exp(x @ new)
    later = later / later.sum(axis=-1, keepdims=True)
    return new, -(share * (wanted * np.log(later)).sum(axis=-1)).sum()"""

NOTHING = [
    _among(
        "nothing is returned",
        "check_1_paper",
        "log_softmax_among returns None; it must be an array of numbers of shape (2, 3)",
        ("    return z", "    z"),
    ),
    _among(
        "one row is returned",
        "check_1_paper",
        "an array of shape (3,); it must be an array of numbers of shape (2, 3)",
        ("return z - np.log(", "return (z - np.log("),
        ("keepdims=True))\n", "keepdims=True)))[0]\n"),
    ),
    _among(
        "the sums are not a column",
        "check_1_paper",
        "log_softmax_among stops with ValueError",
        ("np.exp(z).sum(axis=-1, keepdims=True)", "np.exp(z).sum(axis=-1)"),
    ),
    _gradient(
        "nothing is returned",
        "check_2_loss",
        "loss_and_gradient returns None; it must return 2 results",
        ("    return loss, ", "    loss, "),
    ),
    _gradient(
        "only the loss is returned",
        "check_2_loss",
        "it must return 2 results",
        ("return loss, share[:, None] * (np.exp(log_p) - wanted)", "return loss"),
    ),
    _split(
        "nothing is returned",
        "check_3_paper",
        "split_loss returns None; it must return 2 results",
        ("return entropy", "entropy"),
    ),
    _end(
        "nothing is returned",
        "check_4_value",
        "fit_end returns None; it must return 2 results",
        ("    return s", "    s"),
    ),
    _end(
        "only s is returned",
        "check_4_value",
        "fit_end returns float64: 0.33",
        ("return s, -(stays + ends * np.log(s)) / words", "return s"),
    ),
    _end(
        "the loss of every text",
        "check_4_value",
        "as its second result, an array of shape (2,); it must be one number",
        ("-(stays + ends * np.log(s)) / words", "-(stays + ends * np.log(s)) / np.array(lengths)"),
    ),
    _kinds(
        "nothing is returned",
        "check_5_value",
        "means_by_kind returns None; it must return 2 results",
        ("return sums", "sums"),
    ),
    _descend(
        "nothing is returned",
        "check_7_axis",
        "descend returns None; it must return 2 results",
        ("    return W", "    W"),
    ),
    _descend(
        "only the weights are returned",
        "check_7_axis",
        "descend returns ndarray of length 4; it must return 2 results",
        ("p - wanted), loss\n", "p - wanted)\n"),
    ),
    _descend(
        "the loss of every word",
        "check_7_axis",
        "as its second result, an array of shape (2, 3); it must be one number",
        (
            "-(share * (wanted * np.log(p)).sum(axis=-1)).sum()",
            "-(wanted * np.log(p)).sum(axis=-1)",
        ),
    ),
]

MUTANTS = [
    *NOTHING,
    _among(
        "the temperature multiplies",
        "check_1_paper",
        "the temperature multiplies",
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
        "not log-probabilities",
        (LOG_SUM, "np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)"),
    ),
    _among(
        "does not subtract the largest logit",
        "check_1_stable",
        "e to the 5000 overflows",
        ("    z = z - z.max(axis=-1, keepdims=True)\n", ""),
    ),
    _among(
        "subtracts the largest logit of all rows",
        "check_1_stable",
        "subtract each row's own largest",
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
        "still takes its share",
        ("np.where(allowed, np.asarray(logits) / temperature, -np.inf)", "logits / temperature"),
        (
            "z - np.log(np.exp(z).sum(axis=-1, keepdims=True))",
            "np.where(allowed, z - np.log(np.exp(z).sum(axis=-1, keepdims=True)), -np.inf)",
        ),
    ),
    _among(
        "returns columns for the allowed words alone",
        "check_1_allowed",
        "keeps its column",
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
        "whose largest logit is subtracted",
        ("z = z - z.max", "z = z - (np.asarray(logits) / temperature).max"),
    ),
    _gradient(
        "softmax runs along the predictions",
        "check_2_loss",
        "over the words of each prediction",
        ("np.exp(logits).sum(axis=-1, keepdims=True)", "np.exp(logits).sum(axis=0)"),
    ),
    _gradient(
        "smoothing is forgotten",
        "check_2_loss",
        "epsilon has no effect",
        ("(1 - epsilon) * hard + epsilon / size", "hard"),
    ),
    _gradient(
        "epsilon is shared out among the other words",
        "check_2_loss",
        "went to the other words",
        ("epsilon / size", "epsilon / (size - 1) * (1 - hard)"),
    ),
    _gradient(
        "the target keeps its 1",
        "check_2_loss",
        "kept its 1",
        ("(1 - epsilon) * hard", "hard"),
    ),
    _gradient(
        "weights are forgotten",
        "check_2_weights",
        "the weights have no effect",
        ("weights / weights.sum()", "np.ones(len(weights)) / len(weights)"),
    ),
    _gradient(
        "divides by the number of predictions, as Keras does",
        "check_2_weights",
        "you divided by N",
        ("weights / weights.sum()", "weights / len(weights)"),
    ),
    _gradient(
        "a weighted sum instead of a mean",
        "check_2_weights",
        "divide by the sum of the weights",
        ("weights / weights.sum()", "weights"),
    ),
    _gradient(
        "the gradient is y - p",
        "check_2_gradient",
        "would raise the loss",
        ("np.exp(log_p) - wanted", "wanted - np.exp(log_p)"),
    ),
    _gradient(
        "the gradient is that of the hard targets",
        "check_2_gradient",
        "the target was not smoothed",
        ("np.exp(log_p) - wanted", "np.exp(log_p) - hard"),
    ),
    _gradient(
        "the gradient is weighted, but not divided",
        "check_2_gradient",
        "not divided by the sum of the weights",
        ("share[:, None] *", "weights[:, None] *"),
    ),
    _gradient(
        "the gradient is divided by the number of predictions",
        "check_2_gradient",
        "a finite difference",
        ("share[:, None] *", "1 / len(weights) *"),
    ),
    _split("nats instead of bits", "check_3_paper", "these are nats", ("np.log2", "np.log")),
    _split(
        "the model's probabilities are the weights",
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
        "the model equals the truth",
        (" - entropy", ""),
    ),
    _split(
        "0 log 0 is NaN",
        "check_3_zeros",
        "0 log 0 is 0",
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
        "both contexts counted once",
        ("counts / np.sum(counts)", "np.full(len(counts), 1 / len(counts))"),
    ),
    _split(
        "sums over the occurrences",
        "check_3_contexts",
        "the task asks for means",
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
        "cut texts are treated as ended ones",
        "check_4_cut",
        "treated as one that ended",
        ("np.count_nonzero(~np.asarray(cut))", "len(lengths)"),
    ),
    _end(
        "cut texts are left out",
        "check_4_cut",
        "was left out",
        ("np.sum(lengths)", "np.sum(lengths[~cut])"),
    ),
    _end(
        "a cut text's last word is not counted",
        "check_4_cut",
        "last word was not counted",
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
        "that is the loss per text",
        ("np.log(s)) / words", "np.log(s)) / len(lengths)"),
    ),
    _end(
        "0 times log 0 where every text ends after its first word",
        "check_4_loss",
        "two texts of one word",
        (" if words > ends else 0.0", ""),
    ),
    _kinds(
        "each kind's sum is divided by all positions",
        "check_5_value",
        "you divided by all positions",
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
        "the denominator counts the padding",
        ("losses[inside].mean()", "losses[inside].sum() / losses.size"),
    ),
    _kinds(
        "the padding is counted",
        "check_5_value",
        "the padding's losses were counted",
        ("losses[inside].mean()", "losses.mean()"),
    ),
    _kinds(
        "multiplies garbage by 0",
        "check_5_garbage",
        "0 times NaN is NaN",
        ("losses[inside].mean()", "(losses * inside).sum() / inside.sum()"),
    ),
    _kinds(
        "treats whatever is infinite as padding",
        "check_5_garbage",
        "you left this word out",
        ("inside = kinds >= 0", "inside = np.isfinite(losses) & (kinds >= 0)"),
    ),
    _kinds(
        "writes 0 into the caller's losses",
        "check_5_garbage",
        "changed the losses",
        ("    inside = kinds >= 0\n", "    inside = kinds >= 0\n    losses[~inside] = 0\n"),
    ),
    _kinds(
        "a kind that does not occur gets 0",
        "check_5_missing",
        "return NaN, not 0",
        ("sums / sizes", "sums / np.maximum(sizes, 1)"),
    ),
    _kinds(
        "kinds that do not occur are left out",
        "check_5_missing",
        "as its first result, an array of shape (2,); it must be an array of numbers of shape (4,)",
        (RESULT, "return (sums / sizes)[sizes > 0], losses[inside].mean()"),
    ),
    _descend(
        "softmax over everything",
        "check_7_axis",
        "over all positions of all texts",
        ("powers.sum(axis=-1, keepdims=True)", "powers.sum()"),
    ),
    _descend(
        "softmax along the text",
        "check_7_axis",
        "softmax runs along the text",
        ("powers.sum(axis=-1, keepdims=True)", "powers.sum(axis=1, keepdims=True)"),
    ),
    _descend(
        "the loss of a text",
        "check_7_axis",
        "not per word",
        (SHARE, "counts / len(targets)"),
    ),
    _descend(
        "softmax twice",
        "check_7_twice",
        "softmax was applied twice",
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
        "takes the id 0 for padding, and IGNORE for the last word",
        "check_7_padding",
        "two columns of padding: the loss",
        ("targets != IGNORE", "targets != 0"),
    ),
    _descend(
        "takes the id 0 for padding, too",
        "check_7_padding",
        "only IGNORE is not a word",
        ("targets != IGNORE", "targets > 0"),
    ),
    _descend(
        "padding is not scored, but learned from",
        "check_7_padding",
        "the same loss, but different new weights",
        ("x * share[..., None]", "x / counts.sum()"),
    ),
    _descend("walks uphill", "check_7_down", "the loss rises", ("W - rate", "W + rate")),
    _descend(
        "writes into the caller's W",
        "check_7_down",
        "write into it",
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
        (SHARE, "counts / counts.sum(axis=1, keepdims=True) / len(counts)"),
    ),
    _descend(
        "the gradient of the sum",
        "check_7_mean",
        "so its gradient is one, too",
        ("x * share[..., None]", "x * counts[..., None]"),
    ),
]
