"""lmkit.models.recurrent: the formulas in float64, gates, learning. See test_models_base.py."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.checks import assert_close
from lmkit.models import RecurrentLM
from lmkit.training import lm_loss

CELLS = ["lstm", "gru", "simple"]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lm_forward(model, ids):
    """The LSTM language model as a loop in float64: logits `(B, T, V)`."""
    E, W, U, b, V, out = (w.astype("float64") for w in model.get_weights())
    h, c = np.zeros((2, len(ids), len(U)))
    logits = []
    for t in range(ids.shape[1]):
        i, f, g, o = np.split(E[ids[:, t]] @ W + h @ U + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        logits.append(h @ V + out)
    return np.stack(logits, axis=1)


def test_layers_and_parameters():
    model = RecurrentLM(vocab_size=1000)
    assert [type(layer).__name__ for layer in model.layers] == [
        "TokenEmbedding", "Dropout", "LSTM", "Dense",
    ]  # fmt: skip
    # 1,000 x 128; four gates of 128 x 128 + 128 x 128 + 128; 128 x 1,000 + 1,000
    assert model.count_params() == 128_000 + 4 * 32_896 + 129_000
    assert model.head.activation is keras.activations.linear
    sizes = (model.vocab_size, model.embed_dim, model.units, model.cell, model.max_length)
    assert sizes == (1000, 128, 128, "lstm", None)


def test_equals_the_formulas_in_float64(rng):
    ids = rng.integers(0, 30, size=(4, 9))
    model = RecurrentLM(vocab_size=30, embed_dim=5, units=6)
    model.set_weights([rng.normal(size=w.shape) * 0.3 for w in model.get_weights()])
    # Nine steps of sums of eleven products in float32, then a sum of six: 9 x 17 x 6e-8.
    assert_close(model.predict(ids, verbose=0), lm_forward(model, ids), 9e-6)


def test_id_0_is_a_token_like_any_other(rng):
    model = RecurrentLM(vocab_size=9, embed_dim=4, units=5)
    logits = ops.convert_to_numpy(model(np.array([[0, 3], [4, 3]])))
    assert np.abs(logits[0, 1] - logits[1, 1]).max() > 1e-4


def test_a_new_model_guesses(rng):
    # Its logits are nearly 0, so the loss is nearly that of guessing, ln V.
    keras.utils.set_random_seed(0)
    model, ids = RecurrentLM(vocab_size=50), rng.integers(0, 50, size=(16, 21))
    loss = float(lm_loss()(ids[:, 1:], model(ids[:, :-1])))
    assert loss == pytest.approx(np.log(50), abs=0.01)


@pytest.mark.parametrize("cell", CELLS)
def test_learns_what_depends_on_the_first_word(cell):
    # The last word repeats the first; between them stands the same.
    keras.utils.set_random_seed(0)
    ids = np.array([[2, 5, 5, 2], [3, 5, 5, 3]] * 960)
    model = RecurrentLM(vocab_size=6, embed_dim=8, units=16, cell=cell)
    model.compile(keras.optimizers.Adam(0.01), lm_loss(), jit_compile=False)
    model.fit(ids[:, :-1], ids[:, 1:], batch_size=16, verbose=0)  # 120 steps
    assert model.evaluate(ids[:16, :-1], ids[:16, 1:], verbose=0) < 0.05  # not knowing costs 0.23


def test_dropout_acts_in_training_only(rng):
    ids = rng.integers(0, 30, size=(2, 8))
    model = RecurrentLM(vocab_size=30, embed_dim=4, units=4, dropout=0.5)
    assert_close(model(ids, training=False), model(ids), 0)
    twice = [ops.convert_to_numpy(model(ids, training=True)) for _ in range(2)]
    assert not np.allclose(*twice)


def test_dropout_stands_before_the_recurrent_layer_and_the_last_one(rng):
    # With a share of nearly everything the head sees zeros, so its bias is all there is.
    model = RecurrentLM(vocab_size=9, embed_dim=4, units=4, dropout=0.999)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    logits = ops.convert_to_numpy(model(rng.integers(0, 9, (1, 3)), training=True))
    assert_close(logits[0], np.tile(model.head.get_weights()[1], (3, 1)), 1e-6)
    model.head.set_weights([w * 0 for w in model.head.get_weights()])
    seen = []
    call = model.recurrent.call
    model.recurrent.call = lambda x, *a, **k: (seen.append(ops.convert_to_numpy(x)), call(x))[1]
    model(rng.integers(0, 9, (1, 3)), training=True)
    assert not seen[0].any()


def test_cells_differ_in_their_gates_alone():
    # A gate is 4 x 3 + 3 x 3 + 3 = 24 numbers; Keras's GRU has a second bias per gate.
    sizes = {"vocab_size": 9, "embed_dim": 4, "units": 3}
    lstm, gru, simple = (RecurrentLM(cell=cell, **sizes).count_params() for cell in CELLS)
    assert lstm - simple == 3 * 24
    assert gru - simple == 3 * (24 + 3) - 24


def biases(**arguments):
    model = RecurrentLM(vocab_size=9, embed_dim=2, units=3, **arguments)
    return model, model.recurrent.get_weights()[2]


@pytest.mark.parametrize("remake", [lambda model: model, keras.models.clone_model])
def test_the_gate_that_keeps_the_state_starts_where_it_is_told(remake):
    # Keras's order: input, forget, candidate, output; update, reset, candidate.
    model, _ = biases(gate_bias=2.5)
    bias = remake(model).recurrent.get_weights()[2]
    assert bias.reshape(4, 3).tolist() == [[0] * 3, [2.5] * 3, [0] * 3, [0] * 3]
    model, _ = biases(cell="gru", gate_bias=2.5)
    bias = remake(model).recurrent.get_weights()[2]
    assert bias[0].reshape(3, 3).tolist() == [[2.5] * 3, [0] * 3, [0] * 3]
    assert not bias[1].any()  # the second row of biases, of the recurrent side


def test_without_a_word_the_gates_start_as_keras_has_them():
    assert biases()[1].reshape(4, 3).tolist() == [[0] * 3, [1] * 3, [0] * 3, [0] * 3]
    assert not biases(cell="gru")[1].any()
    assert not biases(cell="simple")[1].any()


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_an_open_gate_keeps_the_state(cell, rng):
    # At a bias of 30 the gate is 1 to the last digit of float32, and with the LSTM's input
    # gate shut nothing is added: both states stay at their zero start.
    model, bias = biases(cell=cell, gate_bias=30.0)
    if cell == "lstm":
        bias[:3] = -200.0
        model.recurrent.set_weights([*model.recurrent.get_weights()[:2], bias])
    states = model.recurrent(rng.normal(size=(2, 5, 2)).astype("float32"))[0]
    assert_close(states, np.zeros((2, 5, 3)), 1e-6)


def test_gate_biases_that_make_no_sense():
    with pytest.raises(ValueError, match="a SimpleRNN has no gate whose bias could be 3"):
        biases(cell="simple", gate_bias=3.0)
    for wrong in ("3", float("nan"), True):
        with pytest.raises(ValueError, match="gate_bias must be a finite number"):
            biases(gate_bias=wrong)


def test_any_number_of_ids_can_be_read(rng):
    # More than `start` was told: a state has the same size after any number of ids.
    model, ids = RecurrentLM(vocab_size=9, embed_dim=2, units=3), rng.integers(0, 9, (1, 20))
    logits, _ = model.step(ids.astype("int32"), model.start(1, 5))
    assert_close(logits, model(ids), 1e-6)


def test_sizes_of_numpy_and_their_types():
    model = RecurrentLM(vocab_size=np.int64(9), embed_dim=np.int32(4), units=np.int64(5))
    config = model.get_config()
    assert [config[name] for name in ("vocab_size", "embed_dim", "units")] == [9, 4, 5]
    assert {type(config[name]) for name in ("vocab_size", "embed_dim", "units")} == {int}
    assert model(np.ones((2, 3), int)).shape == (2, 3, 9)


@pytest.mark.parametrize("name", ["vocab_size", "embed_dim", "units"])
@pytest.mark.parametrize("value", [0, -1, 2.0, "64", None, True])
def test_sizes_that_are_none(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, got"):
        RecurrentLM(**{"vocab_size": 9, name: value})


def test_other_choices_that_do_not_exist():
    for cell in ("rnn", None, ["lstm"]):
        with pytest.raises(ValueError, match='cell must be "lstm", "gru" or "simple", got'):
            RecurrentLM(vocab_size=9, cell=cell)
    with pytest.raises(ValueError, match=r"dropout must be at least 0 and below 1, got -0.1"):
        RecurrentLM(vocab_size=9, dropout=-0.1)
    with pytest.raises(TypeError):
        RecurrentLM(9)
