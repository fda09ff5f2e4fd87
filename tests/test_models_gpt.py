"""lmkit.models.gpt: formulas, GPT-2 itself, the cache's room. See test_models_base.py."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.checks import assert_close
from lmkit.models import TransformerLM
from lmkit.training import lm_loss, warmup_cosine

SIZES = {
    "vocab_size": 11, "max_length": 10, "embed_dim": 8,
    "num_heads": 2, "ff_dim": 12, "num_layers": 2,
}  # fmt: skip


def numpy(x):
    return ops.convert_to_numpy(x)


def random_model(rng, **others):
    model = TransformerLM(**{**SIZES, **others})
    model.set_weights([rng.normal(size=w.shape) * 0.3 for w in model.get_weights()])
    return model


def sized(*numbers, **others):
    return TransformerLM(**dict(zip(SIZES, numbers, strict=True)), **others)


def test_equals_its_parts(rng):
    # Table and positions added, the blocks, the norm, the table again.
    model, ids = random_model(rng), rng.integers(0, 11, (3, 6))
    tokens, positions = model.tokens.get_weights()[0], model.positions.get_weights()[0]
    x = (tokens[ids] + positions[:6]).astype("float32")
    for block in model.blocks:
        x = numpy(block(x))
    gain, bias = model.norm.get_weights()
    x = x.astype("float64")
    centered = x - x.mean(axis=-1, keepdims=True)
    normal = centered / np.sqrt((centered**2).mean(axis=-1, keepdims=True) + 1e-5)
    # A sum of eight products of size 1.
    assert_close(model(ids), (normal * gain + bias) @ tokens.T, 5e-6)


def test_parameters_by_hand():
    model = sized(65, 64, 128, 4, 512, 4)
    block = 2 * 2 * 128 + 128 * 384 + 384 + 128 * 128 + 128 + 128 * 512 + 512 + 512 * 128 + 128
    assert model.count_params() == 65 * 128 + 64 * 128 + 4 * block + 2 * 128 == 809_856
    assert model.positions.embeddings.shape == (64, 128)


def test_sizes_are_attributes():
    model = TransformerLM(**SIZES)
    assert {name: getattr(model, name) for name in SIZES} == SIZES
    config = TransformerLM(**{name: np.int64(size) for name, size in SIZES.items()}).get_config()
    assert {name: config[name] for name in SIZES} == SIZES
    assert {type(config[name]) for name in SIZES} == {int}
    with pytest.raises(TypeError):
        TransformerLM(*SIZES.values())


def test_a_new_model_guesses():
    keras.utils.set_random_seed(0)
    model = sized(50, 32, 32, 4, 128, 2)
    ids = np.random.default_rng(0).integers(0, 50, (8, 30))
    # Logits are sums of 32 products of 1 and 0.02: of size 0.11, variance / 2 above ln V.
    loss = float(lm_loss()(ids[:, 1:], model(ids[:, :-1])))
    assert loss == pytest.approx(np.log(50), abs=0.05)


def test_tables_do_not_start_alike():
    model = sized(64, 64, 32, 4, 64, 1)
    first, second = (table.get_weights()[0].ravel() for table in (model.tokens, model.positions))
    # Independent numbers correlate by 1 / sqrt(2,048) = 0.02.
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1
    assert np.std(first) == pytest.approx(0.02, rel=0.08)  # known to 1 / sqrt(4,096)


def test_a_model_that_is_not_causal_sees_later_ids(rng):
    ids = rng.integers(0, 11, (3, 8))
    changed = ids.copy()
    changed[:, 5:] = (changed[:, 5:] + 1) % 11
    for causal in (True, False):
        model = random_model(rng, causal=causal)
        before, after = numpy(model(ids)), numpy(model(changed))
        assert (np.abs(before[:, :5] - after[:, :5]).max() == 0) == causal


def test_order_is_seen(rng):
    model = random_model(rng)
    last = [numpy(model(np.array([row])))[0, -1] for row in ([3, 4, 5], [4, 3, 5])]
    assert np.abs(last[0] - last[1]).max() > 1e-3


def test_attention_weights_of_every_block(rng):
    model, ids = random_model(rng), rng.integers(0, 11, (3, 6))
    weights = [numpy(part) for part in model.attention_weights(ids)]
    assert [part.shape for part in weights] == [(3, 2, 6, 6)] * 2
    for part in weights:
        assert_close(part.sum(axis=-1), np.ones((3, 2, 6)), 1e-6)
        assert (part[..., ~np.tri(6, dtype=bool)] == 0).all()
    assert np.abs(weights[0] - weights[1]).max() > 1e-2


@pytest.mark.parametrize("length", [7, 10])
def test_where_no_room_is_left_the_logits_are_nan(length, rng):
    # Compiled code cannot raise, and would overwrite the last slot and go on.
    model = random_model(rng)
    ids = rng.integers(0, 11, (2, 12)).astype("int32")
    logits, state = model.step(ids[:, : length - 1], model.start(2, length))
    assert np.isfinite(numpy(logits)).all()
    fits, _ = model.step(ids[:, :1], state)
    assert np.isfinite(numpy(fits)).all()
    overrun, _ = model.step(ids[:, :2], state)
    assert np.isnan(numpy(overrun)).all()
    with pytest.raises(ValueError, match=f"the state has room for {length} ids, got {length + 1}"):
        model.step(ids[:, : length + 1], model.start(2, length))


def test_a_model_that_is_not_causal_cannot_be_decoded():
    model = TransformerLM(**SIZES, causal=False)
    with pytest.raises(ValueError, match="causal=False looks at later ids, so it cannot be read"):
        model.start(1, 5)


def test_no_more_room_than_positions():
    message = "length must be a whole number of at least 1 and at most 10, got 11"
    with pytest.raises(ValueError, match=message):
        TransformerLM(**SIZES).start(1, 11)


def test_learns_one_batch_by_heart(rng):
    keras.utils.set_random_seed(0)
    ids = rng.integers(1, 11, (8, 11))
    ids[:, 0] = np.arange(1, 9)  # no two rows begin alike
    model = sized(11, 10, 32, 4, 64, 2)
    optimizer = keras.optimizers.Adam(warmup_cosine(1e-2, 300), beta_2=0.98, global_clipnorm=1.0)
    model.compile(optimizer, lm_loss(), jit_compile=True)
    model.fit(np.tile(ids[:, :-1], (300, 1)), np.tile(ids[:, 1:], (300, 1)), batch_size=8,
              shuffle=False, verbose=0)  # fmt: skip
    assert model.evaluate(ids[:, :-1], ids[:, 1:], verbose=0) < 0.01


def test_after_a_failed_fit_compiling_again_is_enough(rng):
    right, wrong = (rng.integers(0, 9, (8, length)) for length in (4, 99))
    losses = []
    for tries in ([right], [wrong, right]):
        keras.utils.set_random_seed(0)
        model = TransformerLM(**SIZES)
        for ids in tries:
            model.compile(keras.optimizers.Adam(1e-3), lm_loss(), jit_compile=True)
            if ids is wrong:
                with pytest.raises(ValueError, match="at most"):
                    model.fit(ids, ids, verbose=0)
            else:
                losses.append(model.fit(ids, ids, verbose=0, shuffle=False).history["loss"][0])
    assert losses[0] == losses[1]


def gpt2_weights(theirs):
    """The weights of the transformers library's GPT-2 in the order of TransformerLM's."""
    state = {name: value.numpy() for name, value in theirs.transformer.state_dict().items()}
    weights = [state["wte.weight"], state["wpe.weight"]]
    for n in range(len(theirs.transformer.h)):
        for part in ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"):
            weights += [state[f"h.{n}.{part}.weight"], state[f"h.{n}.{part}.bias"]]
    return [*weights, state["ln_f.weight"], state["ln_f.bias"]]


def test_weights_are_in_gpt2s_order():
    block = TransformerLM(**SIZES).blocks[0]
    parts = [block.norm_1, block.attention.qkv, block.attention.out]
    parts += [block.norm_2, block.expand, block.contract]
    named = [id(weight) for part in parts for weight in part.weights]
    assert [id(weight) for weight in block.weights] == named


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
    model = sized(50, 16, 32, 4, 128, 3)
    model.set_weights(gpt2_weights(theirs))
    ids = rng.integers(0, 50, (2, 16)).astype("int32")
    with torch.no_grad():
        expected = theirs(torch.tensor(ids)).logits.numpy()
    assert np.abs(expected).max() > 1
    assert_close(numpy(model(ids)), expected, 1e-4)
    logits, state = model.step(ids[:, :9], model.start(2, 16))
    assert_close(numpy(logits), expected[:, :9], 1e-4)
    assert_close(numpy(model.step(ids[:, 9:], state)[0]), expected[:, 9:], 1e-4)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("vocab_size", 0, "vocab_size must be a whole number of at least 1, got 0"),
        ("num_layers", 1.0, "num_layers must be a whole number of at least 1"),
        ("max_length", -1, "max_length must be a whole number of at least 1"),
        ("ff_dim", 0, "ff_dim must be a whole number of at least 1, got 0"),
        ("num_heads", 3, "multiple of num_heads, got 8 and 3"),
        ("dropout", 1.0, "dropout must be at least 0 and below 1"),
        ("causal", "no", "causal must be True or False, got 'no'"),
    ],
)
def test_sizes_that_are_refused(name, value, message):
    with pytest.raises(ValueError, match=message):
        TransformerLM(**{**SIZES, name: value})


def test_texts_that_are_refused(rng):
    model = random_model(rng)
    with pytest.raises(ValueError, match=r"reads at most 10 ids \(max_length\), got 11"):
        model(np.ones((1, 11), "int32"))
    with pytest.raises(ValueError, match="id 11 in row 0, column 1 of ids is outside the vocab"):
        model.attention_weights([[1, 11]])
    with pytest.raises(TypeError, match="whole numbers, got float64"):
        model.attention_weights([[1.0]])
