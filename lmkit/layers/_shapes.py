"""What the layers demand of shapes and masks."""

import keras
from keras import ops


def fits(shape, wanted):
    """Tells whether a shape broadcasts to another one.

    Args:
        shape: a tensor's shape; None is a size that is not known yet, and fits.
        wanted: the shape that the result must have.

    Returns: a bool.

    Example:
        >>> fits((1, 4), (2, 3, 4)), fits((3, 3), (2, 3, 4)), fits((3, 1, 1), (4, 4))
        (True, False, False)
    """
    sizes = zip(reversed(shape), reversed(wanted), strict=False)  # broadcasting aligns the ends
    unknown = (None, 1)
    return len(shape) <= len(wanted) and all(
        one in unknown or other is None or one == other for one, other in sizes
    )


def check_mask(mask, shape):
    """Checks a mask of attention and returns it as a tensor.

    Args:
        mask: what came.
        shape: what it must broadcast to, `(..., queries, keys)`.

    Raises: TypeError if it is not boolean, ValueError if it does not fit.
    """
    mask = ops.convert_to_tensor(mask)
    dtype = keras.backend.standardize_dtype(mask.dtype)
    if dtype != "bool":  # in numbers, 0 could mean visible or hidden
        raise TypeError(f"the mask must be boolean, True = may be looked at, got {dtype}")
    # Asked before it is used: a mask that is too large would widen the scores.
    if not fits(mask.shape, shape):
        wanted, got = tuple(shape), tuple(mask.shape)
        raise ValueError(f"the mask must fit {wanted} (..., queries, keys), got {got}")
    return mask
