"""lmkit.layers.positions: values by hand, precision, and the invariant each is made for."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.checks import assert_close
from lmkit.layers import rotate, sinusoidal_positions


def numpy(x):
    return ops.convert_to_numpy(ops.cast(x, "float32")).astype("float64")


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
        pair = [numpy(rotate(v[None], np.array([at])))[0] for v, at in ((q, i), (k, j))]
        return float(pair[0] @ pair[1])

    assert product(3, 1) == pytest.approx(product(40, 38), abs=1e-4)  # angles of 40 in float32
    assert abs(product(3, 1) - product(3, 2)) > 1e-3
    turned = numpy(rotate(q[None], np.array([17])))
    assert np.linalg.norm(turned) == pytest.approx(np.linalg.norm(q), rel=1e-6)


@pytest.mark.parametrize(("dtype", "bits"), [("float16", 11), ("bfloat16", 8)])
def test_half_precision_tells_late_positions_apart(dtype, bits):
    # bfloat16 counts 256, 256, 258; float16 counts 2048, 2048, 2050.
    positions = np.array([256, 257, 2048, 2049])
    x = np.tile([[1.0, 0.0]], (4, 1))
    turned = rotate(ops.convert_to_tensor(x, dtype), positions)
    assert keras.backend.standardize_dtype(turned.dtype) == dtype
    expected = np.stack([np.cos(positions), np.sin(positions)], axis=-1)
    assert_close(numpy(turned), expected, 2.0**-bits)  # one rounding of a number below 1


def test_float64_keeps_its_digits(float64):
    found = ops.convert_to_numpy(rotate(np.array([[1.0, 0.0]]), np.array([1000])))
    assert found.dtype == np.float64
    assert_close(found, [[np.cos(1000), np.sin(1000)]], 1e-13)  # an angle of 1000


def test_positions_of_any_shape_that_fits(rng):
    x = rng.normal(size=(2, 3, 5, 4)).astype("float32")  # (batch, heads, time, channels)
    expected = numpy(rotate(x, np.arange(5)))
    for shape in ((1, 5), (1, 1, 5), (2, 1, 5), (2, 3, 5)):
        positions = np.broadcast_to(np.arange(5), shape)
        np.testing.assert_array_equal(numpy(rotate(x, positions)), expected)
    # Every text may begin elsewhere.
    each = np.array([[[0, 1, 2, 3, 4]], [[7, 8, 9, 10, 11]]])
    assert_close(rotate(x, each)[1], numpy(rotate(x[1], np.arange(7, 12))), 1e-6)
    assert_close(rotate(x[0, 0], 3), numpy(rotate(x[0, 0], np.full(5, 3))), 0)


def test_positions_that_are_refused():
    with pytest.raises(ValueError, match="must be even, a sine and a cosine each, got 5"):
        sinusoidal_positions(3, 5)
    with pytest.raises(ValueError, match="channels must be even, got 3"):
        rotate(np.ones((2, 3)), np.arange(2))
    for wrong in (np.arange(3), np.zeros((3, 1, 2), int), np.zeros((1, 1, 2), int)):
        with pytest.raises(ValueError, match=r"positions must fit \(1, 2\), .*got"):
            rotate(np.ones((1, 2, 4)), wrong)
    with pytest.raises(ValueError, match="length must be a whole number of at least 1, got 0"):
        sinusoidal_positions(0, 4)
