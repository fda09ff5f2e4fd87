"""Counting models: what comes next, after the last few tokens, in a corpus.

The reference lines under every loss curve of the course. Works on rows of ids: words of
stories, characters of a text.
"""

from collections import Counter
from collections.abc import Sized

import numpy as np

from lmkit.checks import as_array, check_whole, outside_vocabulary


def ngram_probabilities(train, test, order, vocab_size):
    """The probability of every test token after the `order - 1` tokens before it.

    After the context h it is `(count(h, token) + q) / (count(h) + 1)`, where q is what the
    model with one token less of context says, and `1 / vocab_size` below the unigram: one
    imaginary observation, shared out as the smaller model would. So no token is
    impossible, and the probabilities of all tokens sum to 1 after every context. Every row
    begins on an empty page.

    Args:
        train: rows of ids to count in, a list of lists or arrays. No padding.
        test: rows of ids to be scored.
        order: 1 for the unigram, 2 for the bigram, 3 for the trigram, and so on.
        vocab_size: how many different ids there are; ids run from 0 to `vocab_size - 1`.

    Returns:
        A float64 array, one probability for each token of `test`, row after row.

    Raises:
        ValueError: for an order below 1 or too long for the vocabulary, for no rows, or an
            id outside the vocabulary.
        TypeError: if the rows are no list, or one is not made of whole numbers.

    Example:
        >>> # After 1, 2 came twice and 0 once; the unigram says 2/7 and a little for 2.
        >>> ngram_probabilities([[1, 2, 1, 2, 1, 0]], [[1, 2]], 2, vocab_size=3).round(4).tolist()
        [0.7381, 0.5833]

    Source: MacKay and Peto, 1995 (the smoothing).
    Built by hand in: chapters/02_lstm_language_model.ipynb
    """
    check_whole("order", order)
    check_whole("vocab_size", vocab_size)
    if (vocab_size + 1) ** order >= 2**63:
        raise ValueError(f"order {order} is too long to count {vocab_size} ids with 64-bit numbers")
    train, test = (_windows(rows, order, vocab_size) for rows in (train, test))
    chance = 1 / vocab_size
    for context in range(order):
        before = _count(train[:, order - 1 - context : -1], test[:, order - 1 - context : -1])
        together = _count(train[:, order - 1 - context :], test[:, order - 1 - context :])
        chance = (together + chance) / (before + 1)
    return chance


def _windows(rows, order, vocab_size):
    """Every token as a row `(order - 1 tokens before it, token)`; `vocab_size` is the page."""
    if not isinstance(rows, Sized):
        raise TypeError(f"rows must be a list of rows of ids, got {type(rows).__name__}")
    if not len(rows):
        raise ValueError("there are no rows to count in: the list is empty")
    parts = [_check_row(row, number, vocab_size) for number, row in enumerate(rows)]
    page = np.full(order - 1, vocab_size)
    view = np.lib.stride_tricks.sliding_window_view
    return np.concatenate([view(np.concatenate([page, row]), order) for row in parts])


def _check_row(row, number, vocab_size):
    row = as_array(f"row {number}", row)
    if row.ndim != 1 or not row.size:
        raise ValueError(f"row {number} must be one row of at least one id, got shape {row.shape}")
    if row.dtype.kind not in "iu":
        raise TypeError(f"row {number} must hold whole numbers, got {row.dtype}")
    outside = row[outside_vocabulary(row, vocab_size)]
    if outside.size:
        raise ValueError(f"row {number} holds id {outside[0]}: ids run from 0 to {vocab_size - 1}")
    return row.astype("int64")


def _count(train, test):
    """How often each row of `test` occurs among the rows of `train`."""
    base = (1 + max(part.max(initial=0) for part in (train, test))) ** np.arange(train.shape[1])
    found, counts = np.unique(train @ base, return_counts=True)
    table = Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))
    asked, back = np.unique(test @ base, return_inverse=True)
    return np.array([table[key] for key in asked.tolist()])[back]
