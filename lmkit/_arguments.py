"""Checks of what a user hands in: one place, one wording for each kind of mistake.

Compiled code cannot raise, and a wrong id there silently reads another row. So values are
checked once, in NumPy, where they enter the package.
"""

import math
import numbers

import numpy as np


def whole(name, value, least=1, most=None):
    """Checks a whole number."""
    number = isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)
    if not number or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    if most is not None and value > most:
        raise ValueError(f"{name} must be at most {most}, got {value!r}")
    return int(value)


def real(name, value, least=-math.inf, below=math.inf, above=None, most=None):
    """Checks a finite number."""
    number = isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    fine = number and -math.inf < value < math.inf and least <= value < below
    if not fine or (above is not None and value <= above) or (most is not None and value > most):
        limits = [f"above {above}"] * (above is not None) + [f"at least {least}"] * (least > -math.inf)
        limits += [f"at most {most}"] * (most is not None) + [f"below {below}"] * (below < math.inf)
        raise ValueError(f"{name} must be {' and '.join(limits) or 'a finite number'}, got {value!r}")
    return float(value)


def flag(name, value):
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def array(name, values, dtype=None):
    try:
        found = np.asarray(values, dtype=dtype)
    except (TypeError, ValueError):
        found = None
    if found is None or found.dtype.kind == "O":
        raise ValueError(f"{name} must be numbers in rows of one length, got {values!r:.60}")
    return found


def ids(name, values, ndim, vocab_size=None):
    found = array(name, values)
    if found.dtype.kind in "US":
        raise TypeError(f"{name} must be whole numbers, got text: encode it first")
    if found.ndim == ndim and found.size == 0:
        raise ValueError(f"{name} is empty: give at least one id")
    if found.dtype.kind not in "iu":
        raise TypeError(f"{name} must be whole numbers, got {found.dtype}")
    if found.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, got shape {found.shape}")
    limit = 2**31 if vocab_size is None else vocab_size
    last = min(limit - 1, np.iinfo(found.dtype).max)
    wrong = np.argwhere((found < 0) | (found > last))
    if len(wrong):
        place = tuple(wrong[0])
        raise ValueError(f"{name}: id {found[place]} at position {place[-1]} is outside the vocabulary: ids run from 0 to {limit - 1}")
    return found.astype("int32")


def rows(name, values, vocab_size=None):
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise TypeError(f"{name}s must be a list of rows of ids, got {type(values).__name__}")
    found = [ids(name, row, 1, vocab_size) for row in values]
    if not found:
        raise ValueError(f"there are no {name}s: give at least one")
    return found


def generator(value):
    if not isinstance(value, np.random.Generator):
        raise TypeError(f"rng must be np.random.default_rng(seed), got {value!r:.60}")
    return value
