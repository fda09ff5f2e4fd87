"""lmkit.models: the articles' layers, by hand, against NumPy, invariants."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.checks import assert_close, assert_padding_ignored
from lmkit.metrics import token_losses
from lmkit.models import (
    BagOfWords,
    bag_of_words_classifier,
    compile_lm,
    lstm_lm,
    rnn_classifier,
)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(model, ids):
    """Article A's model as a loop in float64: the last state of two layers, masked."""
    E, W1, U1, b1, W2, U2, b2, V, c = (w.astype("float64") for w in model.get_weights())
    h1, h2 = np.zeros((2, len(ids), len(U1)))
    pooled, count = np.zeros_like(h2), 0
    for t in range(ids.shape[1]):
        keep = (ids[:, t] != 0)[:, None]
        h1 = np.where(keep, np.tanh(E[ids[:, t]] @ W1 + h1 @ U1 + b1), h1)
        h2 = np.where(keep, np.tanh(h1 @ W2 + h2 @ U2 + b2), h2)
        pooled, count = pooled + keep * h2, count + keep
    return sigmoid(h2 @ V + c), sigmoid(pooled / count @ V + c)


def test_has_article_a_layers_and_parameters():
    model = rnn_classifier()
    kept = [layer for layer in model.layers if layer.count_params()]
    assert [type(layer).__name__ for layer in kept] == [
        "Embedding", "SimpleRNN", "SimpleRNN", "Dense",
    ]  # fmt: skip
    # 10,000 x 64; twice (64 x 64 + 64 x 64 + 64); 64 + 1
    assert model.count_params() == 640_000 + 2 * 8_256 + 65
    assert model.layers[-1].activation is keras.activations.sigmoid


def test_equals_the_formulas_in_float64(rng):
    ids = rng.integers(1, 30, size=(4, 9))
    ids[1, 4:] = ids[2, 1:] = 0
    last, mean = rnn_classifier(30, 5, 6), rnn_classifier(30, 5, 6, readout="mean")
    mean.set_weights(last.get_weights())
    expected_last, expected_mean = forward(last, ids)
    # Nine steps of sums of eleven products in float32: 9 x 11 x 6e-8 at worst.
    assert_close(last.predict(ids, verbose=0), expected_last, 6e-6)
    assert_close(mean.predict(ids, verbose=0), expected_mean, 6e-6)


@pytest.mark.parametrize("readout", ["last", "mean"])
def test_any_length_and_padding_ignored(rng, readout):
    model = rnn_classifier(30, 4, 4, readout=readout)
    for length in (1, 3, 130):
        ids = rng.integers(1, 30, size=(2, length))
        assert model.predict(ids, verbose=0).shape == (2, 1)
        assert_padding_ignored(model, ids)


def test_dropout_stands_before_both_recurrent_layers_and_the_classifier():
    names = [type(layer).__name__ for layer in rnn_classifier(30, 4, 4, dropout=0.25).layers]
    before = ["Dropout", "SimpleRNN", "Dropout", "SimpleRNN", "Dropout", "Dense"]
    assert names == ["InputLayer", "Embedding", *before]
    assert {
        x.rate for x in rnn_classifier(30, 4, 4, dropout=0.25).layers if hasattr(x, "rate")
    } == {0.25}


def test_dropout_acts_in_training_only(rng):
    ids = rng.integers(1, 30, size=(2, 8))
    for model in (rnn_classifier(30, 4, 4, dropout=0.5), lstm_lm(30, 4, 4, dropout=0.5)):
        assert_close(model(ids, training=False), model(ids, training=False), 0)
        twice = [ops.convert_to_numpy(model(ids, training=True)) for _ in range(2)]
        assert not np.allclose(*twice)


@pytest.mark.parametrize("readout", ["last", "mean"])
def test_a_row_that_is_all_padding_gets_the_bias_alone(readout):
    # With a state of zero the score is the bias, 0 at the start: the probability is 1/2.
    model = rnn_classifier(30, 4, 4, readout=readout)
    assert model.predict(np.zeros((1, 5), "int32"), verbose=0).tolist() == [[0.5]]


def test_learns_what_order_says(rng):
    # "2 then 3" is good, "3 then 2" is bad: no bag of words can learn it, the RNN must.
    ids = np.array([[2, 3], [3, 2]] * 32)
    labels = np.array([1, 0] * 32)
    keras.utils.set_random_seed(0)
    scores = {}
    for build in (lambda: rnn_classifier(4, 8, 8), lambda: bag_of_words_classifier(4)):
        model = build()
        model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
        model.fit(ids, labels, epochs=30, verbose=0)
        scores[model.name] = model.evaluate(ids, labels, verbose=0)[1]
    assert scores == {"rnn_classifier": 1.0, "bag_of_words_classifier": 0.5}


def test_bag_of_words_by_hand():
    model = bag_of_words_classifier(5)
    model.get_layer(index=1).set_weights([np.array([9.0, 0.5, -1.0, 2.0, 0.0]), np.array(0.25)])
    # Padding, 0, counts nothing whatever its weight; 3 twice, 2 once: 2 + 2 - 1 + 0.25.
    probability = model.predict(np.array([[3, 2, 3, 0, 0]]), verbose=0)[0, 0]
    assert probability == pytest.approx(sigmoid(3.25), abs=1e-6)


def test_bag_of_words_is_counts_times_weights(rng):
    ids = rng.integers(0, 20, size=(6, 15))
    layer = BagOfWords(20)
    layer.build(ids.shape)
    layer.set_weights([rng.normal(size=20), np.array(0.5)])
    counts = np.stack([np.bincount(row, minlength=20) for row in ids])
    counts[:, 0] = 0
    expected = counts @ layer.get_weights()[0].astype("float64") + 0.5
    # A sum of 15 float32 numbers of size 3 at most: 15 x 15 x 3 x 6e-8.
    assert_close(layer(ids)[:, 0], expected, 5e-5)


def test_bag_of_words_cannot_see_order(rng):
    ids = rng.integers(1, 20, size=(5, 12))
    shuffled = rng.permuted(ids, axis=1)
    layer = BagOfWords(20)
    layer.build(ids.shape)
    layer.set_weights([rng.normal(size=20), np.array(0.0)])
    assert_close(layer(ids), layer(shuffled), 1e-5)  # 12 numbers added up in another order


@pytest.mark.parametrize(
    "build",
    [lambda: rnn_classifier(9, 2, 3), lambda: bag_of_words_classifier(9), lambda: lstm_lm(9, 2, 3)],
)
def test_saved_and_loaded_says_the_same(build, tmp_path, rng):
    ids = rng.integers(0, 9, size=(4, 6))
    model = build()
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(ids, verbose=0), model.predict(ids, verbose=0))


@pytest.mark.parametrize("name", ["vocab_size", "embed_dim", "units"])
@pytest.mark.parametrize("value", [0, -1, 2.0, "64", None, True])
def test_sizes_that_are_none(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, got"):
        rnn_classifier(**{name: value})
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, got"):
        lstm_lm(**{"vocab_size": 9, name: value})


def test_other_choices_that_do_not_exist():
    with pytest.raises(ValueError, match='readout must be "last" or "mean", got \'max\''):
        rnn_classifier(readout="max")
    with pytest.raises(ValueError, match=r"dropout must be at least 0 and below 1, got 1"):
        rnn_classifier(dropout=1)
    with pytest.raises(ValueError, match="vocab_size must be"):
        bag_of_words_classifier(0)
    with pytest.raises(ValueError, match="vocab_size must be"):
        BagOfWords(None)
    for cell in ("rnn", None, ["lstm"]):
        with pytest.raises(ValueError, match='cell must be "lstm", "gru" or "simple", got'):
            lstm_lm(9, cell=cell)
    with pytest.raises(ValueError, match=r"dropout must be at least 0 and below 1, got -0.1"):
        lstm_lm(9, dropout=-0.1)


def test_wrong_rank_is_refused():
    with pytest.raises(ValueError, match=r"Expected shape \(None, None\), but input has"):
        rnn_classifier(9, 2, 3).predict(np.ones((2, 3, 4), "int32"), verbose=0)
    with pytest.raises(ValueError, match=r"Expected shape \(None, None\), but input has"):
        lstm_lm(9, 2, 3).predict(np.ones((2, 3, 4), "int32"), verbose=0)


def lm_forward(model, ids):
    """The LSTM language model as a loop in float64: logits `(B, T, V)`, padding skipped."""
    E, W, U, b, V, out = (w.astype("float64") for w in model.get_weights())
    h, c = np.zeros((2, len(ids), len(U)))
    logits = []
    for t in range(ids.shape[1]):
        i, f, g, o = np.split(E[ids[:, t]] @ W + h @ U + b, 4, axis=1)
        new_c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        keep = (ids[:, t] != 0)[:, None]
        h, c = np.where(keep, sigmoid(o) * np.tanh(new_c), h), np.where(keep, new_c, c)
        logits.append(h @ V + out)
    return np.stack(logits, axis=1)


def test_language_model_has_the_articles_layers_and_parameters():
    model = lstm_lm(1000)
    kept = [layer for layer in model.layers if layer.count_params()]
    assert [type(layer).__name__ for layer in kept] == ["Embedding", "LSTM", "Dense"]
    # 1,000 x 128; four gates of 128 x 128 + 128 x 128 + 128; 128 x 1,000 + 1,000
    assert model.count_params() == 128_000 + 4 * 32_896 + 129_000
    assert model.layers[-1].activation is keras.activations.linear
    assert model.name == "lstm_lm"


def test_language_model_equals_the_formulas_in_float64(rng):
    ids = rng.integers(1, 30, size=(4, 9))
    ids[1, 4:] = ids[2, 1:] = ids[3, :2] = 0
    model = lstm_lm(30, 5, 6)
    model.set_weights([rng.normal(size=w.shape) * 0.3 for w in model.get_weights()])
    # As above: nine steps of sums of eleven products, then a sum of six.
    assert_close(model.predict(ids, verbose=0), lm_forward(model, ids), 6e-6)


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple"])
def test_no_later_word_changes_what_was_said_before(rng, cell):
    model = lstm_lm(30, 4, 5, cell=cell)
    ids = rng.integers(1, 30, size=(3, 10))
    changed = ids.copy()
    changed[:, 6:] = rng.integers(1, 30, size=(3, 4))
    before, after = (ops.convert_to_numpy(model(x)) for x in (ids, changed))
    np.testing.assert_array_equal(before[:, :6], after[:, :6])
    assert np.abs(before[:, 6:] - after[:, 6:]).max() > 1e-3


def test_padding_on_the_left_moves_no_state(rng):
    ids = rng.integers(1, 30, size=(3, 6))
    model = lstm_lm(30, 4, 5)
    assert_close(model(np.pad(ids, ((0, 0), (4, 0))))[:, 4:], model(ids), 1e-6)


def test_a_new_language_model_guesses(rng):
    # Its logits are nearly 0, so the loss is nearly that of guessing, ln V.
    keras.utils.set_random_seed(0)
    model = lstm_lm(50)
    ids = rng.integers(1, 50, size=(16, 21))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    assert float(loss(ids[:, 1:], model(ids[:, :-1]))) == pytest.approx(np.log(50), abs=0.01)


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple"])
def test_language_model_learns_what_depends_on_the_first_word(cell):
    # The last word repeats the first; between them stands the same.
    keras.utils.set_random_seed(0)
    ids = np.array([[2, 5, 5, 2], [3, 5, 5, 3]] * 960)
    model = lstm_lm(6, 8, 16, cell=cell)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.fit(ids[:, :-1], ids[:, 1:], batch_size=16, verbose=0)  # 120 steps
    assert model.evaluate(ids[:16, :-1], ids[:16, 1:], verbose=0) < 0.05  # not knowing costs 0.23


def test_cells_differ_in_their_gates_alone():
    # A gate is 4 x 3 + 3 x 3 + 3 = 24 numbers; Keras's GRU has a second bias a gate.
    plain = lstm_lm(9, 4, 3, cell="simple").count_params() - 24
    assert lstm_lm(9, 4, 3).count_params() == plain + 4 * 24
    assert lstm_lm(9, 4, 3, cell="gru").count_params() == plain + 3 * (24 + 3)


def test_the_gate_that_keeps_the_state_starts_where_it_is_told():
    lstm, gru = (lstm_lm(9, 2, 3, cell=cell, gate_bias=2.5).layers[3] for cell in ("lstm", "gru"))
    # Keras's order: input, forget, candidate, output; update, reset, candidate.
    assert lstm.get_weights()[2].reshape(4, 3).tolist() == [[0] * 3, [2.5] * 3, [0] * 3, [0] * 3]
    assert gru.get_weights()[2][0].reshape(3, 3).tolist() == [[2.5] * 3, [0] * 3, [0] * 3]
    assert not gru.get_weights()[2][1].any()  # its second row of biases stays
    # Where nothing is said, Keras's start: a forget gate of 1.
    assert lstm_lm(9, 2, 3).layers[3].get_weights()[2][3:6].tolist() == [1.0] * 3
    assert not lstm_lm(9, 2, 3, cell="gru").layers[3].get_weights()[2].any()


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_an_open_gate_keeps_the_state(cell, rng):
    # At a bias of 30 the gate is 1 to the last digit of float32, and with the LSTM's input
    # gate shut nothing is added: both states stay at their zero start.
    model = lstm_lm(9, 2, 3, cell=cell, gate_bias=30.0)
    recurrent = model.layers[3]
    if cell == "lstm":
        *weights, bias = recurrent.get_weights()
        bias[:3] = -200.0
        recurrent.set_weights([*weights, bias])
    states = recurrent(rng.normal(size=(2, 5, 2)))
    assert_close(states, np.zeros((2, 5, 3)), 1e-6)


def test_a_simple_rnn_has_no_gate_to_open():
    with pytest.raises(ValueError, match="a SimpleRNN has no gate whose bias could be 3"):
        lstm_lm(9, cell="simple", gate_bias=3.0)


def test_the_learning_rate_rises_and_falls_as_said():
    optimizer = compile_lm(lstm_lm(9, 2, 3), 0.4, steps=300, warmup=100).optimizer
    rate = optimizer._learning_rate
    # Half way up; the top; half way down the cosine; the end.
    wanted = {0: 0.0, 50: 0.2, 100: 0.4, 200: 0.2, 300: 0.0}
    for step, value in wanted.items():
        assert float(rate(step)) == pytest.approx(value, abs=1e-6)
    assert (optimizer.beta_2, optimizer.clipnorm) == (0.98, 1.0)


def test_the_compiled_loss_counts_words_and_not_padding(rng):
    ids = rng.integers(1, 9, size=(4, 7))
    ids[0, 3:] = ids[2, 5:] = 0
    model = compile_lm(lstm_lm(9, 2, 3), 0.01, steps=200)
    losses = token_losses(model.predict(ids[:, :-1], verbose=0), ids[:, 1:])
    expected = losses.sum() / np.count_nonzero(ids[:, 1:])
    # float32 losses of size 2.2, 18 of them in a mean.
    assert model.evaluate(ids[:, :-1], ids[:, 1:], verbose=0) == pytest.approx(expected, rel=1e-5)


def test_trainings_that_cannot_be():
    model = lstm_lm(9, 2, 3)
    with pytest.raises(ValueError, match="steps must be a whole number of at least 101, got 100"):
        compile_lm(model, 0.01, steps=100)
    with pytest.raises(ValueError, match="warmup must be a whole number of at least 0, got -1"):
        compile_lm(model, 0.01, steps=100, warmup=-1)
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="learning_rate must be above 0 and finite, got"):
            compile_lm(model, wrong, steps=200)
