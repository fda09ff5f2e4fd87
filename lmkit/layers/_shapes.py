"""What the layers demand of shapes."""


def fits(shape, wanted):
    """Tells whether a shape broadcasts to another one.

    Args:
        shape: a tensor's shape; None is a size that is not known yet, and fits.
        wanted: the shape that the result must have.

    Returns:
        A bool.

    Example:
        >>> fits((1, 4), (2, 3, 4)), fits((3, 3), (2, 3, 4)), fits((3, 1, 1), (4, 4))
        (True, False, False)
    """
    sizes = zip(reversed(shape), reversed(wanted), strict=False)  # broadcasting aligns the ends
    unknown = (None, 1)
    return len(shape) <= len(wanted) and all(
        one in unknown or other is None or one == other for one, other in sizes
    )
