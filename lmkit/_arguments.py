"""Checks of what a user hands in: one place, one wording for each kind of mistake.

Compiled code cannot raise, and there a wrong id silently reads another row. So values are
checked once, in NumPy, where they enter the package. Every check returns the value that the
caller goes on with.
"""

import math
import numbers
import operator
from collections.abc import Iterable

import numpy as np

IGNORE = -1  # in targets: this position is not scored
NUMBERS, TEXT = "biufV", "US"  # kinds of NumPy types; V is bfloat16, which NumPy does not know
FITS = {"above": operator.gt, "at least": operator.ge, "at most": operator.le, "below": operator.lt}
AXES = {1: "one row (time,)", 2: "(batch, time)"}


def whole(name, value, least=1, most=None):
    """Checks a whole number and returns it as an int.

    Args:
        name: the argument's name, for the message.
        value: what came, Python's or NumPy's.
        least: the smallest number allowed.
        most: the largest number allowed, or None.
    """
    # True is an int to Python, and never what was meant.
    fine = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not fine or value < least or (most is not None and value > most):
        limit = "" if most is None else f" and at most {most}"
        wanted = f"a whole number of at least {least}{limit}"
        raise ValueError(f"{name} must be {wanted}, got {_show(value)}")
    return int(value)  # Keras refuses np.int64


def real(name, value, least=None, below=None, above=None, most=None):
    """Checks a finite number and returns it as a float.

    Args:
        name: the argument's name, for the message.
        value: what came.
        least: the smallest number allowed, or None.
        below: the number must be smaller, or None.
        above: the number must be larger, or None.
        most: the largest number allowed, or None.
    """
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    finite = number and -math.inf < value < math.inf  # NaN is not below infinity either
    kinds = {"above": above, "at least": least, "at most": most, "below": below}
    limits = {words: limit for words, limit in kinds.items() if limit is not None}
    if not finite or not all(FITS[words](value, limit) for words, limit in limits.items()):
        # Infinity is at least 0, so the limits alone would not say what is wrong with it.
        wanted = ["a finite number"] * (not limits or (number and not finite))
        wanted += [f"{words} {limit}" for words, limit in limits.items()]
        raise ValueError(f"{name} must be {' and '.join(wanted)}, got {_show(value)}")
    return float(value)


def choice(name, value, options):
    """Checks that a text is one of a few and returns it.

    Args:
        name: the argument's name, for the message.
        value: what came.
        options: a list of strings.
    """
    # Asked for its type first: an array compared with a text is an array of answers.
    if not isinstance(value, str) or value not in options:
        *first, last = (f'"{option}"' for option in options)
        wanted = f"{', '.join(first)} or {last}"
        raise ValueError(f"{name} must be {wanted}, got {_show(value)}")
    return value


def flag(name, value):
    """Checks a switch and returns it as a bool.

    Args:
        name: the argument's name, for the message.
        value: what came; "no" would count as True.
    """
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, got {_show(value)}")
    return bool(value)


def array(name, values, dtype=None, kinds=NUMBERS):
    """Checks numbers and returns them as an array.

    Args:
        name: the argument's name, for the message.
        values: an array, or nested lists of numbers.
        dtype: the array's type, NumPy's choice if None.
        kinds: the kinds of NumPy types that are allowed.
    """
    try:
        found = np.asarray(values)  # without dtype, or the text "3" would become 3.0
        if found.dtype.kind in kinds:
            return np.asarray(found, dtype)
    except (TypeError, ValueError):  # rows of several lengths: NumPy's words name no argument
        pass
    raise ValueError(f"{name} must be numbers in rows of one length, got {_show(values)}")


def ids(name, values, ndim, vocab_size=None, empty=False, ignore=False):
    """Checks ids of tokens and returns them as an int32 array.

    Args:
        name: the argument's name, for the message.
        values: an array or nested lists.
        ndim: 1 for one row, 2 for a batch.
        vocab_size: ids run from 0 to `vocab_size - 1`; None if it is not known.
        empty: True if there may be no ids at all.
        ignore: True if IGNORE may stand where there is no word.
    """
    found = _integers(name, values)
    if found.size == 0 and not empty:
        raise ValueError(f"{name} is empty: give at least one id")
    if found.ndim != ndim:
        raise ValueError(f"{name} must be {AXES[ndim]}, got shape {found.shape}")
    return _inside(name, found, IGNORE if ignore else 0, vocab_size)


def rows(name, values, vocab_size=None):
    """Checks rows of ids, of any lengths, and returns a list of int32 arrays.

    Args:
        name: what one row is called, such as "prompt".
        values: a list of rows, each of at least one id.
        vocab_size: as for `ids`.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{name}s must be a list of rows of ids, got {type(values).__name__}")
    found = [ids(f"{name} {number}", row, 1, vocab_size) for number, row in enumerate(values)]
    if not found:
        raise ValueError(f"there are no {name}s: give at least one")
    return found


def targets(values, shape, vocab_size=None):
    """Checks the targets of a language model and returns them as an int32 array.

    Args:
        values: ids, or IGNORE where a position is not scored.
        shape: the shape they must have, one target per position.
        vocab_size: as for `ids`.
    """
    found = _integers("targets", values)
    if found.shape != tuple(shape):
        wanted = f"shape {tuple(shape)}, one per position"
        raise ValueError(f"targets must have {wanted}, got {found.shape}")
    return _inside("targets", found, IGNORE, vocab_size)


def texts(values):
    """Checks texts and returns them as a list.

    Args:
        values: strings; one string alone is refused, because it is a list of characters, too.
    """
    if isinstance(values, str):
        raise TypeError("texts must be a list of strings, got one string: put it in a list")
    if not isinstance(values, Iterable):
        raise TypeError(f"texts must be a list of strings, got {type(values).__name__}")
    return [text(value, f"text {number}") for number, value in enumerate(values)]


def text(value, name="text"):
    """Checks one text and returns it.

    Args:
        value: a string.
        name: the argument's name, for the message.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {type(value).__name__}: {_show(value)}")
    return value


def labels(name, values):
    """Checks labels of two classes and returns them as an int32 array.

    Args:
        name: the argument's name, for the message.
        values: `(n,)`, each 0 or 1.
    """
    found = array(name, values)
    if found.ndim != 1 or found.size == 0:
        raise ValueError(f"{name} must be one row (n,), not empty, got shape {found.shape}")
    wrong = np.flatnonzero((found != 0) & (found != 1))  # finds NaN as well
    if len(wrong):
        at = wrong[0]
        raise ValueError(f"{name} must be 0 or 1, got {_show(found[at])} at position {at}")
    return found.astype("int32")


def generator(value):
    """Checks a source of random numbers and returns it.

    Args:
        value: a NumPy generator; a seed alone would draw the same number again and again.
    """
    if not isinstance(value, np.random.Generator):
        raise TypeError(f"rng must be np.random.default_rng(seed), got {_show(value)}")
    return value


def _integers(name, values):
    found = array(name, values, kinds=NUMBERS + TEXT)
    if found.dtype.kind in TEXT:
        raise TypeError(f"{name} must be whole numbers, got text: encode it first")
    if found.size and found.dtype.kind not in "iu":  # an empty list has floats
        raise TypeError(f"{name} must be whole numbers, got {found.dtype}")
    return found


def _inside(name, found, least, vocab_size):
    """Checks that whole numbers lie in a vocabulary, or at least in int32."""
    last = min(vocab_size or 2**31, 2**31) - 1
    # Never compared with a number that the array's type cannot hold: where the array is a slice,
    # that makes NumPy 2.1.3 (Colab's) crash.
    known = np.iinfo(found.dtype) if found.size else np.iinfo("int32")
    wrong = np.argwhere((found < max(least, known.min)) | (found > min(last, known.max)))
    if len(wrong):
        at, number = wrong[0], int(found[tuple(wrong[0])])
        where = f"in row {at[0]}, column {at[1]}" if len(at) == 2 else f"at position {at[-1]}"
        if number == IGNORE:
            got = f"IGNORE (-1) {where} of {name}"
            raise ValueError(f"{got}: IGNORE belongs in targets, not in inputs")
        also = ", or are IGNORE (-1)" if least == IGNORE else ""
        wanted = f"ids run from 0 to {last}{also}"
        raise ValueError(f"id {number} {where} of {name} is outside the vocabulary: {wanted}")
    return found.astype("int32")


def _show(value):
    # NumPy's numbers would read np.int64(3), and a long list would fill the screen.
    return f"{value.item() if isinstance(value, np.generic) else value!r:.60}"
