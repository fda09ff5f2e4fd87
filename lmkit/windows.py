"""Cutting a long text into rows that a model can read."""

import numpy as np

from lmkit.checks import as_ids, check_whole


def cut_windows(ids, length):
    """Cuts a text into rows in which every token but the first is predicted exactly once.

    A row holds `length + 1` ids: the model reads `row[:-1]` and predicts `row[1:]`. Rows
    overlap by one id, the last target of a row is what the next row begins with.

    Args:
        ids: the text, a row of ids `(tokens,)` from 1; 0 is padding.
        length: how many tokens a model reads in a row.

    Returns:
        An int32 array `(rows, length + 1)`; the last row is padded with 0 on the right.

    Raises:
        TypeError: if the ids are not whole numbers.
        ValueError: if they are not one row, hold padding, outgrow int32, or make up less than
            one window.

    Example:
        >>> cut_windows([5, 2, 7, 4, 9, 3], length=2).tolist()
        [[5, 2, 7], [7, 4, 9], [9, 3, 0]]

    Source: article B (001), one target for every word.
    Built by hand in: chapters/02b_real_prose.ipynb
    """
    check_whole("length", length)
    ids = as_ids(ids)
    if ids.ndim != 1:
        raise ValueError(f"ids must be one row of numbers, got shape {ids.shape}")
    if ids.size <= length:
        raise ValueError(
            f"a text of {ids.size} tokens is shorter than one window: reading {length} and "
            f"predicting the next takes {length + 1}; use a smaller length"
        )
    if ids.dtype.kind not in "iu":
        raise TypeError(f"ids must be whole numbers, got {ids.dtype}")
    if ids.min() < 1:
        raise ValueError(f"id {ids.min()} at position {ids.argmin()}: a text's ids begin at 1")
    if ids.max() >= 2**31:
        raise ValueError(f"id {ids.max()} at position {ids.argmax()} is above int32's limit")
    starts = np.arange(0, ids.size - 1, length)
    padded = np.concatenate([ids, np.zeros(length, ids.dtype)]).astype("int32")
    return padded[starts[:, None] + np.arange(length + 1)]
