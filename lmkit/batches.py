"""Ids as batches: what a model reads, and what it should predict.

A target says itself whether it is scored: IGNORE marks the positions that are not. So neither
losses nor metrics have to guess which id is padding.
"""

import functools
from collections.abc import Iterable

import numpy as np

from lmkit import _arguments
from lmkit._arguments import IGNORE


def next_tokens(rows, length=None, pad_id=0):
    """Makes the inputs and targets with which a model learns to predict the next token.

    Args:
        rows: a list of rows of ids of any lengths, each at least 2 ids.
        length: how many inputs T a row has; None for as many as the longest row needs.
        pad_id: what the inputs are padded with on the right.

    Returns:
        Inputs and targets, int32 `(rows, T)` each: at every position the target is the id
        that comes next. Behind a row's end it is IGNORE.

    Example:
        >>> inputs, targets = next_tokens([[5, 3, 8], [5, 2]])
        >>> inputs.tolist(), targets.tolist()
        ([[5, 3], [5, 0]], [[3, 8], [2, -1]])
    """
    rows = _arguments.rows("row", rows)
    short = next((number for number, row in enumerate(rows) if len(row) < 2), None)
    if short is not None:
        raise ValueError(f"row {short} has 1 id: nothing follows that could be predicted")
    longest = max(map(len, rows)) - 1
    length = longest if length is None else _arguments.whole("length", length)
    if length < longest:  # never cut silently: the end of a text is often what matters
        raise ValueError(f"length must be at least {longest}, for the longest row, got {length}")
    inputs, targets = _padded(len(rows), length, pad_id)
    for number, row in enumerate(rows):
        inputs[number, : len(row) - 1] = row[:-1]
        targets[number, : len(row) - 1] = row[1:]
    return inputs, targets


def windows(ids, length, stride=None, pad_id=0):
    """Cuts one long text into rows in which every token but the first is a target once.

    Args:
        ids: the text, one row of at least 2 ids.
        length: how many inputs T a row has.
        stride: by how many ids the start of a row is behind that of the row before; None
            for `length`. With a smaller one rows overlap, so that more ids precede a target.
            Targets that an earlier row has scored are IGNORE.
        pad_id: the padding, which only the last row can have, on the right, if the text ends
            before the row does. Its targets are IGNORE there.

    Returns:
        Inputs and targets, int32 `(rows, T)` each.

    Example:
        >>> inputs, targets = windows([5, 2, 7, 4, 9, 3], length=3)
        >>> inputs.tolist(), targets.tolist()
        ([[5, 2, 7], [4, 9, 0]], [[2, 7, 4], [9, 3, -1]])
    """
    ids, length = _text(ids, 2), _arguments.whole("length", length)
    stride = length if stride is None else _arguments.whole("stride", stride, most=length)
    count = 1 + max(0, -(-(len(ids) - 1 - length) // stride))  # rounded up
    places = stride * np.arange(count)[:, None] + np.arange(length)  # (N, T), of the inputs
    inputs, targets = _padded(count, length, pad_id)
    inside = places < len(ids) - 1  # the last id is a target only
    inputs[inside], targets[inside] = ids[places[inside]], ids[places[inside] + 1]
    targets[1:, : length - stride] = IGNORE  # scored by the row before
    return inputs, targets


def random_windows(ids, length, count, seed):
    """Cuts rows out of one long text, at random places.

    Args:
        ids: the text, one row of at least `length + 1` ids.
        length: how many inputs T a row has.
        count: how many rows.
        seed: the same seed gives the same rows; take another one for every step.

    Returns: inputs and targets, int32 `(count, T)` each; every target is scored.

    Example:
        >>> inputs, targets = random_windows([5, 2, 7, 4, 9, 3], length=3, count=2, seed=0)
        >>> inputs.tolist(), targets.tolist()
        ([[7, 4, 9], [2, 7, 4]], [[4, 9, 3], [7, 4, 9]])
    """
    length = _arguments.whole("length", length)
    ids, count = _text(ids, length + 1), _arguments.whole("count", count)
    rng = np.random.default_rng(_arguments.whole("seed", seed, least=0))
    starts = rng.integers(0, len(ids) - length, (count, 1))
    places = starts + np.arange(length)  # (N, T)
    return ids[places], ids[places + 1]


def pairs(sources, targets, start, pad_id=0):
    """Makes inputs and targets for a model that reads one text and writes another.

    Args:
        sources: a list of rows of ids: the texts that are read.
        targets: as many rows of ids: the texts that are written.
        start: the id from which the first id of a text is predicted.
        pad_id: what sources and decoder inputs are padded with on the right.

    Returns:
        `((source_ids, decoder_ids), targets)`, int32 `(rows, time)` each. The decoder reads
        `start` and then the targets, one position late.

    Example:
        >>> (source_ids, decoder_ids), targets = pairs([[4, 5], [6]], [[7], [8, 9]], start=1)
        >>> source_ids.tolist(), decoder_ids.tolist(), targets.tolist()
        ([[4, 5], [6, 0]], [[1, 0], [1, 8]], [[7, -1], [8, 9]])
    """
    sources, targets = _arguments.rows("source", sources), _arguments.rows("target", targets)
    if len(sources) != len(targets):
        raise ValueError(f"every source needs one target, got {len(sources)} and {len(targets)}")
    start = _arguments.whole("start", start, least=0)
    source_ids, _ = _padded(len(sources), max(map(len, sources)), pad_id)
    for line, row in zip(source_ids, sources, strict=True):
        line[: len(row)] = row
    # With `start` in front, the decoder's inputs are its targets one position late.
    decoder_ids, targets = next_tokens([[start, *row] for row in targets], pad_id=pad_id)
    return (source_ids, decoder_ids), targets


def packed(rows, length, gap, vocab_size=None):
    """Joins texts of any lengths into rows of one length, so that few places stay empty.

    Args:
        rows: a list of rows of ids, IGNORE (-1) where there is no word.
        length: how many places T a row has.
        gap: how many places with IGNORE there are behind every text, at least. Where a model
            looks at most that many places away, it never sees two texts at once.
        vocab_size: ids run from 0 to `vocab_size - 1`; None if it is not known.

    Returns:
        Int32 `(rows, T)`; behind the last text it is filled with IGNORE.

    Example:
        >>> packed([[5, 2, 7], [4]], length=4, gap=1).tolist()
        [[5, 2, 7, -1], [4, -1, -1, -1]]
    """
    length, gap = _arguments.whole("length", length), _arguments.whole("gap", gap, least=0)
    if isinstance(rows, str) or not isinstance(rows, Iterable):
        raise TypeError(f"rows must be a list of rows of ids, got {type(rows).__name__}")
    check = functools.partial(_arguments.ids, ndim=1, vocab_size=vocab_size, ignore=True)
    found = [check(f"row {number}", row, empty=True) for number, row in enumerate(rows)]
    nothing = np.full(gap, IGNORE, "int32")
    running = [part for row in found for part in (row, nothing)]
    ids = np.concatenate([nothing[:0], *running])
    if not len(ids):
        raise ValueError("the rows hold no ids: give at least one")
    _, joined = _padded(-(-len(ids) // length), length, pad_id=0)
    joined.flat[: len(ids)] = ids
    return joined


def _padded(count, length, pad_id):
    """Makes inputs of nothing but padding, and targets of nothing but IGNORE."""
    pad_id = _arguments.whole("pad_id", pad_id, least=0)
    return np.full((count, length), pad_id, "int32"), np.full((count, length), IGNORE, "int32")


def _text(ids, least):
    ids = _arguments.ids("ids", ids, 1)
    if len(ids) < least:
        raise ValueError(f"ids must hold at least {least} ids, got {len(ids)}")
    return ids
