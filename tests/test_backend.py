"""lmkit.backend: gradients by hand, against differences, invariants."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.backend import compile_function, value_and_gradients


def test_by_hand():
    # f = x^2 y: df/dx = 2 x y = 12, df/dy = x^2 = 4.
    value, (dx, dy) = value_and_gradients(lambda x, y: x * x * y, 2.0, 3.0)
    assert (float(value), float(dx), float(dy)) == (12.0, 12.0, 4.0)


def test_against_differences_in_float64(rng):
    x = rng.normal(size=(3, 2))
    value, (gradient,) = value_and_gradients(lambda x: ops.sum(ops.tanh(x) ** 2), x)
    step, differences = 1e-6, np.zeros_like(x)
    for place in np.ndindex(x.shape):
        moved = np.zeros_like(x)
        moved[place] = step
        up, down = (np.sum(np.tanh(x + s * moved) ** 2) for s in (1, -1))
        differences[place] = (up - down) / (2 * step)
    # The function runs in float32 on most backends: 6e-8 for each of a few operations.
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), differences, atol=2e-6)
    assert float(value) == pytest.approx(np.sum(np.tanh(x) ** 2), abs=1e-5)


def test_an_argument_that_does_not_matter_has_gradient_zero():
    _, (dx, dy) = value_and_gradients(lambda x, y: ops.sum(x), np.ones(3), np.ones((2, 2)))
    assert ops.convert_to_numpy(dx).tolist() == [1, 1, 1]
    assert ops.convert_to_numpy(dy).tolist() == [[0, 0], [0, 0]]


def test_more_than_one_number_is_refused():
    with pytest.raises(ValueError, match=r"must return one number, got shape \(3,\)"):
        value_and_gradients(lambda x: x * 2, np.ones(3))


def test_compiled_functions_compute_the_same_and_follow_their_variables():
    weight = keras.Variable([1.0, 2.0])
    compiled = compile_function(lambda x, pair: (x * weight, [pair[0] + 1, pair[1]]), [weight])
    for shape in ((2,), (3, 2)):
        x = ops.ones(shape)
        product, (more, same) = compiled(x, (x, x))
        np.testing.assert_array_equal(ops.convert_to_numpy(product), np.ones(shape) * [1, 2])
        assert ops.convert_to_numpy(more).tolist() == np.full(shape, 2.0).tolist()
        assert ops.convert_to_numpy(same).tolist() == np.ones(shape).tolist()
    weight.assign([5.0, 7.0])
    assert ops.convert_to_numpy(compiled(x, (x, x))[0])[0].tolist() == [5.0, 7.0]
