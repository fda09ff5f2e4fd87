"""Counting models: which token comes next after the last few, in a corpus."""

import numpy as np

from lmkit import _arguments


def ngram_probabilities(train, test, order, vocab_size):
    """Computes the probability of every test token after the `order - 1` tokens before it.

    After the context h it is `(count(h, token) + q) / (count(h) + 1)`, where q is what the
    model with one token less of context says: one imaginary observation, shared out as the
    smaller model would. So no token is impossible. Below the unigram, q is `1 / vocab_size`.

    Args:
        train: a list of rows of ids to count in.
        test: a list of rows of ids to be scored. No row knows what another one holds.
        order: 1 for the unigram, 2 for the bigram, 3 for the trigram, and so on.
        vocab_size: ids run from 0 to `vocab_size - 1`.

    Returns:
        A float64 array, one probability per token of `test`, row after row.

    Example:
        >>> # After 1, 2 came twice and 0 once; the unigram says 2/7 and a little for 2.
        >>> ngram_probabilities([[1, 2, 1, 2, 1, 0]], [[1, 2]], 2, vocab_size=3).round(4).tolist()
        [0.7381, 0.5833]

    Source: MacKay and Peto, 1995 (the smoothing).
    """
    order = _arguments.whole("order", order)
    vocab_size = _arguments.whole("vocab_size", vocab_size)
    # A context is counted as one number, whose digits are ids.
    if (vocab_size + 1) ** order >= 2**63:
        raise ValueError(f"order {order} is too long to count {vocab_size} ids with 64-bit numbers")
    train = _windows("train row", train, order, vocab_size)
    test = _windows("test row", test, order, vocab_size)
    probability = 1 / vocab_size
    for first in reversed(range(order)):  # from the unigram up
        before = _count(train[:, first:-1], test[:, first:-1])
        together = _count(train[:, first:], test[:, first:])
        probability = (together + probability) / (before + 1)
    return probability


def _windows(name, rows, order, vocab_size):
    """Makes a row `(order - 1 tokens before it, token)` of every token."""
    # An id of its own stands for the nothing before a row begins.
    nothing = np.full(order - 1, vocab_size)
    rows = _arguments.rows(name, rows, vocab_size)
    view = np.lib.stride_tricks.sliding_window_view
    return np.concatenate([view(np.concatenate([nothing, row]), order) for row in rows])


def _count(train, test):
    """Counts how often each row of `test` occurs among the rows of `train`."""
    base = (1 + max(part.max(initial=0) for part in (train, test))) ** np.arange(train.shape[1])
    found, counts = np.unique(train @ base, return_counts=True)
    asked = test @ base
    # Where each would stand among the sorted ones; the last place serves what is behind it.
    places = np.minimum(np.searchsorted(found, asked), len(found) - 1)
    return np.where(found[places] == asked, counts[places], 0)
