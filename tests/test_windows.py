"""lmkit.windows: rows by hand, every token predicted once, and refusals."""

import numpy as np
import pytest

from lmkit.windows import cut_windows


def test_windows_by_hand():
    rows = cut_windows(np.arange(1, 9), 3)  # 7 targets: 3 + 3 + 1
    assert rows.tolist() == [[1, 2, 3, 4], [4, 5, 6, 7], [7, 8, 0, 0]]
    assert cut_windows([4, 2], 1).tolist() == [[4, 2]]
    assert cut_windows(np.arange(1, 8), 3).tolist() == [[1, 2, 3, 4], [4, 5, 6, 7]]  # fits exactly


@pytest.mark.parametrize("length", [1, 2, 7, 29])
def test_every_token_but_the_first_is_a_target_once(length, rng):
    ids = rng.integers(1, 50, 30)
    rows = cut_windows(ids, length)
    targets = rows[:, 1:]
    assert targets[targets != 0].tolist() == ids[1:].tolist()
    assert (rows[1:, 0] == rows[:-1, -1]).all()
    assert rows.dtype == np.int32


def test_what_is_no_text():
    with pytest.raises(ValueError, match="text of 5 tokens is shorter than one window: reading 5"):
        cut_windows([1] * 5, 5)
    with pytest.raises(ValueError, match="text of 0 tokens"):
        cut_windows([], 1)
    with pytest.raises(ValueError, match=r"one row of numbers, got shape \(2, 3\)"):
        cut_windows(np.ones((2, 3), int), 2)
    with pytest.raises(ValueError, match="id 0 at position 2: a text's ids begin at 1"):
        cut_windows([3, 1, 0, 2], 2)
    with pytest.raises(TypeError, match="whole numbers, got float64"):
        cut_windows([1.0, 2.0], 1)
    with pytest.raises(ValueError, match="length must be a whole number of at least 1, got 0"):
        cut_windows([1, 2], 0)
