"""lmkit.layers.embedding: lookups and logits by hand, ids outside, masks, int8, saving."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.checks import assert_close
from lmkit.layers import TokenEmbedding


def numpy(x):
    return ops.convert_to_numpy(ops.cast(x, "float32")).astype("float64")


def table(rng, **arguments):
    layer = TokenEmbedding(9, 4, **arguments)
    layer.build((None, None))
    layer.set_weights([rng.normal(size=(9, 4))])
    return layer


def test_lookup_and_logits_by_hand():
    layer = TokenEmbedding(3, 2)
    layer.build((None, None))
    layer.set_weights([np.array([[1.0, 2], [3, 4], [5, 6]])])
    assert numpy(layer(np.array([[2, 0]]))).tolist() == [[[5, 6], [1, 2]]]
    # (1, -1) times the columns of the transposed table.
    assert numpy(layer(np.array([[[1.0, -1]]]), reverse=True)).tolist() == [[[-1, -1, -1]]]
    assert len(layer.weights) == 1


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("wrong", [-1, 9, 99, -(2**31), 2**31 - 1])
def test_ids_outside_become_nan_and_no_others(rng, wrong, compiled):
    layer, ids = table(rng), np.array([[3, wrong], [0, 8]], "int32")
    model = keras.Sequential([keras.Input((2,), dtype="int32"), layer])
    model.compile(jit_compile=compiled)
    found = model.predict(ids, verbose=0)
    assert np.isnan(found[0, 1]).all()
    np.testing.assert_array_equal(found[[0, 1, 1], [0, 0, 1]], layer.get_weights()[0][[3, 0, 8]])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "float32"])
def test_ids_of_any_type(rng, dtype):
    layer = table(rng)
    np.testing.assert_array_equal(
        numpy(layer(np.array([[3, 8]], dtype))), numpy(layer(np.array([[3, 8]], "int32")))
    )


@pytest.mark.parametrize("quantized", [False, True])
def test_padding_is_masked_if_asked_for(rng, quantized):
    # The state of an RNN shows whether the mask arrived.
    ids = np.array([[3, 4, 0, 0], [0, 3, 0, 4]])
    for mask_zero in (True, False):
        layer, rnn = table(rng, mask_zero=mask_zero), keras.layers.SimpleRNN(5)
        if quantized:
            layer.quantize("int8")
        after = numpy(rnn(layer(ids)))
        alone = numpy(rnn(layer(np.array([[3, 4]] * 2))))
        assert (np.abs(after - alone).max() < 1e-6) == mask_zero


def test_logits_have_no_mask(rng):
    # A hidden vector with a zero in it is no padding.
    layer = table(rng, mask_zero=True)
    assert layer.compute_mask(np.zeros((2, 3, 4), "float32")) is None
    assert layer(np.zeros((2, 3, 4), "float32"), reverse=True).shape == (2, 3, 9)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_both_directions_have_the_layers_precision(rng, policy, request):
    if policy == "float64":
        request.getfixturevalue("float64")
    layer = table(rng, dtype=policy)
    vectors = layer(np.array([[1, 2]]))
    for found in (vectors, layer(vectors, reverse=True)):
        assert keras.backend.standardize_dtype(found.dtype) == policy.removeprefix("mixed_")
    assert np.isnan(numpy(layer(np.array([[9]])))).all()


def test_int8_is_off_by_the_rounding_of_both_factors(rng):
    layer, ids = table(rng), np.arange(9)[None]
    exact, x = layer.get_weights()[0], rng.normal(size=(1, 5, 4))
    logits = numpy(layer(x.astype("float32"), reverse=True))
    layer.quantize("int8")
    # A row's largest number becomes 127, so rounding moves a number by half of 1/127 of it.
    step = np.abs(exact).max(axis=1) / 254  # (V,)
    moved = np.abs(numpy(layer(ids))[0] - exact)
    assert (moved <= step[:, None] + 1e-6).all()
    assert moved.max() > step.max() / 10  # something was rounded
    # In a product both factors move: |x| dW + |W| dx + dx dW, summed over four channels.
    dx = np.abs(x).max(axis=-1, keepdims=True) / 254  # (1, 5, 1)
    allowed = np.abs(x).sum(-1, keepdims=True) * step + np.abs(exact).sum(1) * dx + 4 * step * dx
    assert (
        np.abs(numpy(layer(x.astype("float32"), reverse=True)) - logits) <= allowed + 1e-6
    ).all()
    assert np.isnan(numpy(layer(np.array([[9, -1]])))).all()


def test_saved_and_loaded(rng, tmp_path):
    inputs = keras.Input((None,), dtype="int32")
    model = keras.Model(inputs, table(rng, mask_zero=True)(inputs))
    for step in ("float", "int8"):
        if step == "int8":
            model.quantize("int8")
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        assert isinstance(again.layers[-1], TokenEmbedding)
        assert again.layers[-1].mask_zero
        ids = np.array([[1, 8, 9]])
        np.testing.assert_array_equal(numpy(again(ids)), numpy(model(ids)))


def test_sizes():
    layer = TokenEmbedding(np.int64(9), np.int32(4))
    assert type(layer.input_dim) is type(layer.output_dim) is int
    for wrong in (0, 2.0, True, None):
        with pytest.raises(ValueError, match="input_dim must be a whole number of at least 1, got"):
            TokenEmbedding(wrong, 4)
        with pytest.raises(ValueError, match="output_dim must be a whole number"):
            TokenEmbedding(4, wrong)


def test_a_model_with_it_learns(rng):
    # The gradient reaches exactly the rows that were read.
    layer = table(rng)
    before = layer.get_weights()[0]
    model = keras.Sequential([keras.Input((2,), dtype="int32"), layer])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(np.array([[3, 5]]), np.zeros((1, 2, 4)), verbose=0)
    changed = np.abs(layer.get_weights()[0] - before).max(axis=1) > 0
    assert np.flatnonzero(changed).tolist() == [3, 5]
    # Mean of eight squares: each number x has the gradient x / 4 and moves by x / 40.
    assert_close(layer.get_weights()[0][[3, 5]], before[[3, 5]] * (1 - 1 / 40), 1e-6)
