"""lmkit.layers.recurrent: by hand, against Keras and NumPy in float64, invariants, precision."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.layers import LSTM, LSTMCell, SimpleRNN, SimpleRNNCell, lstm_step, simple_rnn_step

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


def numpy_lstm(x, mask, W, U, b):
    """The same for the LSTM: states, last state, last memory."""
    x, W, U, b = (np.asarray(a, dtype="float64") for a in (x, W, U, b))
    h, c = np.zeros((2, len(x), len(U)))
    states = []
    for t in range(x.shape[1]):
        z_i, z_f, z_g, z_o = np.split(x[:, t] @ W + h @ U + b, 4, axis=1)
        new_c = sigmoid(z_f) * c + sigmoid(z_i) * np.tanh(z_g)
        keep = mask[:, t, None]
        h, c = np.where(keep, sigmoid(z_o) * np.tanh(new_c), h), np.where(keep, new_c, c)
        states.append(h)
    return np.stack(states, axis=1), h, c


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def randomized(layer, x, rng):
    layer.build(x.shape)
    layer.set_weights([rng.normal(size=w.shape) * 0.3 for w in layer.get_weights()])
    return layer


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


def test_lstm_step_by_hand():
    # One unit, W = U = b = 0 but for the biases: i = sigmoid(0) = 1/2, f = sigmoid(ln 3) = 3/4,
    # g = tanh(ln 2) = 3/5, o = sigmoid(-ln 4) = 1/5. So c = 3/4 x 2 + 1/2 x 3/5 = 1.8.
    zero, b = np.zeros((1, 1)), np.log([1, 3, 2, 1 / 4])
    h, c = lstm_step(zero, zero, zero + 2, np.zeros((1, 4)), np.zeros((1, 4)), b)
    assert float(c[0, 0]) == pytest.approx(1.8, abs=1e-6)
    assert float(h[0, 0]) == pytest.approx(np.tanh(1.8) / 5, abs=1e-6)


def test_lstm_step_reads_input_and_state():
    # The candidate alone sees something: g = tanh(2 x 1 + 3 x (-1) + 1) = tanh(0).
    W, U = np.array([[0.0, 0, 2, 0]]), np.array([[0.0, 0, 3, 0]])
    one = np.ones((1, 1))
    _, c = lstm_step(one, -one, 0 * one, W, U, np.array([0.0, 0, 1, 0]))
    assert float(c[0, 0]) == pytest.approx(0, abs=1e-7)
    _, c = lstm_step(one, -one, 0 * one, W, U, np.zeros(4))
    assert float(c[0, 0]) == pytest.approx(np.tanh(-1) / 2, abs=1e-6)


def test_open_forget_gate_and_closed_input_gate_keep_the_memory(rng):
    x, h, c = (rng.normal(size=(3, 4)).astype("float32") for _ in range(3))
    b = np.repeat([-100.0, 100, 0, 0], 4).astype("float32")
    zeros = np.zeros((4, 16), "float32")
    for _ in range(50):
        h, kept = lstm_step(x, h, c, zeros, zeros, b)
        np.testing.assert_array_equal(ops.convert_to_numpy(kept), c)


# The memory of an LSTM is a sum of up to T candidates, each at most 1 in size, so its
# roundings add up to a few times those of the simple RNN's state; TOLERANCE holds them.
@pytest.mark.parametrize("return_sequences", [False, True])
def test_lstm_equals_the_formula_in_float64(rng, return_sequences):
    x, mask = random_batch(rng)
    layer = randomized(LSTM(8, return_sequences=return_sequences, return_state=True), x, rng)
    states, *last = numpy_lstm(x, mask, *layer.get_weights())
    expected = [states if return_sequences else states[:, -1], *last]
    actual = layer(x, mask=ops.convert_to_tensor(mask))
    assert len(actual) == 3
    for ours, theirs in zip(actual, expected, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(ours), theirs, atol=TOLERANCE)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_lstm_equals_keras_with_the_same_weights(rng, masked, return_sequences):
    x, mask = random_batch(rng)
    options = dict(return_sequences=return_sequences, return_state=True)
    ours, theirs = randomized(LSTM(8, **options), x, rng), keras.layers.LSTM(8, **options)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    mask = ops.convert_to_tensor(mask) if masked else None
    start = [rng.normal(size=(4, 8)).astype("float32") for _ in range(2)]
    for initial_state in (None, start):
        results = [layer(x, mask=mask, initial_state=initial_state) for layer in (ours, theirs)]
        for one, other in zip(*results, strict=True):
            one, other = ops.convert_to_numpy(one), ops.convert_to_numpy(other)
            np.testing.assert_allclose(one, other, atol=TOLERANCE)


def test_masked_positions_cannot_matter_to_the_lstm(rng):
    x, mask = random_batch(rng)
    layer = randomized(LSTM(8, return_state=True), x, rng)
    mask_tensor = ops.convert_to_tensor(mask)
    before = [ops.convert_to_numpy(part) for part in layer(x, mask=mask_tensor)]
    x[~mask] = 1e3
    for part, old in zip(layer(x, mask=mask_tensor), before, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(part), old)
        assert (old[3] == 0).all()  # the fully masked row keeps the starting state
        assert np.abs(old[0]).max() > 0.01


def test_a_sequence_in_two_parts_with_the_state_carried(rng):
    x, _ = random_batch(rng)
    layer = randomized(LSTM(8, return_state=True), x, rng)
    whole = layer(x)
    _, *state = layer(x[:, :5])
    for one, other in zip(layer(x[:, 5:], initial_state=state), whole, strict=True):
        np.testing.assert_allclose(
            ops.convert_to_numpy(one), ops.convert_to_numpy(other), atol=TOLERANCE
        )


def test_keras_can_build_the_lstm_again(rng, tmp_path):
    inputs = keras.Input((None, 5))
    layer = LSTM(3, unit_forget_bias=False, return_sequences=True, name="mine")
    model = keras.Model(inputs, layer(inputs))
    x = rng.normal(size=(2, 6, 5)).astype("float32")
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again.get_layer("mine"), LSTM)
    assert again.get_layer("mine").cell.unit_forget_bias is False
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_lstm_cell_runs_in_keras_rnn_and_is_built_again(rng):
    cell = LSTMCell.from_config(LSTMCell(3, unit_forget_bias=False).get_config())
    assert (cell.units, cell.unit_forget_bias) == (3, False)
    x, _ = random_batch(rng)
    assert keras.layers.RNN(cell)(x).shape == (4, 3)


@pytest.mark.parametrize("unit_forget_bias", [True, False])
def test_lstm_starts_as_keras_does(unit_forget_bias):
    keras.utils.set_random_seed(0)
    ours, theirs = (
        kind(4, unit_forget_bias=unit_forget_bias) for kind in (LSTM, keras.layers.LSTM)
    )
    for layer in (ours, theirs):
        layer.build((None, None, 3))
    assert [weight.name for weight in ours.weights] == ["W", "U", "b"]
    assert [w.shape for w in ours.get_weights()] == [(3, 16), (4, 16), (16,)]
    np.testing.assert_array_equal(ours.get_weights()[2], theirs.get_weights()[2])
    assert ours.get_weights()[2][4:8].tolist() == [float(unit_forget_bias)] * 4
    for mine in (layer.get_weights() for layer in (ours, theirs)):
        U = mine[1].astype("float64")
        np.testing.assert_allclose(U @ U.T, np.eye(4), atol=1e-6)  # the rows are orthogonal
        assert np.abs(mine[0]).max() <= np.sqrt(6 / (3 + 16))  # Glorot's limit


@pytest.mark.parametrize("units", [0, -3, 2.5, "8", True, None])
def test_lstm_units_that_are_none(units):
    for kind in (LSTM, LSTMCell):
        with pytest.raises(ValueError, match="units must be a whole number of at least 1, got"):
            kind(units)


def test_wrong_rank_is_refused_by_the_lstm():
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        LSTM(4)(np.ones((2, 3)))


PAIRS = [(SimpleRNN, keras.layers.SimpleRNN), (LSTM, keras.layers.LSTM)]


def dtypes(values):
    return {keras.backend.standardize_dtype(value.dtype) for value in values}


@pytest.mark.parametrize("kind", [SimpleRNN, LSTM])
def test_float64_layers_have_float64_weights(kind, rng, float64):
    x, mask = random_batch(rng)
    layer = randomized(kind(8, dtype="float64", return_sequences=True), x, rng)
    assert dtypes(layer.weights) == {"float64"}
    if dtypes([ops.matmul(layer.cell.W, ops.transpose(layer.cell.W))]) != {"float64"}:
        pytest.skip("on PyTorch, Keras 3.15 multiplies float64 matrices in float32")
    formula = numpy_rnn if kind is SimpleRNN else lambda *a: numpy_lstm(*a)[0]
    found = ops.convert_to_numpy(layer(x, mask=ops.convert_to_tensor(mask)))
    expected = formula(x, mask, *layer.get_weights())
    np.testing.assert_allclose(found, expected, atol=1e-13)  # as TOLERANCE, with 53 bits


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_precision_is_keras_own(ours, theirs, policy, rng):
    x, mask = random_batch(rng)
    mask[1] = ~mask[1]  # padding on the left
    layers = [kind(8, dtype=policy, return_state=True) for kind in (ours, theirs)]
    for layer in layers:
        layer.build(x.shape)
        layer.set_weights(layers[0].get_weights())
    results = [layer(x, mask=ops.convert_to_tensor(mask)) for layer in layers]
    assert dtypes(results[0]) == dtypes(results[1]) == {policy.removeprefix("mixed_")}
    assert dtypes(layers[0].weights) == {"float32"}
    for one, other in zip(*results, strict=True):
        one, other = (ops.convert_to_numpy(ops.cast(each, "float32")) for each in (one, other))
        # Numbers of size 1 with at least 8 bits, rounded some ways apart in twelve steps.
        np.testing.assert_allclose(one, other, atol=12 * 2.0**-8)


@pytest.mark.parametrize("kind", [SimpleRNN, LSTM])
def test_a_file_is_read_under_another_policy(kind, rng, tmp_path):
    inputs = keras.Input((None, 5))
    model = keras.Model(inputs, kind(3, dtype="mixed_bfloat16")(inputs))
    model.save(tmp_path / "model.keras")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        again = keras.models.load_model(tmp_path / "model.keras")
    finally:
        keras.config.set_dtype_policy(before)
    x = rng.normal(size=(2, 6, 5)).astype("float32")
    assert dtypes([again(x)]) == {"bfloat16"}
    assert dtypes(again.weights) == dtypes(again.layers[-1].cell.weights) == {"float32"}
    one, other = (ops.convert_to_numpy(ops.cast(m(x), "float32")) for m in (model, again))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("kind", "extra", "names"),
    [
        (SimpleRNN, {"dropout": 0.1}, "SimpleRNN has no dropout: use keras.layers.SimpleRNN,"),
        (LSTM, {"recurrent_dropout": 0.1}, "LSTM has no recurrent_dropout: use keras.layers.LSTM,"),
        (
            LSTM,
            {"kernel_regularizer": "l2", "dropout": 0.1},
            "LSTM has no kernel_regularizer and dropout: use keras.layers.LSTM,",
        ),
        (LSTMCell, {"dropout": 0.1}, "LSTMCell has no dropout: use keras.layers.LSTMCell,"),
        (SimpleRNNCell, {"use_bias": False}, "SimpleRNNCell has no use_bias: use keras"),
    ],
)
def test_what_keras_has_and_these_layers_have_not(kind, extra, names):
    with pytest.raises(TypeError, match=f"lmkit's {names}"):
        kind(4, **extra)


def test_what_every_recurrent_layer_has_is_there(rng):
    x, _ = random_batch(rng)
    layer = LSTM(4, go_backwards=True, unroll=True, name="mine", trainable=False)
    assert layer(x).shape == (4, 4)
    assert (layer.name, layer.trainable_weights) == ("mine", [])

    class Mine(LSTM):
        """A subclass of a reader's, of which Keras has no twin."""

    assert Mine(4)(x).shape == (4, 4)


def test_sizes_and_switches():
    assert type(LSTM(np.int64(4)).cell.units) is int
    with pytest.raises(ValueError, match="unit_forget_bias must be True or False, got 'no'"):
        LSTM(4, unit_forget_bias="no")


@pytest.mark.parametrize("kind", [SimpleRNN, LSTM])
def test_after_a_wrong_shape_the_layer_can_still_be_built(kind):
    layer = kind(4)
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        layer(np.ones((2, 3), "float32"))
    assert layer.weights == []
    assert layer(np.ones((2, 3, 5), "float32")).shape == (2, 4)
