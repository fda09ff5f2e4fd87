"""What the layers demand of their arguments."""

import numbers


def check_size(name, size):
    """Checks a size: a whole number of at least 1.

    Args:
        name: what it is the size of, for the message.
        size: the number; `True` is none.

    Raises:
        ValueError: if it is not such a number.

    Example:
        >>> check_size("units", 64)
    """
    if not isinstance(size, numbers.Integral) or isinstance(size, bool) or size < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {size!r}")


def check_dropout(dropout):
    """Checks a share of numbers to drop.

    Args:
        dropout: a number from 0, below 1.

    Raises:
        ValueError: if it is not such a number.

    Example:
        >>> check_dropout(0.1)
    """
    real = isinstance(dropout, numbers.Real) and not isinstance(dropout, bool)
    if not real or not 0 <= dropout < 1:
        raise ValueError(f"dropout must be at least 0 and below 1, got {dropout!r}")
