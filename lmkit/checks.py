"""Invariants that you can assert about your own arrays and models."""

import numpy as np
from keras import ops

from lmkit import _arguments


def assert_close(actual, expected, tolerance=1e-5, what="values"):
    """Asserts that two arrays agree, and prints the largest difference.

    Args:
        actual: an array or tensor.
        expected: an array or tensor of the same shape.
        tolerance: the largest difference allowed, in the unit of the values. Infinity
            agrees with itself; NaN agrees with nothing.
        what: what is compared, for the message.

    Raises: AssertionError if the arrays do not agree; it names the place.

    Example:
        >>> assert_close([1.0, 2.0], [1.0, 2.25], tolerance=0.5, what="two numbers")
        two numbers: shape (2,), largest difference 2.5e-01 (allowed 5e-01)
    """
    actual, expected = _floats(what, actual), _floats(what, expected)
    if actual.shape != expected.shape:
        raise AssertionError(f"{what}: shape {actual.shape}, expected {expected.shape}")
    with np.errstate(invalid="ignore"):  # the difference of two infinities
        difference = np.where(actual == expected, 0.0, np.abs(actual - expected))
    largest = float(np.max(difference, initial=0.0))
    line = f"{what}: shape {actual.shape}, largest difference {largest:.1e}"
    if not largest <= tolerance:  # written so that NaN fails, too
        place = tuple(map(int, np.unravel_index(np.argmax(difference), actual.shape)))
        # As Python's floats, whose digits tell any two numbers apart.
        got = f"{float(actual[place])!r} instead of {float(expected[place])!r}"
        raise AssertionError(f"{line} at {place}: {got} (allowed {tolerance:.0e})")
    print(f"{line} (allowed {tolerance:.0e})")


def assert_padding_ignored(model, ids, extra=20, tolerance=1e-5):
    """Asserts that more padding on the right does not change a model's output.

    Args:
        model: takes ids `(batch, time)`, where 0 is padding; one output per row.
        ids: `(batch, time)`.
        extra: how many columns of padding to add.
        tolerance: the largest change allowed.

    Example:
        >>> assert_padding_ignored(lambda ids: ids.sum(axis=1), [[3, 4]])
        output with 20 more columns of padding: shape (1,), largest difference 0.0e+00 ...
    """
    ids, extra = _arguments.ids("ids", ids, 2), _arguments.whole("extra", extra)
    padded = np.pad(ids, ((0, 0), (0, extra)))
    what = f"output with {extra} more columns of padding"
    assert_close(model(padded), model(ids), tolerance, what)


def assert_causal(model, ids, vocab_size=None):
    """Asserts that the output at no position depends on later ids.

    A model that fails reads what it should predict: its loss can fall below the entropy of
    the text, and the text it generates is worthless.

    Args:
        model: takes ids `(batch, time)` and has an output at every position.
        ids: `(batch, time)`, at least two columns.
        vocab_size: ids run from 0 to `vocab_size - 1`; None for `model.vocab_size`.

    Raises: AssertionError that names the first position that sees a later id.

    Example:
        >>> assert_causal(lambda ids: ids.cumsum(axis=1), [[3, 4, 5, 6]], vocab_size=9)
        4 positions: none sees a later id
    """
    if vocab_size is None:
        vocab_size = getattr(model, "vocab_size", None)
    vocab_size = _arguments.whole("vocab_size", vocab_size, least=2)  # one id has no other
    ids = _arguments.ids("ids", ids, 2, vocab_size)
    if ids.shape[1] < 2:
        raise ValueError("ids must have at least 2 columns, got 1: there is nothing later")
    before = _floats("output", model(ids))  # (B, T, ...)
    if before.shape[:2] != ids.shape:
        raise ValueError(f"the output must have a value per id, {ids.shape}, got {before.shape}")
    if np.isnan(before).any():  # NaN differs from itself, which would look like a leak
        place = np.argwhere(np.isnan(before))[0]
        raise AssertionError(f"the output is NaN in row {place[0]} at position {place[1]}")
    for cut in range(1, ids.shape[1]):
        changed = ids.copy()
        changed[:, cut:] = (ids[:, cut:] + 1) % vocab_size  # every id becomes another one
        differs = (_floats("output", model(changed)) != before)[:, :cut]
        positions = np.argwhere(differs)[:, 1]
        if len(positions):
            raise AssertionError(f"position {min(positions)} sees an id at position {cut} or later")
    print(f"{ids.shape[1]} positions: none sees a later id")


def _floats(name, values):
    # float64 arrays stay what they are: on some backends a tensor would round them.
    values = ops.convert_to_numpy(values) if ops.is_tensor(values) else values
    return _arguments.array(name, values, "float64")
