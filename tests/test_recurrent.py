"""lmkit.layers.recurrent: by hand, against Keras and NumPy in float64, invariants."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.layers import SimpleRNN, SimpleRNNCell, simple_rnn_step

# float32 keeps 24 bits: one rounding is 6e-8 of the value. A state is at most 1 in
# size and a sum of some tens of products, rounded once each, and the recurrence with an
# orthogonal U passes earlier errors on about unchanged: T x 64 x 6e-8 < 1e-4 in the
# worst case for T = 12, and some 100 times less when roundings fall both ways.
TOLERANCE = 5e-6


def numpy_rnn(x, mask, W, U, b):
    """The formula as a loop in float64; a masked step keeps the state."""
    x, W, U, b = (np.asarray(a, dtype="float64") for a in (x, W, U, b))
    h, states = np.zeros((len(x), len(U))), []
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ W + h @ U + b)
        h = np.where(mask[:, t, None], new, h)
        states.append(h)
    return np.stack(states, axis=1)


def random_batch(rng, channels=5):
    x = rng.normal(size=(4, 12, channels)).astype("float32")
    mask = np.arange(12) < np.array([[12], [7], [1], [0]])  # the last row holds nothing
    return x, mask


def test_step_by_hand():
    # h = tanh(W x + U h + b) = tanh(2*1 + 3*(-1) + 1*0.5 + 0.5) = tanh(0) = 0, and
    # with the second unit tanh(1*1 + 0*(-1) + 2*0.5 - 1) = tanh(1).
    x, h = np.array([[1.0, -1.0]]), np.array([[0.5]])
    W, U, b = np.array([[2.0], [3.0]]), np.array([[1.0]]), np.array([0.5])
    assert float(simple_rnn_step(x, h, W, U, b)[0, 0]) == pytest.approx(0.0, abs=1e-7)
    W, U, b = np.array([[1.0], [0.0]]), np.array([[2.0]]), np.array([-1.0])
    assert float(simple_rnn_step(x, h, W, U, b)[0, 0]) == pytest.approx(0.7615942, abs=1e-6)


def test_step_uses_the_activation_it_is_given():
    one = np.ones((1, 1))
    assert float(simple_rnn_step(one, one, one, one, np.ones(1), ops.relu)[0, 0]) == 3.0


@pytest.mark.parametrize("return_sequences", [False, True])
def test_equals_the_formula_in_float64(rng, return_sequences):
    x, mask = random_batch(rng)
    layer = SimpleRNN(8, return_sequences=return_sequences)
    layer.build(x.shape)
    layer.set_weights([rng.normal(size=w.shape) * 0.3 for w in layer.get_weights()])
    expected = numpy_rnn(x, mask, *layer.get_weights())
    expected = expected if return_sequences else expected[:, -1]
    actual = ops.convert_to_numpy(layer(x, mask=ops.convert_to_tensor(mask)))
    np.testing.assert_allclose(actual, expected, atol=TOLERANCE)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_equals_keras_with_the_same_weights(rng, masked, return_sequences):
    x, mask = random_batch(rng)
    ours = SimpleRNN(8, return_sequences=return_sequences)
    theirs = keras.layers.SimpleRNN(8, return_sequences=return_sequences)
    for layer in (ours, theirs):
        layer.build(x.shape)
    ours.set_weights([rng.normal(size=w.shape) * 0.3 for w in ours.get_weights()])
    theirs.set_weights(ours.get_weights())
    mask = ops.convert_to_tensor(mask) if masked else None
    ours, theirs = (ops.convert_to_numpy(layer(x, mask=mask)) for layer in (ours, theirs))
    np.testing.assert_allclose(ours, theirs, atol=TOLERANCE)


def test_masked_positions_cannot_matter(rng):
    x, mask = random_batch(rng)
    layer = SimpleRNN(8)
    mask_tensor = ops.convert_to_tensor(mask)
    before = ops.convert_to_numpy(layer(x, mask=mask_tensor))
    x[~mask] = 1e3
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(x, mask=mask_tensor)), before)
    assert (before[3] == 0).all()  # the fully masked row keeps the starting state
    assert np.abs(before[0]).max() > 0.01


def test_keras_can_build_it_again(rng, tmp_path):
    inputs = keras.Input((None, 5))
    model = keras.Model(inputs, SimpleRNN(3, activation="relu", return_sequences=True)(inputs))
    x = rng.normal(size=(2, 6, 5)).astype("float32")
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again.layers[-1], SimpleRNN)
    assert again.layers[-1].cell.activation is keras.activations.relu
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_layer_contract():
    keras.utils.set_random_seed(0)
    layer = SimpleRNN(4)
    layer.build((None, None, 3))
    names = [weight.name for weight in layer.weights]
    assert names == ["W", "U", "b"]
    assert [w.shape for w in layer.get_weights()] == [(3, 4), (4, 4), (4,)]
    U = layer.get_weights()[1].astype("float64")
    np.testing.assert_allclose(U @ U.T, np.eye(4), atol=1e-6)  # starts orthogonal, as in Keras


@pytest.mark.parametrize("units", [0, -3, 2.5, "8", True, None])
def test_units_that_are_none(units):
    with pytest.raises(ValueError, match="units must be a whole number of at least 1, got"):
        SimpleRNNCell(units)


def test_wrong_rank_is_refused():
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        SimpleRNN(4)(np.ones((2, 3)))
