"""lmkit.layers.transformer and models.TransformerLM: formulas, GPT-2, invariants, the cache."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.checks import assert_close
from lmkit.layers import TransformerBlock, gelu
from lmkit.models import TransformerLM, compile_lm

SIZES = {
    "vocab_size": 11,
    "max_length": 10,
    "embed_dim": 8,
    "num_heads": 2,
    "ff_dim": 12,
    "num_layers": 2,
}


def numpy(x):
    return ops.convert_to_numpy(x)


def random_model(rng, **others):
    model = TransformerLM(**{**SIZES, **others})
    model.build((None, None))
    model.set_weights([rng.normal(size=w.shape) * 0.3 for w in model.get_weights()])
    return model


def norm(x, gain, bias):
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) * gain + bias


def test_gelu_by_hand():
    assert_close(gelu(np.array([0.0, 1.0, -1.0, 10.0])), [0, 0.841192, -0.158808, 10], 1e-5)


def test_block_is_two_branches_added_to_what_was_there(rng):
    block = TransformerBlock(embed_dim=8, num_heads=2, ff_dim=12)
    block.build((None, None, 8))
    block.set_weights([rng.normal(size=w.shape) * 0.5 for w in block.get_weights()])
    x = rng.normal(size=(2, 5, 8)).astype("float32")
    parts = {
        layer.name: layer.get_weights()
        for layer in (block.norm_1, block.norm_2, block.expand, block.contract)
    }
    middle = x + numpy(block.attention(norm(x, *parts["norm_1"]).astype("float32")))
    z = norm(middle, *parts["norm_2"]) @ parts["expand"][0] + parts["expand"][1]
    z = 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
    expected = middle + z @ parts["contract"][0] + parts["contract"][1]
    assert_close(block(x), expected, 2e-5)  # sums of twelve products of size 3


@pytest.mark.parametrize("wrong", [[1, 2, 3], None, "abc", np.ones(3, int), np.ones((1, 99), int)])
def test_after_wrong_ids_the_next_try_works(wrong):
    model = TransformerLM(**SIZES)
    with pytest.raises((TypeError, ValueError), match=r"ids must be|at most"):
        model(wrong)
    assert model(np.ones((2, 3), int)).shape == (2, 3, SIZES["vocab_size"])


@pytest.mark.parametrize("shape", [(3,), (2, 3, 7), ()])
def test_after_a_wrong_shape_a_block_can_still_be_built(shape):
    block = TransformerBlock(embed_dim=8, num_heads=2, ff_dim=12)
    with pytest.raises(ValueError, match=r"the input must be \(batch, time, 8\)"):
        block(np.ones(shape, "float32"))
    assert block(np.ones((2, 3, 8), "float32")).shape == (2, 3, 8)


def test_after_a_failed_fit_compiling_again_is_enough(rng):
    right, wrong = (rng.integers(1, 9, (8, length)) for length in (4, 99))
    losses = []
    for tries in ([right], [wrong, right]):
        keras.utils.set_random_seed(0)
        model = TransformerLM(**SIZES)
        for ids in tries:
            compile_lm(model, 1e-3, steps=200)
            if ids is wrong:
                with pytest.raises(ValueError, match="at most"):
                    model.fit(ids, ids, verbose=0)
            else:
                losses.append(model.fit(ids, ids, verbose=0, shuffle=False).history["loss"][0])
    assert losses[0] == losses[1]


def test_a_block_without_its_last_matrices_changes_nothing(rng):
    block = TransformerBlock(embed_dim=8, num_heads=2, ff_dim=12)
    x = rng.normal(size=(2, 5, 8)).astype("float32")
    block(x)
    for last in (block.attention.out, block.contract):
        last.set_weights([np.zeros(w.shape) for w in last.get_weights()])
    np.testing.assert_array_equal(numpy(block(x)), x)


def test_parameters_by_hand():
    model = TransformerLM(65, 64, 128, 4, 512, 4)
    model.build((None, None))
    block = 2 * 2 * 128 + 128 * 384 + 384 + 128 * 128 + 128 + 128 * 512 + 512 + 512 * 128 + 128
    assert model.count_params() == 65 * 128 + 64 * 128 + 4 * block + 2 * 128 == 809_856


def test_a_new_model_guesses():
    keras.utils.set_random_seed(0)
    model = TransformerLM(50, 32, 32, 4, 128, 2)
    ids = np.random.default_rng(0).integers(1, 50, (8, 30))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # Logits are sums of 32 products of 1 and 0.02: of size 0.11, variance / 2 above ln V.
    assert float(loss(ids[:, 1:], model(ids[:, :-1]))) == pytest.approx(np.log(50), abs=0.05)


def test_no_later_id_changes_what_was_said_before(rng):
    ids = rng.integers(1, 11, (3, 8))
    changed = ids.copy()
    changed[:, 5:] = rng.integers(1, 11, (3, 3))
    for causal in (True, False):
        model = random_model(rng, causal=causal)
        before, after = numpy(model(ids)), numpy(model(changed))
        assert (np.abs(before[:, :5] - after[:, :5]).max() == 0) == causal


def test_padding_on_the_right_changes_nothing(rng):
    model, ids = random_model(rng), rng.integers(1, 11, (3, 6))
    assert_close(numpy(model(np.pad(ids, ((0, 0), (0, 4)))))[:, :6], model(ids), 5e-6)


def test_order_is_seen(rng):
    model = random_model(rng)
    last = [numpy(model(np.array([row])))[0, -1] for row in ([3, 4, 5], [4, 3, 5])]
    assert np.abs(last[0] - last[1]).max() > 1e-3


def test_cached_equals_uncached(rng):
    model, ids = random_model(rng), rng.integers(1, 11, (3, 10))
    cache, found = model.new_cache(3), []
    for at, piece in ((0, 4), (4, 1), (5, 1), (6, 4)):
        positions = np.tile(np.arange(at, at + piece), (3, 1))
        logits, cache = model.step(ids[:, at : at + piece], positions, cache)
        found.append(numpy(logits))
    assert_close(np.concatenate(found, axis=1), model(ids), 1e-5)


def test_attention_weights_of_every_block(rng):
    model, ids = random_model(rng), rng.integers(1, 11, (3, 6))
    weights = [numpy(part) for part in model.attention_weights(ids)]
    assert [part.shape for part in weights] == [(3, 2, 6, 6)] * 2
    for part in weights:
        assert_close(part.sum(axis=-1), np.ones((3, 2, 6)), 1e-6)
        assert (part[..., ~np.tri(6, dtype=bool)] == 0).all()
    assert np.abs(weights[0] - weights[1]).max() > 1e-2


def test_saved_and_loaded_says_the_same(rng, tmp_path):
    model, ids = random_model(rng, dropout=0.1), rng.integers(1, 11, (3, 6))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numpy(again(ids)), numpy(model(ids)))
    assert again.get_config() == model.get_config()


def test_learns_one_batch_by_heart(rng):
    keras.utils.set_random_seed(0)
    ids = rng.integers(1, 11, (8, 11))
    ids[:, 0] = np.arange(1, 9)  # no two rows begin alike
    model = TransformerLM(11, 10, 32, 4, 64, 2)
    compile_lm(model, 1e-2, steps=300)
    model.fit(np.tile(ids[:, :-1], (300, 1)), np.tile(ids[:, 1:], (300, 1)), batch_size=8,
              shuffle=False, verbose=0)  # fmt: skip
    assert model.evaluate(ids[:, :-1], ids[:, 1:], verbose=0) < 0.01


def gpt2_weights(theirs):
    """The weights of the transformers library's GPT-2 in the order of TransformerLM's."""
    state = {name: value.numpy() for name, value in theirs.transformer.state_dict().items()}
    weights = [state["wte.weight"], state["wpe.weight"]]
    for n in range(len(theirs.transformer.h)):
        for part in ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"):
            weights += [state[f"h.{n}.{part}.weight"], state[f"h.{n}.{part}.bias"]]
    return [*weights, state["ln_f.weight"], state["ln_f.bias"]]


def test_equals_gpt2_of_the_transformers_library(rng):
    if keras.backend.backend() != "torch":
        pytest.skip("TensorFlow and PyTorch can crash in one process: set KERAS_BACKEND=torch")
    reason = "needs PyTorch and the transformers library, which the course does not install"
    torch = pytest.importorskip("torch", reason=reason)
    library = pytest.importorskip("transformers", reason=reason)
    torch.manual_seed(0)
    config = library.GPT2Config(
        vocab_size=50, n_positions=16, n_embd=32, n_layer=3, n_head=4, initializer_range=0.2
    )
    theirs = library.GPT2LMHeadModel(config).eval()
    model = TransformerLM(50, 16, 32, 4, 128, 3)
    model.build((None, None))
    model.set_weights(gpt2_weights(theirs))
    ids = rng.integers(0, 50, (2, 16))
    with torch.no_grad():
        expected = theirs(torch.tensor(ids)).logits.numpy()
    assert np.abs(expected).max() > 1
    assert_close(model(ids), expected, 1e-4)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("vocab_size", 0, "vocab_size must be a whole number of at least 1, got 0"),
        ("num_layers", 1.0, "num_layers must be a whole number of at least 1"),
        ("max_length", -1, "max_length must be a whole number of at least 1"),
        ("ff_dim", 0, "ff_dim must be a whole number of at least 1, got 0"),
        ("num_heads", 3, "multiple of num_heads, got 8 and 3"),
        ("dropout", 1.0, "dropout must be at least 0 and below 1"),
    ],
)
def test_sizes_that_are_refused(name, value, message):
    with pytest.raises(ValueError, match=message):
        TransformerLM(**{**SIZES, name: value})


def test_texts_that_are_refused(rng):
    model = random_model(rng)
    with pytest.raises(ValueError, match=r"reads at most 10 ids \(max_length\), got 11"):
        model(np.ones((1, 11), "int32"))
    with pytest.raises(ValueError, match="id 11 in row 0, column 1 is outside the vocabulary"):
        model.attention_weights([[1, 11]])
    with pytest.raises(TypeError, match="whole numbers, got float64"):
        model.attention_weights([[1.0]])
