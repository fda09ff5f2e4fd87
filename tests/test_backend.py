"""lmkit.backend: gradients by hand, against differences, invariants."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.backend import (
    compile_function,
    compiled_for,
    random_state,
    set_random_state,
    value_and_gradients,
)


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


def test_the_gradient_of_a_table_has_the_tables_shape():
    looked_up = np.array([2, 0, 2])
    table = np.arange(8.0, dtype="float32").reshape(4, 2)
    _, (gradient,) = value_and_gradients(lambda x: ops.sum(ops.take(x, looked_up, axis=0)), table)
    # Every lookup adds 1; row 2 was looked up twice, rows 1 and 3 never.
    expected = [[1, 1], [0, 0], [2, 2], [0, 0]]
    np.testing.assert_array_equal(ops.convert_to_numpy(gradient), expected)


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


def dense():
    layer = keras.layers.Dense(1, kernel_initializer="ones")
    layer.build((None, 2))
    return layer


def test_a_models_function_is_compiled_once_and_again_for_new_variables():
    layer, x = dense(), ops.ones((3, 2))
    call = layer.call
    compiled = compiled_for(layer, "call", call)
    assert compiled_for(layer, "call", call) is compiled
    assert compiled_for(layer, "another", call) is not compiled
    assert compiled_for(dense(), "call", call) is not compiled
    assert ops.convert_to_numpy(compiled(x)).tolist() == [[2.0]] * 3
    layer.kernel.assign([[2.0], [3.0]])  # training changes values, not variables
    assert compiled_for(layer, "call", call) is compiled
    assert ops.convert_to_numpy(compiled(x)).tolist() == [[5.0]] * 3
    layer.enable_lora(1)  # two more
    again = compiled_for(layer, "call", call)
    assert again is not compiled
    assert ops.convert_to_numpy(again(x)).tolist() == [[5.0]] * 3


def test_what_the_backend_draws_comes_again():
    """Dropout draws from Keras's seed, on PyTorch from PyTorch's own state."""
    layer, x = keras.layers.Dropout(0.5), np.ones((4, 50), "float32")
    layer(x, training=True)
    seeds = [ops.convert_to_numpy(variable) for variable in layer.variables]
    state, drawn = random_state(), []
    for _ in range(2):
        set_random_state(state)
        for variable, seed in zip(layer.variables, seeds, strict=True):
            variable.assign(seed)
        drawn.append(ops.convert_to_numpy(layer(x, training=True)))
    assert drawn[0].tolist() == drawn[1].tolist()
    assert all(isinstance(array, np.ndarray) for array in state)
