"""lmkit.layers.positions: values by hand and the invariant each is made for."""

import numpy as np
import pytest
from keras import ops

from lmkit.checks import assert_close
from lmkit.layers import LearnedPositions, rotate, sinusoidal_positions


def test_sinusoids_by_hand():
    table = sinusoidal_positions(4, 4)
    # Position 3: sin 3, cos 3, and the wave that is 100 times slower.
    assert_close(table[3], [np.sin(3), np.cos(3), np.sin(0.03), np.cos(0.03)], 1e-7)
    assert table.dtype == np.float32


def test_sinusoids_have_one_length_and_depend_on_distance():
    table = sinusoidal_positions(50, 16).astype("float64")
    assert_close((table**2).sum(axis=1), np.full(50, 8.0), 1e-5)  # sin^2 + cos^2, eight times
    products = table @ table.T
    assert_close(np.diag(products, 7), np.full(43, products[0, 7]), 1e-5)


def test_rotation_by_hand():
    x = np.array([[1.0, 0.0, 1.0, 0.0]], "float32")
    # Position 2: the first pair by 2, the second, 100 times slower, by 0.02.
    expected = [[np.cos(2), np.sin(2), np.cos(0.02), np.sin(0.02)]]
    assert_close(rotate(x, np.array([2])), expected, 1e-6)


def test_rotated_products_depend_on_distance_alone(rng):
    q, k = rng.normal(size=(2, 8)).astype("float32")

    def product(i, j):
        pair = [
            ops.convert_to_numpy(rotate(v[None], np.array([at])))[0] for v, at in ((q, i), (k, j))
        ]
        return float(pair[0] @ pair[1])

    assert product(3, 1) == pytest.approx(product(40, 38), abs=1e-4)  # angles of 40 in float32
    assert abs(product(3, 1) - product(3, 2)) > 1e-3
    turned = ops.convert_to_numpy(rotate(q[None], np.array([17])))
    assert np.linalg.norm(turned) == pytest.approx(np.linalg.norm(q), rel=1e-6)


def test_learned_positions_are_looked_up(rng):
    layer = LearnedPositions(5, 3)
    layer.build(None)
    table = rng.normal(size=(5, 3)).astype("float32")
    layer.set_weights([table])
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(np.array([[4, 0]]))), table[[[4, 0]]])


def test_positions_that_are_refused():
    with pytest.raises(ValueError, match="must be even, a sine and a cosine each, got 5"):
        sinusoidal_positions(3, 5)
    with pytest.raises(ValueError, match="number must be even, got 3"):
        rotate(np.ones((2, 3)), np.arange(2))
    for name in ("max_length", "embed_dim"):
        with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, got 0"):
            LearnedPositions(**{"max_length": 4, "embed_dim": 4, name: 0})
