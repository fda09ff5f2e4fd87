"""Invariants a learner can see, and checks of values before the compiled part.

Inside compiled code a wrong value raises nothing: an id outside the vocabulary
silently takes another row. So values are checked here, in NumPy, beforehand.
"""

import numbers

import numpy as np
from keras import ops


def assert_close(actual, expected, tolerance=1e-5, what="values"):
    """Asserts that two arrays agree, and prints the largest difference.

    Args:
        actual: an array or tensor.
        expected: an array or tensor of the same shape.
        tolerance: the largest difference that is allowed, in the values' own unit.
        what: what is compared, for the printed line.

    Raises:
        AssertionError: if the shapes differ, or a difference is larger or not a number.

    Example:
        >>> assert_close([1.0, 2.0], [1.0, 2.25], tolerance=0.5, what="two numbers")
        two numbers: shape (2,), largest difference 2.5e-01 (allowed 5e-01)
    """
    actual, expected = _array(actual), _array(expected)
    if actual.shape != expected.shape:
        raise AssertionError(f"{what}: shape {actual.shape}, expected {expected.shape}")
    difference = np.abs(actual.astype("float64") - expected.astype("float64"))
    largest = float(np.max(difference, initial=0.0))
    line = f"{what}: shape {actual.shape}, largest difference {largest:.1e}"
    if not largest <= tolerance:  # so that NaN fails as well
        where = tuple(int(i) for i in np.unravel_index(np.argmax(difference), actual.shape))
        raise AssertionError(
            f"{line} at {where}: {actual[where]} instead of {expected[where]} "
            f"(allowed {tolerance:.0e})"
        )
    print(f"{line} (allowed {tolerance:.0e})")


def assert_padding_ignored(model, ids, extra=20, tolerance=1e-5):
    """Asserts that padding on the right does not change what a model says.

    Args:
        model: takes ids `(batch, time)`; 0 is the padding.
        ids: an int array `(batch, time)`.
        extra: how many columns of padding to add.
        tolerance: the largest change that is allowed in the output.

    Raises:
        AssertionError: if the output changes by more.

    Example:
        >>> from lmkit.models import bag_of_words_classifier
        >>> assert_padding_ignored(bag_of_words_classifier(9), np.array([[3, 4]]))
        output with 20 more columns of padding: shape (1, 1), largest difference 0.0e+00 ...
    """
    padded = np.pad(ids, ((0, 0), (0, extra)))
    what = f"output with {extra} more columns of padding"
    assert_close(model(padded), model(np.asarray(ids)), tolerance, what)


def assert_causal(model, ids, vocab_size):
    """Asserts that no later id changes what a model said before it.

    A model that fails reads what it should predict: its loss can fall below the entropy of
    the text, and what it writes is worth nothing.

    Args:
        model: takes ids `(batch, time)` and says something at every position.
        ids: an int array `(batch, time)`, at least two columns, no padding.
        vocab_size: the later ids are replaced by others from 1 to `vocab_size - 1`.

    Raises:
        AssertionError: if the output at an earlier position changes; it names the first one.
        ValueError: if there is nothing later than the first position.

    Example:
        >>> from lmkit.models import lstm_lm
        >>> assert_causal(lstm_lm(9, 2, 3), [[3, 4, 5, 6]], vocab_size=9)
        4 positions: none sees a later id

    Source: the chain rule.
    """
    ids = check_ids(ids, vocab_size)
    if ids.shape[1] < 2:
        raise ValueError(f"rows of {ids.shape[1]} id: there is nothing later")
    before = _array(model(ids))
    for cut in range(1, ids.shape[1]):
        changed = ids.copy()
        changed[:, cut:] = ids[:, cut:] % (vocab_size - 1) + 1  # each to the next, the last to 1
        differs = np.any(_array(model(changed))[:, :cut] != before[:, :cut], axis=(0, 2))
        if differs.any():
            raise AssertionError(
                f"position {int(np.argmax(differs))} sees an id at position {cut} or later"
            )
    print(f"{ids.shape[1]} positions: none sees a later id")


def check_ids(ids, vocab_size):
    """Checks a batch of ids before it goes into a model.

    Args:
        ids: an array `(batch, time)` of whole numbers.
        vocab_size: ids must lie from 0 to `vocab_size - 1`.

    Returns:
        The ids as an int32 array.

    Raises:
        TypeError: if the ids are not whole numbers.
        ValueError: for another rank, rows of different lengths, an empty batch, an id outside
            the vocabulary or above int32's limit, or a row that is nothing but padding.

    Example:
        >>> check_ids([[5, 2, 0]], vocab_size=6).shape
        (1, 3)
    """
    ids, vocab_size = as_ids(ids), min(vocab_size, 2**31)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"ids must be whole numbers, got {ids.dtype}")
    if ids.ndim != 2 or ids.size == 0:
        raise ValueError(f"ids must be a batch (batch, time), not empty, got shape {ids.shape}")
    outside = np.argwhere(outside_vocabulary(ids, vocab_size))
    if len(outside):
        row, column = outside[0]
        raise ValueError(
            f"id {ids[row, column]} in row {row}, column {column} is outside the vocabulary: "
            f"ids run from 0 to {vocab_size - 1}"
        )
    empty = np.flatnonzero(~ids.any(axis=1))
    if len(empty):
        raise ValueError(f"row {empty[0]} is all padding: its text holds no word")
    return ids.astype("int32")


def check_labels(labels):
    """Checks a row of labels that must be 0 or 1.

    Args:
        labels: an array `(n,)`.

    Returns:
        The labels as an int32 array.

    Raises:
        ValueError: if a label is not 0 or 1, or the labels are not one row.

    Example:
        >>> check_labels([0, 1.0, True]).tolist()
        [0, 1, 1]
    """
    labels = as_array("labels", labels)
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(f"labels must be one row (n,), not empty, got shape {labels.shape}")
    wrong = np.flatnonzero(~np.isin(labels, (0, 1)))
    if len(wrong):
        raise ValueError(f"label {labels[wrong[0]].item()!r} at position {wrong[0]} is not 0 or 1")
    return labels.astype("int32")


def check_shifted(inputs, targets):
    """Checks that the targets of a language model are its inputs, one step later.

    Targets that equal the inputs are learned at once and teach nothing: the loss falls
    below everything that prediction could reach.

    Args:
        inputs: ids `(batch, time)`.
        targets: ids `(batch, time)`.

    Returns:
        Both as int32 arrays.

    Raises:
        TypeError: if they are not whole numbers.
        ValueError: if the shapes differ, a row is one id long, or a target is not the
            input of the next step.

    Example:
        >>> inputs, targets = check_shifted([[4, 7, 5]], [[7, 5, 9]])
        >>> check_shifted([[4, 7, 5]], [[4, 7, 5]])
        Traceback (most recent call last):
        ValueError: row 0: the target at position 0 must be the input at position 1, 7, got 4; ...

    Built by hand in: chapters/02_lstm_language_model.ipynb
    """
    inputs, targets = check_ids(inputs, np.inf), check_ids(targets, np.inf)
    if inputs.shape != targets.shape:
        raise ValueError(f"inputs {inputs.shape} need one target each, got {targets.shape}")
    if inputs.shape[1] < 2:
        raise ValueError("rows of one id: nothing shows whether the targets are shifted")
    wrong = np.argwhere(targets[:, :-1] != inputs[:, 1:])
    if len(wrong):
        row, at = wrong[0]
        raise ValueError(
            f"row {row}: the target at position {at} must be the input at position {at + 1}, "
            f"{inputs[row, at + 1]}, got {targets[row, at]}; use ids[:, :-1] and ids[:, 1:]"
        )
    return inputs, targets


def check_whole(name, number, least=1):
    """Checks a size: a whole number that is not too small.

    Args:
        name: what the number is, for the message.
        number: the number, Python's or NumPy's; `True` is none.
        least: the smallest value allowed.

    Raises:
        ValueError: if it is not such a number.

    Example:
        >>> check_whole("units", 0)
        Traceback (most recent call last):
        ValueError: units must be a whole number of at least 1, got 0
    """
    whole = isinstance(number, numbers.Integral) and not isinstance(number, bool)
    if not whole or number < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {number!r}")


def check_real(name, number, least=-np.inf, below=np.inf):
    """Checks a setting: a number, and not one that is too small or too large.

    Args:
        name: what the number is, for the message.
        number: the number; NaN and `True` are none.
        least: the smallest value allowed.
        below: what it must stay below.

    Raises:
        ValueError: if it is not such a number.

    Example:
        >>> check_real("dropout", 1, least=0, below=1)
        Traceback (most recent call last):
        ValueError: dropout must be at least 0 and below 1, got 1
    """
    real = isinstance(number, numbers.Real) and not isinstance(number, bool)
    if not real or not (-np.inf < number and least <= number < below):
        limits = [f"at least {least}"] * (least > -np.inf) + [f"below {below}"] * (below < np.inf)
        wanted = " and ".join(limits) or "a finite number"
        raise ValueError(f"{name} must be {wanted}, got {number!r}")


def as_array(name, values, dtype=None):
    """What was given as an array; NumPy's reason for refusing it names no argument.

    Args:
        name: what the values are, for the message.
        values: an array, or lists of numbers.
        dtype: the array's type, NumPy's choice if None.

    Returns:
        The array.

    Raises:
        ValueError: for rows of different lengths, or what is no number where one must be.

    Example:
        >>> as_array("ids", [[5, 2], [7]])
        Traceback (most recent call last):
        ValueError: ids must be numbers in rows of one length, got [[5, 2], [7]]
    """
    try:
        return np.asarray(values, dtype=dtype)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be numbers in rows of one length, got {values!r:.60}"
        ) from None


def outside_vocabulary(ids, vocab_size):
    """Where ids are no ids of the vocabulary.

    Args:
        ids: an array of whole numbers, of any shape and type.
        vocab_size: ids run from 0 to `vocab_size - 1`.

    Returns:
        A bool array of the same shape.

    Example:
        >>> outside_vocabulary(np.array([0, 5, -1]), vocab_size=5).tolist()
        [False, True, True]
    """
    # Compared with a number that its type cannot hold, an array that is a slice of another one
    # makes NumPy 2.1.3, Colab's, crash.
    last = min(vocab_size - 1, np.iinfo(ids.dtype).max) if ids.size else 0
    return (ids < 0) | (ids > last)


def as_ids(ids):
    """What was given as an array of ids; text, a frequent mistake, is refused.

    Args:
        ids: an array, or lists of numbers.

    Returns:
        The array; whether its numbers are whole is not checked here.

    Raises:
        TypeError: for text.
        ValueError: for rows of different lengths.

    Example:
        >>> as_ids("a warm film")
        Traceback (most recent call last):
        TypeError: ids must be whole numbers, got text: encode it first
    """
    array = as_array("ids", ids)
    if array.dtype.kind == "U":
        raise TypeError("ids must be whole numbers, got text: encode it first")
    return array


def _array(values):
    # ops.convert_to_numpy would round float64 arrays to float32 on some backends.
    return values if isinstance(values, np.ndarray) else np.asarray(ops.convert_to_numpy(values))
