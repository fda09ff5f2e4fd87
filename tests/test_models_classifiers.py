"""lmkit.models.classifiers: layers, by hand, against NumPy, invariants, int8, ids outside."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.checks import assert_close, assert_padding_ignored
from lmkit.models import BagOfWords, bag_of_words_classifier, rnn_classifier

BUILDS = {
    "last": lambda **more: rnn_classifier(9, 2, 3, **more),
    "mean": lambda **more: rnn_classifier(9, 2, 3, readout="mean", **more),
    "bag": lambda **more: bag_of_words_classifier(9, **more),
}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(model, ids):
    """The recurrent model as a loop in float64: the last state of two layers, masked."""
    E, W1, U1, b1, W2, U2, b2, V, c = (w.astype("float64") for w in model.get_weights())
    h1, h2 = np.zeros((2, len(ids), len(U1)))
    pooled, count = np.zeros_like(h2), 0
    for t in range(ids.shape[1]):
        keep = (ids[:, t] != 0)[:, None]
        h1 = np.where(keep, np.tanh(E[ids[:, t]] @ W1 + h1 @ U1 + b1), h1)
        h2 = np.where(keep, np.tanh(h1 @ W2 + h2 @ U2 + b2), h2)
        pooled, count = pooled + keep * h2, count + keep
    return sigmoid(h2 @ V + c), sigmoid(pooled / count @ V + c)


def test_layers_and_parameters():
    model = rnn_classifier()
    kept = [layer for layer in model.layers if layer.count_params()]
    assert [type(layer).__name__ for layer in kept] == [
        "TokenEmbedding", "SimpleRNN", "SimpleRNN", "Dense",
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


def test_without_the_mask_padding_counts(rng):
    model, ids = rnn_classifier(30, 4, 4, mask_zero=False), rng.integers(1, 30, size=(2, 4))
    with pytest.raises(AssertionError):
        assert_padding_ignored(model, ids)


def test_dropout_stands_before_both_recurrent_layers_and_the_classifier():
    names = [type(layer).__name__ for layer in rnn_classifier(30, 4, 4, dropout=0.25).layers]
    before = ["Dropout", "SimpleRNN", "Dropout", "SimpleRNN", "Dropout", "Dense"]
    assert names == ["InputLayer", "TokenEmbedding", *before]
    rates = [x.rate for x in rnn_classifier(30, 4, 4, dropout=0.25).layers if hasattr(x, "rate")]
    assert rates == [0.25] * 3


def test_dropout_acts_in_training_only(rng):
    ids, model = rng.integers(1, 30, size=(2, 8)), rnn_classifier(30, 4, 4, dropout=0.5)
    assert_close(model(ids, training=False), model(ids, training=False), 0)
    twice = [ops.convert_to_numpy(model(ids, training=True)) for _ in range(2)]
    assert not np.allclose(*twice)


@pytest.mark.parametrize("readout", ["last", "mean"])
def test_a_row_that_is_all_padding_gets_the_bias_alone(readout):
    # With a state of zero the score is the bias, 0 at the start: the probability is 1/2.
    model = rnn_classifier(30, 4, 4, readout=readout)
    assert model.predict(np.zeros((1, 5), "int32"), verbose=0).tolist() == [[0.5]]


def test_learns_what_order_says():
    # "2 then 3" is good, "3 then 2" is bad: no bag of words can learn it, the RNN must.
    ids = np.array([[2, 3], [3, 2]] * 32)
    labels = np.array([1, 0] * 32)
    keras.utils.set_random_seed(0)
    scores = {}
    for model in (rnn_classifier(4, 8, 8), bag_of_words_classifier(4)):
        model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"],
                      jit_compile=False)  # fmt: skip
        model.fit(ids, labels, epochs=30, verbose=0)
        scores[model.name] = model.evaluate(ids, labels, verbose=0)[1]
    assert scores == {"rnn_classifier": 1.0, "bag_of_words_classifier": 0.5}


def test_bag_of_words_by_hand():
    model = bag_of_words_classifier(5)
    model.get_layer(index=1).set_weights([np.array([9.0, 0.5, -1.0, 2.0, 0.0]), np.array(0.25)])
    # Padding, 0, counts nothing whatever its weight; 3 twice, 2 once: 2 + 2 - 1 + 0.25.
    probability = model.predict(np.array([[3, 2, 3, 0, 0]]), verbose=0)[0, 0]
    assert probability == pytest.approx(sigmoid(3.25), abs=1e-6)


def random_bag(rng):
    layer = BagOfWords(20)
    layer.build((None, None))
    layer.set_weights([rng.normal(size=20), np.array(0.5)])
    return layer


def test_bag_of_words_is_counts_times_weights(rng):
    ids, layer = rng.integers(0, 20, size=(6, 15)), random_bag(rng)
    counts = np.stack([np.bincount(row, minlength=20) for row in ids])
    counts[:, 0] = 0
    expected = counts @ layer.get_weights()[0].astype("float64") + 0.5
    # A sum of 15 float32 numbers of size 3 at most: 15 x 15 x 3 x 6e-8.
    assert_close(layer(ids)[:, 0], expected, 5e-5)


def test_bag_of_words_cannot_see_order(rng):
    ids, layer = rng.integers(1, 20, size=(5, 12)), random_bag(rng)
    shuffled = rng.permuted(ids, axis=1)
    assert_close(layer(ids), layer(shuffled), 1e-5)  # 12 numbers added up in another order


@pytest.mark.parametrize("build", BUILDS)
def test_saved_and_loaded_says_the_same(build, tmp_path, rng):
    ids, model = rng.integers(0, 9, size=(4, 6)), BUILDS[build]()
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(ids, verbose=0), model.predict(ids, verbose=0))


@pytest.mark.parametrize("readout", ["last", "mean"])
def test_int8_moves_the_probability_by_the_rounding(readout, rng):
    ids, model = rng.integers(1, 9, size=(4, 6)), BUILDS[readout]()
    ids[0, 2:] = 0
    model.set_weights([rng.normal(size=w.shape) * 0.5 for w in model.get_weights()])
    before = model.predict(ids, verbose=0)
    model.quantize("int8")
    # The table moves by at most 1/254 of its largest number, at most 1.5; two layers with
    # weights of size 0.5 hand it on over six steps, at most doubling it in each of the layers;
    # the sum of three products makes it at most 3 x 4 x 1.5 / 254, and sigmoid a quarter of that.
    # The last layer's own rounding is of the same size.
    assert_close(model.predict(ids, verbose=0), before, 2 * 3 * 4 * 1.5 / 254 / 4)
    assert_padding_ignored(model, ids, tolerance=1e-6)


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("compiled", [True, False])
def test_an_id_outside_the_vocabulary_makes_the_loss_nan(build, compiled, rng):
    if keras.backend.backend() == "torch":
        pytest.skip("PyTorch raises: its binary cross-entropy takes no NaN")
    ids, model = rng.integers(0, 9, size=(4, 6)), BUILDS[build]()
    ids[1, 2] = 99
    model.compile("adam", "binary_crossentropy", jit_compile=compiled)
    history = model.fit(ids, np.array([0, 1, 0, 1]), verbose=0).history
    assert np.isnan(history["loss"][0])


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("wrong", [99, 9, -1])
def test_an_id_outside_spoils_its_row_and_no_other(build, wrong, rng):
    ids, model = rng.integers(1, 9, size=(4, 6)), BUILDS[build]()
    ids[1, 2] = wrong
    found = ops.convert_to_numpy(model(ids))[:, 0]
    assert np.isnan(found).tolist() == [False, True, False, False]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("build", BUILDS)
def test_under_a_global_policy(build, policy, rng):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        ids, model = rng.integers(0, 9, size=(4, 6)), BUILDS[build]()
    finally:
        keras.config.set_dtype_policy(before)
    found = model(ids)
    assert keras.backend.standardize_dtype(found.dtype) == policy.removeprefix("mixed_")
    exact = BUILDS[build]()
    exact.set_weights(model.get_weights())
    # Eight bits, some twenty roundings of numbers below 1.
    assert_close(ops.cast(found, "float32"), exact(ids), 20 * 2.0**-9)


@pytest.mark.parametrize("name", ["vocab_size", "embed_dim", "units"])
@pytest.mark.parametrize("value", [0, -1, 2.0, "64", None, True])
def test_sizes_that_are_none(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, got"):
        rnn_classifier(**{name: value})


def test_other_choices_that_do_not_exist():
    with pytest.raises(ValueError, match='readout must be "last" or "mean", got \'max\''):
        rnn_classifier(readout="max")
    with pytest.raises(ValueError, match=r"dropout must be at least 0 and below 1, got 1"):
        rnn_classifier(dropout=1)
    with pytest.raises(ValueError, match="mask_zero must be True or False, got 'no'"):
        rnn_classifier(mask_zero="no")
    with pytest.raises(ValueError, match="vocab_size must be"):
        bag_of_words_classifier(0)
    with pytest.raises(ValueError, match="vocab_size must be"):
        BagOfWords(None)


def test_sizes_of_numpy():
    model = rnn_classifier(np.int64(9), np.int32(4), np.int64(5))
    assert model.predict(np.ones((2, 3), int), verbose=0).shape == (2, 1)
    assert bag_of_words_classifier(np.int64(9)).count_params() == 10


def test_wrong_rank_is_refused():
    with pytest.raises(ValueError, match=r"Expected shape \(None, None\), but input has"):
        rnn_classifier(9, 2, 3).predict(np.ones((2, 3, 4), "int32"), verbose=0)
