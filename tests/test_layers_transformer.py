"""lmkit.layers.transformer: the block by its formulas, precision, padding, the start."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.checks import assert_close
from lmkit.layers import TokenEmbedding, TransformerBlock, gelu, padding_mask

HALVES = ["float16", "bfloat16"]


def numpy(x):
    return ops.convert_to_numpy(ops.cast(x, "float32")).astype("float64")


def dtypes(values):
    return {keras.backend.standardize_dtype(value.dtype) for value in values}


def random_block(rng, **arguments):
    block = TransformerBlock(embed_dim=8, num_heads=2, ff_dim=12, **arguments)
    block.build((None, None, 8))
    block.set_weights([rng.normal(size=w.shape) * 0.5 for w in block.get_weights()])
    return block


def norm(x, gain, bias):
    centered = x - x.mean(axis=-1, keepdims=True)
    return centered / np.sqrt((centered**2).mean(axis=-1, keepdims=True) + 1e-5) * gain + bias


def test_gelu_by_hand():
    assert_close(gelu(np.array([0.0, 1.0, -1.0, 10.0])), [0, 0.841192, -0.158808, 10], 1e-5)


def test_block_is_two_branches_added_to_what_was_there(rng):
    block, x = random_block(rng), rng.normal(size=(2, 5, 8)).astype("float32")
    parts = {
        layer.name: layer.get_weights()
        for layer in (block.norm_1, block.norm_2, block.expand, block.contract)
    }
    middle = x + numpy(block.attention(norm(x, *parts["norm_1"]).astype("float32")))
    z = norm(middle, *parts["norm_2"]) @ parts["expand"][0] + parts["expand"][1]
    z = 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
    expected = middle + z @ parts["contract"][0] + parts["contract"][1]
    assert_close(block(x), expected, 2e-5)  # sums of twelve products of size 3


def test_a_block_without_its_last_matrices_changes_nothing(rng):
    block, x = random_block(rng), rng.normal(size=(2, 5, 8)).astype("float32")
    for last in (block.attention.out, block.contract):
        last.set_weights([np.zeros(w.shape) for w in last.get_weights()])
    np.testing.assert_array_equal(numpy(block(x)), x)


def test_causal_or_not(rng):
    x = rng.normal(size=(2, 5, 8)).astype("float32")
    changed = x.copy()
    changed[:, 3:, 0] += 1  # not every channel: normalization would take that out again
    for causal in (True, False):
        block = random_block(rng, causal=causal)
        moved = np.abs(numpy(block(changed)) - numpy(block(x)))[:, :3].max()
        assert (moved == 0) == causal


def test_masked_positions_are_not_seen(rng):
    block, ids = random_block(rng, causal=False), np.array([[3, 4, 0, 0], [0, 3, 4, 0]])
    x = rng.normal(size=(2, 4, 8)).astype("float32")
    changed = np.where(ids[..., None] == 0, x + 1, x).astype("float32")
    before, after = (numpy(block(each, padding_mask(ids))) for each in (x, changed))
    np.testing.assert_array_equal(before[ids != 0], after[ids != 0])
    assert np.abs(before - after).max() > 0.1


@pytest.mark.parametrize("pieces", [[1] * 5, [3, 2], [5]])
def test_step_is_the_call(rng, pieces):
    block, x = random_block(rng), rng.normal(size=(2, 5, 8)).astype("float32")
    cache, found, read = block.attention.start(2, 7), [], 0
    for new in pieces:
        mask = np.arange(7) <= read + np.arange(new)[:, None]
        y, cache = block.step(x[:, read : read + new], cache, np.int32(read), mask)
        found.append(numpy(y))
        read += new
    assert_close(np.concatenate(found, axis=1), block(x), 1e-5)


@pytest.mark.parametrize("dtype", HALVES)
def test_float32_input_in_half_precision(rng, dtype):
    block, x = random_block(rng, dtype=f"mixed_{dtype}"), rng.normal(size=(2, 5, 8))
    x = x.astype("float32")
    exact = random_block(rng)
    exact.set_weights(block.get_weights())
    y, cache = block.step(
        ops.cast(x, dtype), block.attention.start(2, 5), np.int32(0), np.tri(5, dtype=bool)
    )
    assert dtypes([block(x), y, *cache]) == {dtype}
    assert dtypes(block.weights) == {"float32"}
    # About ten roundings after each other, of numbers up to 8, with 11 or 8 bits.
    tolerance = 10 * 8 * {"float16": 2**-11, "bfloat16": 2**-8}[dtype]
    assert_close(numpy(block(x)), exact(x), tolerance)
    assert_close(numpy(y), exact(x), tolerance)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float32"])
def test_padding_on_either_side_trains_without_nan(policy):
    keras.utils.set_random_seed(0)
    ids = np.array([[0, 0, 3, 4], [3, 4, 0, 0], [0, 0, 0, 0], [3, 4, 5, 6]])
    inputs = keras.Input((4,), dtype="int32")
    x = TokenEmbedding(9, 8, dtype=policy)(inputs)
    # No position of the third row may look at anything, nor the first ones of the first row.
    x = TransformerBlock(8, 2, 16, dtype=policy)(x, attention_mask=padding_mask(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1, dtype=policy)(x))
    model.compile(keras.optimizers.Adam(0.01), "mse", jit_compile=False)
    before = model.get_weights()
    losses = model.fit(ids, np.ones((4, 4, 1)), epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]  # NaN is not below anything
    moved = [np.abs(a - b).max() for a, b in zip(model.get_weights(), before, strict=True)]
    assert 0 < max(moved) < 1


def test_all_sublayers_have_the_blocks_precision(float64):
    block = TransformerBlock(8, 2, 12, dtype="float64")
    block.build((None, None, 8))
    assert dtypes(block.weights) == {"float64"}


def test_saved_and_loaded_under_another_policy(rng, tmp_path):
    inputs = keras.Input((None, 8))
    model = keras.Model(inputs, random_block(rng, dtype="mixed_float16", dropout=0.1)(inputs))
    model.save(tmp_path / "model.keras")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        again = keras.models.load_model(tmp_path / "model.keras")
    finally:
        keras.config.set_dtype_policy(before)
    x = rng.normal(size=(2, 5, 8)).astype("float32")
    assert dtypes([again(x)]) == {"float16"}
    np.testing.assert_array_equal(numpy(again(x)), numpy(model(x)))
    assert again.layers[-1].get_config() == model.layers[-1].get_config()


def test_starts_as_gpt2_does():
    block = TransformerBlock(64, 4, 256, num_layers=8)
    block.build((None, None, 64))
    parts = {
        "qkv": (block.attention.qkv, 0.02), "out": (block.attention.out, 0.02 / 4),
        "expand": (block.expand, 0.02), "contract": (block.contract, 0.02 / 4),
    }  # fmt: skip
    first = {}
    for name, (layer, size) in parts.items():
        kernel, bias = layer.get_weights()
        # 4,096 draws or more: their spread is known to 1 / sqrt(8,192) = 1.1 %.
        assert np.std(kernel) == pytest.approx(size, rel=0.05)
        assert not bias.any()
        first[name] = kernel.ravel()[:4096] / size
    # No two draw the same numbers: independent ones correlate by 1 / 64.
    correlations = np.corrcoef([*first.values()]) - np.eye(4)
    assert np.abs(correlations).max() < 0.08


@pytest.mark.parametrize("shape", [(3,), (2, 3, 7), ()])
def test_after_a_wrong_shape_a_block_can_still_be_built(shape):
    block = TransformerBlock(np.int64(8), np.int64(2), np.int64(12))
    with pytest.raises(ValueError, match=r"the input must be \(batch, time, 8\)"):
        block(np.ones(shape, "float32"))
    assert block.weights == []
    assert block(np.ones((2, 3, 8), "float32")).shape == (2, 3, 8)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ff_dim", 0, "ff_dim must be a whole number of at least 1, got 0"),
        ("num_layers", 1.0, "num_layers must be a whole number of at least 1"),
        ("num_heads", 3, "multiple of num_heads, got 8 and 3"),
        ("dropout", 1.0, "dropout must be at least 0 and below 1"),
        ("causal", "no", "causal must be True or False, got 'no'"),
    ],
)
def test_arguments_that_are_refused(name, value, message):
    with pytest.raises(ValueError, match=message):
        TransformerBlock(**{"embed_dim": 8, "num_heads": 2, "ff_dim": 12, name: value})
