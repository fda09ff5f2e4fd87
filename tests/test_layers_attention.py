"""lmkit.layers.attention: 2 x 2 values by hand, Keras's layer, invariants, precision, the cache."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.checks import assert_close
from lmkit.layers import (
    MultiHeadSelfAttention,
    attend,
    attention_weights,
    causal_mask,
    merge_heads,
    padding_mask,
    split_heads,
)

HALVES = ["float16", "bfloat16"]


def numpy(x):
    """A float64 array; NumPy has no bfloat16."""
    return ops.convert_to_numpy(ops.cast(x, "float32")).astype("float64")


def dtype_of(x):
    return keras.backend.standardize_dtype(x.dtype)


def test_attention_by_hand():
    # Scores q k / sqrt(4): the first query (2 ln 3, 0, 0, 0) scores ln 3 and 0 on the keys.
    q = np.array([[[2 * np.log(3), 0, 0, 0], [0, 0, 0, 0]]], "float32")
    k = np.array([[[1, 0, 0, 0], [0, 1, 0, 0]]], "float32")
    v = np.array([[[8.0], [4.0]]], "float32")
    assert_close(attention_weights(q, k), [[[0.75, 0.25], [0.5, 0.5]]], 1e-6)
    assert_close(attend(q, k, v), [[[7.0], [6.0]]], 1e-5)
    assert_close(attend(q, k, v, causal_mask(2)), [[[8.0], [6.0]]], 1e-5)


def test_masks_by_hand():
    assert numpy(causal_mask(2)).tolist() == [[1, 0], [1, 1]]
    assert numpy(padding_mask([[3, 0], [0, 4]])).tolist() == [[[[1, 0]]], [[[0, 1]]]]
    assert dtype_of(causal_mask(2)) == dtype_of(padding_mask([[3, 0]])) == "bool"


def test_weights_are_distributions_and_masked_ones_are_zero(rng):
    q, k = rng.normal(size=(2, 3, 5, 4)).astype("float32") * 3, rng.normal(size=(2, 3, 5, 4))
    weights = numpy(attention_weights(q, k.astype("float32"), causal_mask(5)))
    assert (weights >= 0).all()
    assert_close(weights.sum(axis=-1), np.ones((2, 3, 5)), 1e-6)  # five float32 numbers
    assert (weights[..., ~np.tri(5, dtype=bool)] == 0).all()


@pytest.mark.parametrize("dtype", ["float32", *HALVES])
def test_a_query_that_may_look_at_nothing_gets_even_weights(dtype):
    q = ops.convert_to_tensor([[[1.0, 2], [3, 4]]], dtype)
    weights = attention_weights(q, q, np.array([[False, False], [True, False]]))
    assert dtype_of(weights) == dtype
    assert numpy(weights).tolist() == [[[0.5, 0.5], [1, 0]]]  # powers of two: exact everywhere


@pytest.mark.parametrize("dtype", ["float32", *HALVES])
def test_no_score_is_below_a_masked_one(dtype):
    # 96 x -100 x 100 / sqrt(96) = -97,980 is below float16's lowest number and becomes minus
    # infinity; -58,788, the other one, is above it.
    q = ops.convert_to_tensor(np.full((1, 1, 96), 100.0), dtype)
    k = ops.convert_to_tensor(np.stack([np.full(96, -60.0), np.full(96, 50.0)])[None], dtype)
    weights = attention_weights(q, k, np.array([[True, False]]))
    assert numpy(weights).tolist() == [[[1, 0]]]


def test_heads_split_and_merge(rng):
    x = rng.normal(size=(2, 5, 6)).astype("float32")
    heads = numpy(split_heads(x, 3))
    assert heads.shape == (2, 3, 5, 2)
    np.testing.assert_array_equal(heads[1, 2, 4], x[1, 4, 4:6])  # the third head's channels
    np.testing.assert_array_equal(numpy(merge_heads(heads)), x)


def loop(x, layer, mask):
    """The layer as loops in float64."""
    (W, b), (V, c) = (
        [w.astype("float64") for w in part.get_weights()] for part in (layer.qkv, layer.out)
    )
    size = layer.embed_dim // layer.num_heads
    result = np.zeros(x.shape)
    for n, text in enumerate(x.astype("float64")):
        q, k, v = np.split(text @ W + b, 3, axis=-1)
        seen = np.zeros(text.shape)
        for head in range(layer.num_heads):
            part = slice(head * size, (head + 1) * size)
            for t in range(len(text)):
                who = [s for s in range(len(text)) if mask[n, t, s]]
                scores = np.array([q[t, part] @ k[s, part] for s in who]) / np.sqrt(size)
                weights = np.exp(scores - scores.max())
                seen[t, part] = weights / weights.sum() @ v[who][:, part]
        result[n] = seen @ V + c
    return result


def random_layer(rng, **arguments):
    layer = MultiHeadSelfAttention(embed_dim=6, num_heads=3, **arguments)
    layer.build((None, None, 6))
    layer.set_weights([rng.normal(size=w.shape) * 0.5 for w in layer.get_weights()])
    return layer


@pytest.mark.parametrize("causal", [True, False])
def test_layer_equals_the_loops(rng, causal):
    layer, x = random_layer(rng, causal=causal), rng.normal(size=(2, 5, 6)).astype("float32")
    allowed = np.broadcast_to(np.tri(5) if causal else np.ones((5, 5)), (2, 5, 5))
    # Sums of six products of size 1, four in a row: some 30 roundings of 6e-8.
    assert_close(layer(x), loop(x, layer, allowed), 5e-6)
    assert_close(layer(x, attention_mask=allowed[:, None] > 0), loop(x, layer, allowed), 5e-6)


def test_layer_with_padding_equals_the_loops(rng):
    layer, x = random_layer(rng), rng.normal(size=(2, 4, 6)).astype("float32")
    ids = np.array([[0, 0, 5, 6], [3, 4, 5, 6]])
    allowed = np.tri(4)[None] * (ids != 0)[:, None, :]
    allowed[0, :2, 0] = 1  # nobody reads what padding itself sees
    found = numpy(layer(x, attention_mask=padding_mask(ids)))
    assert_close(found[0, 2:], loop(x, layer, allowed)[0, 2:], 5e-6)
    assert_close(found[1], loop(x, layer, allowed)[1], 5e-6)


def test_layer_equals_keras(rng):
    layer, x = random_layer(rng), rng.normal(size=(2, 5, 6)).astype("float32")
    theirs = keras.layers.MultiHeadAttention(num_heads=3, key_dim=2)
    theirs.build((2, 5, 6), (2, 5, 6))
    (W, b), (V, c) = layer.qkv.get_weights(), layer.out.get_weights()
    parts = zip(np.split(W, 3, axis=1), np.split(b, 3), strict=True)
    three = [part for w, bias in parts for part in (w.reshape(6, 3, 2), bias.reshape(3, 2))]
    q, qb, k, kb, v, vb = three
    theirs.set_weights([q, qb, k, kb, v, vb, V.reshape(3, 2, 6), c])
    found, weights = theirs(x, x, use_causal_mask=True, return_attention_scores=True)
    assert_close(layer(x), found, 2e-6)  # the same sums in another order
    assert_close(layer.weights_of(x), weights, 1e-6)


def test_no_later_position_changes_an_earlier_one(rng):
    layer, x = random_layer(rng), rng.normal(size=(2, 6, 6)).astype("float32")
    changed = x.copy()
    changed[:, 4:] += 1
    before, after = numpy(layer(x)), numpy(layer(changed))
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert np.abs(before[:, 4:] - after[:, 4:]).max() > 1e-3


def test_without_positions_order_is_not_seen(rng):
    layer, x = random_layer(rng, causal=False), rng.normal(size=(2, 6, 6)).astype("float32")
    order = rng.permutation(6)
    assert_close(numpy(layer(x))[:, order], layer(x[:, order]), 2e-6)


def visible(new, read, length, padding=(0, 0)):
    """The mask of a step: slots from the text's begin to the new position."""
    slots, own = np.arange(length), read + np.arange(new)
    real = slots >= np.array(padding)[:, None]
    return real[:, None, None, :] & (slots <= own[:, None])


@pytest.mark.parametrize("pieces", [[1] * 6, [4, 1, 1], [6], [2, 4]])
def test_a_cache_gives_the_same(rng, pieces):
    layer, x = random_layer(rng), rng.normal(size=(2, 6, 6)).astype("float32")
    cache, found, at = layer.start(2, length=9), [], 0
    for piece in pieces:
        mask = visible(piece, at, 9)
        y, cache = layer.step(x[:, at : at + piece], cache, np.int32(at), mask)
        found.append(numpy(y))
        at += piece
    assert_close(np.concatenate(found, axis=1), layer(x), 2e-6)


def test_padding_in_the_cache_is_not_seen(rng):
    layer, x = random_layer(rng), rng.normal(size=(2, 5, 6)).astype("float32")
    cache = layer.start(2, length=5)
    _, cache = layer.step(x[:, :4], cache, np.int32(0), visible(4, 0, 5, padding=(2, 0)))
    y, _ = layer.step(x[:, 4:], cache, np.int32(4), visible(1, 4, 5, padding=(2, 0)))
    assert_close(y[:1, 0], numpy(layer(x[:1, 2:]))[:, -1], 2e-6)
    assert_close(y[1:, 0], numpy(layer(x[1:]))[:, -1], 2e-6)


def test_dropout_acts_in_training_only(rng):
    layer, x = random_layer(rng, dropout=0.5), rng.normal(size=(2, 5, 6)).astype("float32")
    np.testing.assert_array_equal(numpy(layer(x)), numpy(layer(x, training=False)))
    assert np.abs(numpy(layer(x, training=True)) - numpy(layer(x))).max() > 1e-3


@pytest.mark.parametrize("dtype", HALVES)
def test_layer_in_half_precision(rng, dtype):
    layer = random_layer(rng, dtype=f"mixed_{dtype}")
    exact = random_layer(rng)
    exact.set_weights(layer.get_weights())
    x = rng.normal(size=(2, 5, 6)).astype("float32")
    # Padding on the left: the first positions may look at nothing.
    ids = np.array([[0, 0, 3, 4, 5], [3, 4, 5, 0, 0]])
    found = layer(x, attention_mask=padding_mask(ids))
    assert dtype_of(found) == dtype_of(layer.start(2, 4)[0]) == dtype
    assert {dtype_of(weight) for weight in layer.weights} == {"float32"}
    # Numbers of size 1 with 11 or 8 bits, four products in a row with errors of their own.
    tolerance = {"float16": 4 * 2**-10, "bfloat16": 4 * 2**-7}[dtype]
    assert_close(numpy(found), exact(x, attention_mask=padding_mask(ids)), tolerance)


def test_sublayers_have_the_layers_precision():
    layer = MultiHeadSelfAttention(6, 3, dtype="float64")
    layer.build((None, None, 6))
    assert {dtype_of(weight) for weight in layer.weights} == {"float64"}


def test_no_two_matrices_start_alike():
    layer = MultiHeadSelfAttention(32, 4)
    layer.build((None, None, 32))
    first, second = layer.qkv.get_weights()[0].ravel(), layer.out.get_weights()[0].ravel()
    # Drawn independently they correlate by 1 / sqrt(1024) = 0.03.
    assert abs(np.corrcoef(first[:1024], second)[0, 1]) < 0.15
    assert np.std(first) == pytest.approx(0.02, rel=0.05)


def test_built_again_from_its_configuration(rng):
    layer = random_layer(rng, causal=False, dropout=0.25, dtype="mixed_bfloat16")
    again = MultiHeadSelfAttention.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.embed_dim, again.num_heads, again.causal) == (6, 3, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"embed_dim": 6, "num_heads": 4}, "multiple of num_heads, got 6 and 4"),
        ({"embed_dim": 0, "num_heads": 1}, "embed_dim must be a whole number of at least 1, got 0"),
        ({"embed_dim": 6, "num_heads": 2.0}, "num_heads must be a whole number"),
        (
            {"embed_dim": 6, "num_heads": 2, "dropout": 1.0},
            "dropout must be at least 0 and below 1",
        ),
        ({"embed_dim": 6, "num_heads": 2, "causal": "no"}, "causal must be True or False"),
    ],
)
def test_arguments_that_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        MultiHeadSelfAttention(**arguments)


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        (np.ones((4, 4)), TypeError, "must be boolean, True = may be looked at, got float"),
        (np.ones((4, 4), "int32"), TypeError, "got int32"),
        (np.ones((4, 3), bool), ValueError, r"must fit \(2, 3, 4, 4\) .*got \(4, 3\)"),
        (np.ones((3, 1, 4, 4), bool), ValueError, r"got \(3, 1, 4, 4\)"),
        (np.ones((1, 1, 1, 4, 4), bool), ValueError, "must fit"),
    ],
)
@pytest.mark.parametrize("causal", [True, False])
def test_masks_that_are_refused(mask, error, message, causal, rng):
    layer, x = MultiHeadSelfAttention(6, 3, causal), rng.normal(size=(2, 4, 6))
    with pytest.raises(error, match=message):
        layer(x, mask)
    with pytest.raises(error, match=message):
        layer.weights_of(ops.convert_to_tensor(x, "float32"), mask)


def test_after_a_wrong_shape_the_layer_can_still_be_built():
    layer = MultiHeadSelfAttention(np.int64(6), np.int64(3))
    for shape in ((4, 6), (2, 4, 5), (1, 2, 4, 6)):
        with pytest.raises(ValueError, match=r"the input must be \(batch, time, 6\), got"):
            layer(np.ones(shape, "float32"))
    assert layer.weights == []
    assert layer(np.ones((2, 4, 6), "float32")).shape == (2, 4, 6)


def test_shapes_that_do_not_belong_together():
    three, four = np.ones((1, 2, 3)), np.ones((1, 2, 4))
    with pytest.raises(ValueError, match="queries and keys need equally many channels, got 3 and"):
        attention_weights(three, four)
    with pytest.raises(ValueError, match="keys and values need equally many positions, got 2 and"):
        attend(three, three, np.ones((1, 3, 3)))
    with pytest.raises(ValueError, match=r"a multiple of 2 channels\), got \(1, 2, 3\)"):
        split_heads(three, 2)
    with pytest.raises(ValueError, match="length must be a whole number of at least 1, got 0"):
        causal_mask(0)
