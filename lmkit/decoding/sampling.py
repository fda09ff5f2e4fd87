"""Drawing one token from logits, in NumPy and float64."""

import numpy as np

from lmkit import _arguments


def keep_likely(logits, top_k=None, top_p=None):
    """Makes all but the likely tokens impossible; of equal ones the first counts as likelier.

    Args:
        logits: one number per token, `(vocab,)`.
        top_k: keep the k most probable tokens; None for all.
        top_p: of these keep the most probable ones, up to a total probability of p; None for all.

    Returns:
        A float64 array `(vocab,)`, minus infinity for the tokens that are dropped.

    Example:
        >>> keep_likely(np.log([0.1, 0.6, 0.3]), top_k=2, top_p=0.5).round(4).tolist()
        [-inf, -0.5108, -inf]

    Source: Fan, Lewis and Dauphin, 2018 (top-k); Holtzman et al., 2020 (top-p).
    """
    logits = check_logits(logits)
    check_filters(top_k, top_p, len(logits))
    kept, _ = _filtered(logits - logits.max(), top_k, top_p)
    likely = np.full(len(logits), -np.inf)
    likely[kept] = logits[kept]
    return likely


def sample_token(logits, temperature=1.0, rng=None, top_k=None, top_p=None):
    """Draws a token from softmax(logits / temperature) and returns its id.

    Args:
        logits: one number per token, `(vocab,)`; minus infinity makes a token impossible.
        temperature: below 1 favors probable tokens, above 1 evens out; 0 takes the likeliest.
        rng: `np.random.default_rng(seed)`; temperature 0 does without.
        top_k: as for `keep_likely`.
        top_p: as for `keep_likely`, measured after the temperature.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> [sample_token([0.0, 2.0, 1.0], 1.0, rng) for _ in range(5)]
        [1, 1, 0, 0, 2]
    """
    logits = check_logits(logits)
    temperature = _arguments.real("temperature", temperature, least=0)
    check_filters(top_k, top_p, len(logits))
    if temperature == 0:
        return pick(logits, 0.0, temperature)
    return pick(logits, _arguments.generator(rng).random(), temperature, top_k, top_p)


def pick(logits, point, temperature, top_k=None, top_p=None):
    """Picks the token on which a point falls, of arguments that were checked before.

    Args:
        logits: float64 `(vocab,)`.
        point: a random number of at least 0 and below 1.
        temperature: 0 or larger.
        top_k: as for `keep_likely`.
        top_p: as for `keep_likely`.

    Returns:
        The id of the token, an int.

    Example:
        >>> pick(np.log([0.5, 0.25, 0.25]), 0.6, temperature=1.0)
        1
    """
    if temperature == 0:
        return int(np.argmax(logits))
    with np.errstate(over="ignore"):  # a tiny temperature: minus infinity is the right limit
        logits = (logits - logits.max()) / temperature
    kept, weights = _filtered(logits, top_k, top_p)
    # A stick of length 1 with a piece for every token: on which one does the point fall?
    ends = np.cumsum(weights)
    return int(kept[np.searchsorted(ends, point * ends[-1], side="right")])


def check_logits(logits):
    """Checks that logits describe a distribution.

    Args:
        logits: one number per token, `(vocab,)`.

    Returns:
        The same as a float64 array.

    Raises: ValueError if they are empty, NaN, plus infinity, or all minus infinity.

    Example:
        >>> check_logits([0, -np.inf]).tolist()
        [0.0, -inf]
    """
    logits = _arguments.array("logits", logits, "float64")
    if logits.ndim != 1 or logits.size == 0:
        raise ValueError(f"logits must be one row (vocab,), not empty, got shape {logits.shape}")
    top = logits.max()  # NaN if one of them is
    if not top < np.inf:
        place = int(np.argmin(logits < np.inf))  # NaN is not below infinity either
        raise ValueError(f"logit {place} is {logits[place]}: it gives no probability")
    if top == -np.inf:
        raise ValueError("every logit is minus infinity: no token is possible")
    return logits


def check_filters(top_k, top_p, vocab_size):
    """Checks the limits of a draw.

    Args:
        top_k: None, or 1 to `vocab_size`.
        top_p: None, or above 0 and at most 1.
        vocab_size: how many tokens there are.

    Raises: ValueError for anything else.

    Example:
        >>> check_filters(top_k=40, top_p=None, vocab_size=65)
    """
    if top_k is not None:
        _arguments.whole("top_k", top_k, most=vocab_size)
    if top_p is not None:
        _arguments.real("top_p", top_p, above=0, most=1)


def _filtered(logits, top_k, top_p):
    """Finds the tokens that the filters keep: their ids, ascending, and their weights.

    The largest logit is 0, so that no weight overflows.
    """
    kept = np.arange(len(logits))
    if top_k is not None and top_k < len(logits):
        kept = _largest(logits, top_k)
        logits = logits[kept]
    weights = np.exp(logits)
    if top_p is not None and top_p < 1:
        inside = np.flatnonzero(_nucleus(logits, weights, top_p))
        kept, weights = kept[inside], weights[inside]
    return kept, weights


def _largest(values, count):
    """Finds the places of the `count` largest values, the first ones among equals."""
    # A partition is linear in the vocabulary; sorting 50,257 logits takes milliseconds.
    least = np.partition(values, -count)[-count]
    above, ties = np.flatnonzero(values > least), np.flatnonzero(values == least)
    return np.sort(np.concatenate([above, ties[: count - len(above)]]))


def _nucleus(logits, weights, top_p):
    """Marks the most probable tokens that together have the share `top_p` of the weights."""
    needed = top_p * weights.sum()
    # Instead of sorting everything: buckets of logits, from the most probable down. Only the
    # bucket in which the sum reaches its goal has to be sorted. The last one holds all that
    # is less probable than e^-40 of the first.
    place = (np.minimum(-logits, 40.0) * (_BUCKETS / 40.0)).astype("int32")
    mass = np.cumsum(np.bincount(place, weights, minlength=_BUCKETS + 1))
    border = int(np.searchsorted(mass, needed))  # the first bucket that reaches it
    kept = place < border
    last = np.flatnonzero(place == border)
    last = last[np.argsort(-logits[last], kind="stable")]
    before = np.cumsum(weights[last]) - weights[last] + (mass[border - 1] if border else 0.0)
    kept[last[before < needed]] = True
    return kept


_BUCKETS = 4096
