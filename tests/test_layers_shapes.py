"""lmkit.layers._shapes: which shapes broadcast, against NumPy; masks that are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmkit.layers._shapes import check_mask, fits

SHAPES = st.lists(st.integers(1, 3), max_size=4).map(tuple)


@given(SHAPES, SHAPES)
def test_fits_is_numpys_broadcasting(shape, wanted):
    try:
        expected = np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        expected = False
    assert fits(shape, wanted) == expected


def test_sizes_that_are_not_known_fit():
    assert fits((None, 4), (2, 4))
    assert fits((2, 4), (None, 4))
    assert not fits((None, 3), (2, 4))


def test_masks():
    assert check_mask([[True, False]], (5, 2)).shape == (1, 2)
    with pytest.raises(TypeError, match="must be boolean, True = may be looked at, got int"):
        check_mask([[1, 0]], (5, 2))
    with pytest.raises(ValueError, match=r"must fit \(5, 2\) .*got \(1, 3\)"):
        check_mask([[True, False, True]], (5, 2))
