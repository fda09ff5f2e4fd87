"""lmkit.metrics.losses: by hand, against NumPy in float64, on every path, and memory."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from lmkit import backend
from lmkit.batches import IGNORE, next_tokens
from lmkit.metrics import BitsPerCharacter, Perplexity, losses, score_tokens, token_losses
from lmkit.models import RecurrentLM, TransformerLM
from lmkit.training import lm_loss

# A float32 sum of n losses is off by n x 6e-8 of itself at worst; n is some hundreds here,
# and e to a loss multiplies the relative error of the loss by the loss, below 5.
RELATIVE = 1e-4
BOTH = pytest.mark.parametrize("kind", [Perplexity, BitsPerCharacter])


def reference(logits, targets, keep):
    """The mean -log p of the kept positions in float64, one position after the other."""
    found = []
    for place in np.argwhere(keep):
        row = np.exp(logits[tuple(place)].astype("float64"))
        found.append(-np.log(row[targets[tuple(place)]] / row.sum()))
    return np.mean(found)


def result_of(metric, *batches):
    for batch in batches:
        metric.update_state(*batch)
    return float(metric.result())


def logits_of(probabilities):
    return np.log(np.array(probabilities, dtype="float32"))


def small_lm(rng):
    """A network that is not as even as a new one, whose losses are all near ln 7."""
    model = RecurrentLM(vocab_size=7, embed_dim=3, units=4)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


def stories(rng, count=7):
    """Inputs and targets of unequal length."""
    lengths = rng.integers(2, 10, count)
    return next_tokens([rng.integers(0, 7, length) for length in lengths], length=9)


# token_losses


def test_token_losses_by_hand():
    logits = np.log([[[1, 3, 4], [2, 2, 4]], [[8, 4, 4], [1, 1, 1]]])  # any factor cancels
    found = token_losses(logits, [[2, 1], [1, IGNORE]])
    np.testing.assert_allclose(found, [[np.log(2), np.log(4)], [np.log(4), 0]], atol=1e-15)
    # Another id that is not scored, and none at all: 0 is an id like any other.
    other = token_losses(logits, [[2, 1], [1, 0]], ignore_class=1)
    np.testing.assert_allclose(other, [[np.log(2), 0], [0, np.log(3)]], atol=1e-15)
    every = token_losses(logits, [[2, 1], [1, 0]], ignore_class=None)
    np.testing.assert_allclose(every[1], [np.log(4), np.log(3)], atol=1e-15)


def test_token_losses_at_the_edges():
    big = [[1e4, -1e4, 0.0], [0.0, -np.inf, -np.inf], [0.0, -np.inf, 0.0], [np.nan, 0.0, 0.0]]
    found = token_losses(big, [1, 1, 2, 2])
    assert found[:2].tolist() == [2e4, np.inf]
    assert found[2] == pytest.approx(np.log(2))
    assert np.isnan(found[3])  # of logits that are no numbers
    assert token_losses(big, [IGNORE] * 4).tolist() == [0] * 4


def test_token_losses_of_tensors():
    found = token_losses(ops.zeros((1, 2, 4), "bfloat16"), [[3, IGNORE]])
    assert found.dtype == "float64" and found[0] == pytest.approx([np.log(4), 0])


@pytest.mark.parametrize(
    ("logits", "targets", "ignore_class", "error", "message"),
    [
        (np.zeros((2, 3, 4)), np.ones((2, 2), int), IGNORE, ValueError, r"shape \(2, 3\), one per"),
        (np.zeros((2, 4)), [1, 4], IGNORE, ValueError, "id 4 at position 1 of targets is outside"),
        (np.zeros((2, 4)), [1, -2], IGNORE, ValueError, "id -2 at position 1 of targets is"),
        (np.zeros((2, 4)), [1, -1], 0, ValueError, r"hold IGNORE \(-1\), but ignore_class is 0"),
        (np.zeros((2, 4)), [1, -1], None, ValueError, "but ignore_class is None"),
        (np.zeros((2, 4)), [1.0, 2.0], IGNORE, TypeError, "whole numbers, got float64"),
        (np.float64(3), np.int64(1), IGNORE, ValueError, r"logits must be \(..., vocab\), got 3"),
        ("abc", [1], IGNORE, ValueError, "logits must be numbers"),
    ],
)
def test_token_losses_refuse(logits, targets, ignore_class, error, message):
    with pytest.raises(error, match=message):
        token_losses(logits, targets, ignore_class)


# score_tokens


def functional():
    ids = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(7, 3, mask_zero=True)(ids)
    return keras.Model(ids, keras.layers.Dense(7)(keras.layers.GRU(4, return_sequences=True)(x)))


def later():
    """A model that has no weights before it is called."""
    return keras.Sequential([keras.layers.Embedding(7, 3), keras.layers.Dense(7)])


class Own(keras.Model):
    """A reader's model: it knows its vocabulary before it has weights."""

    def __init__(self):
        super().__init__()
        self.vocab_size, self.layer = 7, later()

    def call(self, ids):
        return self.layer(ids)


GPT = dict(vocab_size=7, max_length=9, embed_dim=8, num_heads=2, ff_dim=8, num_layers=1)
MODELS = {
    "recurrent": lambda: RecurrentLM(vocab_size=7, embed_dim=3, units=4),
    "transformer": lambda: TransformerLM(**GPT),
    "functional": functional,
    "not built yet": later,
    "a reader's own": Own,
}


@pytest.mark.parametrize("batch_size", [None, 3, 100])
@pytest.mark.parametrize("name", MODELS)
def test_scores_are_those_of_the_logits(name, batch_size, rng):
    model, (inputs, targets) = MODELS[name](), stories(rng)
    found = score_tokens(model, inputs, targets, batch_size)
    assert found.shape == targets.shape and found.dtype == "float64"
    # Losses near 2 in float32, from logits that were rounded a few times: 6e-8 x 2 x 10.
    expected = token_losses(model(inputs), targets)
    np.testing.assert_allclose(found, expected, atol=1.5e-6)
    assert not found[targets == IGNORE].any()


def test_scores_of_a_plain_function_by_hand():
    def knows_the_alphabet(ids):  # NumPy, which cannot be compiled
        return np.where(np.arange(4) == ids[..., None] + 1, np.log(4.0), 0.0)  # 4 : 1 : 1 : 1

    found = score_tokens(knows_the_alphabet, [[0, 1], [2, 0]], [[1, 3], [0, IGNORE]])
    expected = np.log([[7 / 4, 7], [7, 1]])
    np.testing.assert_allclose(found, expected, atol=1e-6)  # float32 on some backends


def test_scores_follow_the_weights(rng):
    model, (inputs, targets) = small_lm(rng), stories(rng)
    for factor in (1.0, 0.5, -1.0):
        model.set_weights([factor * weight for weight in model.get_weights()])
        expected = token_losses(model(inputs), targets)
        np.testing.assert_allclose(score_tokens(model, inputs, targets), expected, atol=1e-5)


def test_scored_once_compiled_once(rng, monkeypatch):
    traces, compile_function = [], backend.compile_function

    def counting(function, variables):
        def traced(*arguments):
            traces.append(arguments[0].shape)
            return function(*arguments)

        return compile_function(traced, variables)

    monkeypatch.setattr(backend, "compile_function", counting)
    if keras.backend.backend() == "torch":
        pytest.skip("PyTorch compiles nothing here")
    model, (inputs, targets) = small_lm(rng), stories(rng)
    for _ in range(3):
        score_tokens(model, inputs, targets, batch_size=3)  # 3 + 3 + 1 rows
    assert [tuple(shape) for shape in traces] == [(3, 9)]
    score_tokens(model, inputs[:2], targets[:2])
    assert len(traces) == 2


def test_scoring_leaves_nothing_in_a_saved_model(rng, tmp_path):
    model, (inputs, targets) = small_lm(rng), stories(rng)
    expected = score_tokens(model, inputs, targets)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for other in (again, keras.models.clone_model(model)):
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(score_tokens(other, inputs, targets), expected)
    assert len(again.weights) == len(model.weights)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_added_up_in_float32(dtype):
    def even(ids):
        return ops.zeros((*ids.shape, 40_000), dtype)

    # In bfloat16 the sum of 40,000 ones stops at 256, in float16 nothing is above 65,504.
    found = score_tokens(even, [[1, 2]], [[2, 3]])
    np.testing.assert_allclose(found, np.log(40_000), rtol=1e-6)


def test_scores_of_the_impossible():
    def certain(ids):
        return np.where(np.arange(3) == 1, 0.0, -np.inf) + 0.0 * ids[..., None]

    found = score_tokens(certain, [[0, 0, 0]], [[1, 2, IGNORE]])
    assert found.tolist() == [[0, np.inf, 0]]

    def broken(ids):
        return np.full((*ids.shape, 3), np.nan)

    found = score_tokens(broken, [[0, 0]], [[1, IGNORE]])
    assert np.isnan(found[0, 0]) and found[0, 1] == 0


@pytest.mark.parametrize(("limit", "rows"), [(2**25, 7), (7 * 9 * 2, 2), (1, 1)])
def test_slices_hold_as_many_logits_as_allowed(limit, rows, rng, monkeypatch):
    monkeypatch.setattr(losses, "LOGITS", limit)
    seen, (inputs, targets) = [], stories(rng)

    def even(ids):
        seen.append(ids.shape)
        return np.zeros((*ids.shape, 7))

    found = score_tokens(even, inputs, targets)
    assert seen[1:] == [(rows, 9)] * -(-7 // rows)  # the first call counts the vocabulary
    np.testing.assert_allclose(found[targets != IGNORE], np.log(7), rtol=1e-6)


MEMORY = """
import resource, sys
import keras, numpy as np
from lmkit.metrics import score_tokens

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # MiB on Linux

V = 50_257
model = keras.Sequential([keras.layers.Embedding(V, 2), keras.layers.Dense(V)])
ids = np.random.default_rng(0).integers(0, V, (6, 512))
score_tokens(model, ids[:1, :2], ids[:1, :2])  # what TensorFlow itself takes
before = peak()
found = score_tokens(model, ids, np.roll(ids, -1))
assert abs(found.mean() - np.log(V)) < 0.1, found.mean()
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is counted in other units there")
def test_all_logits_never_exist_at_once():
    run = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    # All logits are 6 x 512 x 50,257 x 4 bytes = 589 MiB in float32, twice that in float64 or
    # when they are shifted. One row's are 98 MiB; its copies under way take less than 6 of it.
    assert float(run.stdout.splitlines()[-1]) < 580


@pytest.mark.parametrize(
    ("inputs", "targets", "batch_size", "error", "message"),
    [
        ([[1, 2]], [[1]], None, ValueError, r"targets must have shape \(1, 2\), one per position"),
        ([[1, 2]], [[1, 7]], None, ValueError, "id 7 in row 0, column 1 of targets is outside"),
        ([[1, 7]], [[1, 2]], None, ValueError, "id 7 in row 0, column 1 of inputs is outside"),
        ([[1, IGNORE]], [[1, 2]], None, ValueError, "IGNORE belongs in targets, not in inputs"),
        ([1, 2], [1, 2], None, ValueError, r"inputs must be \(batch, time\)"),
        ([[1.0, 2.0]], [[1, 2]], None, TypeError, "inputs must be whole numbers, got float64"),
        ([[1, 2]], [[1, 2]], 0, ValueError, "batch_size must be a whole number of at least 1"),
    ],
)
def test_scores_refuse(inputs, targets, batch_size, error, message):
    with pytest.raises(error, match=message):
        score_tokens(RecurrentLM(vocab_size=7), inputs, targets, batch_size)


# Perplexity and BitsPerCharacter


def test_perplexity_and_bits_by_hand():
    # Two stories of 3 and 1 scored tokens: -log2 p = 1, 2, 3 and 6, twelve bits in all.
    p = [1 / 2, 1 / 4, 1 / 8], [1 / 64, 1 / 2, 1 / 2]
    logits = logits_of([[[0.1, q, 0.9 - q] for q in row] for row in p])
    targets = np.array([[1, 1, 1], [1, IGNORE, IGNORE]])
    assert result_of(Perplexity(), (targets, logits)) == pytest.approx(8, rel=RELATIVE)
    assert result_of(BitsPerCharacter(), (targets, logits)) == pytest.approx(3, rel=RELATIVE)
    # Batch by batch the same: not the mean of the means, 2 and 6.
    rows = [(targets[i : i + 1], logits[i : i + 1]) for i in range(2)]
    assert result_of(BitsPerCharacter(), *rows) == pytest.approx(3, rel=RELATIVE)


def test_perplexity_at_best_worst_and_uniform():
    targets = np.array([[3, 1, 0]])
    certain = np.where(np.eye(5)[targets], 0, -np.inf).astype("float32")
    assert result_of(Perplexity(), (targets, certain)) == 1
    assert result_of(Perplexity(), (targets, np.full((1, 3, 5), -7.0))) == pytest.approx(5)
    for metric in (Perplexity(), BitsPerCharacter()):
        assert result_of(metric, (targets, np.roll(certain, 1, axis=-1))) == np.inf
    wrong = np.where(np.eye(5)[targets], -200.0, 0.0)  # e to 200 is beyond float32
    assert result_of(Perplexity(), (targets, wrong)) == np.inf


@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_left_out_cannot_matter(rng):
    logits = rng.normal(size=(3, 5, 7)).astype("float32")
    targets, weights = rng.integers(0, 7, size=(3, 5)), np.ones((3, 5), "float32")
    targets[0, 3:], weights[1, 2:] = IGNORE, 0
    keep = (targets != IGNORE) & (weights != 0)
    expected = reference(logits, targets, keep)
    for bad in (0.0, 1e4, -np.inf, np.nan):
        logits[~keep] = bad
        perplexity = result_of(Perplexity(), (targets, logits, weights))
        assert perplexity == pytest.approx(np.exp(expected), rel=RELATIVE)
        bits = result_of(BitsPerCharacter(), (targets, logits, weights))
        assert bits == pytest.approx(expected / np.log(2), rel=RELATIVE)
    targets[1, 2:] = 99  # no class, but its weight is 0
    assert result_of(Perplexity(), (targets, logits, weights)) == pytest.approx(
        np.exp(expected), rel=RELATIVE
    )


def test_keras_mask_is_kept(rng):
    # Padding on the left: Keras's mask drops the position whose input is padding, though
    # its target is a word. Keras's loss does not count it either.
    model = functional()
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    ids = rng.integers(1, 7, size=(4, 9))
    ids[2, :3] = 0
    inputs, targets = ids[:, :-1], ids[:, 1:].copy()
    targets[1, 5:] = IGNORE
    model.compile("sgd", lm_loss(), metrics=[Perplexity(), BitsPerCharacter()])
    logs = model.evaluate(inputs, targets, batch_size=4, verbose=0, return_dict=True)
    keep = (inputs != 0) & (targets != IGNORE)
    expected = reference(model.predict(inputs, verbose=0), targets, keep)
    assert logs["perplexity"] == pytest.approx(np.exp(expected), rel=RELATIVE)
    assert logs["bits_per_character"] == pytest.approx(expected / np.log(2), rel=RELATIVE)
    assert logs["loss"] == pytest.approx(expected, rel=RELATIVE)


def test_every_token_counts_once_over_batches_of_unequal_size(rng):
    model, (inputs, targets) = small_lm(rng), stories(rng)
    model.compile("sgd", lm_loss(), metrics=[Perplexity()])
    expected = reference(model.predict(inputs, verbose=0), targets, targets != IGNORE)
    for size in (1, 2, 7):
        logs = model.evaluate(inputs, targets, size, verbose=0, return_dict=True)
        assert logs["perplexity"] == pytest.approx(np.exp(expected), rel=RELATIVE)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(
    ("target", "ignore_class", "finite"),
    [(IGNORE, IGNORE, True), (7, IGNORE, False), (-2, IGNORE, False), (IGNORE, None, False)],
)
def test_no_class_is_nan_on_every_path(target, ignore_class, finite, jit_compile, rng):
    model, (inputs, targets) = later(), stories(rng)  # XLA compiles a GRU for seconds
    model.build(inputs.shape)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    targets = np.where(targets == IGNORE, 1, targets)
    targets[2, 3] = target
    both = [Perplexity(ignore_class), BitsPerCharacter(ignore_class)]
    # The loss takes what is no class, so that the metrics alone are asked.
    any_loss = lambda y, z: ops.mean(z, axis=(1, 2))  # noqa: E731
    model.compile("sgd", any_loss, metrics=both, jit_compile=jit_compile)
    logs = model.evaluate(inputs, targets, batch_size=4, verbose=0, return_dict=True)
    results = [logs["perplexity"], logs["bits_per_character"]]
    results += [result_of(metric.from_config(metric.get_config()), (targets, model(inputs)))
                for metric in both]  # fmt: skip
    assert np.isfinite(results).tolist() == [finite] * 4
    if finite:
        expected = reference(model.predict(inputs, verbose=0), targets, targets != ignore_class)
        assert results == pytest.approx([np.exp(expected), expected / np.log(2)] * 2, rel=RELATIVE)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "float32"])
def test_targets_of_other_types(dtype):
    # 300 logits: more than 8 bits can count. In uint8 255 is an id, not IGNORE.
    logits = np.zeros((1, 2, 300), "float32")
    assert result_of(Perplexity(), (np.array([[3, 100]], dtype), logits)) == pytest.approx(300)
    if dtype == "uint8":
        logits[:, :, 255] = np.log(301.0)  # p = 301 / 600
        found = result_of(Perplexity(), (np.array([[255, 255]], dtype), logits))
        assert found == pytest.approx(600 / 301, rel=RELATIVE)


def test_weights_of_rows_and_of_positions(rng):
    logits, targets = rng.normal(size=(2, 2, 5)), rng.integers(0, 5, size=(2, 2))
    found = token_losses(logits, targets)
    by_row = result_of(BitsPerCharacter(), (targets, logits, np.array([3.0, 1.0])))
    expected = (3 * found[0] + found[1]).sum() / 8 / np.log(2)
    assert by_row == pytest.approx(expected, rel=RELATIVE)
    weights = np.array([[3.0, 1.0], [0.0, 2.0]])
    by_position = result_of(BitsPerCharacter(), (targets, logits, weights))
    assert by_position == pytest.approx((weights * found).sum() / 6 / np.log(2), rel=RELATIVE)


def test_weights_in_compiled_training(rng):
    model, ids = small_lm(rng), rng.integers(0, 7, size=(4, 6))
    model.compile(keras.optimizers.SGD(0.0), lm_loss(), weighted_metrics=[Perplexity()])
    # One for every token: on PyTorch Keras multiplies them with the mask in place.
    weights = np.repeat([[1.0], [1.0], [0.0], [0.0]], 5, axis=1)
    data = dict(x=ids[:, :-1], y=ids[:, 1:], sample_weight=weights, batch_size=4)
    before = reference(model.predict(ids[:2, :-1], verbose=0), ids[:2, 1:], np.ones((2, 5)))
    history = model.fit(**data, verbose=0).history
    assert history["perplexity"][0] == pytest.approx(np.exp(before), rel=RELATIVE)


@BOTH
def test_a_batch_without_a_token_changes_nothing(kind, rng):
    logits, targets = rng.normal(size=(2, 3, 5)), rng.integers(0, 5, size=(2, 3))
    nothing = np.full((2, 3), IGNORE), logits
    assert result_of(kind()) == result_of(kind(), nothing) == 0  # documented, never NaN
    alone = result_of(kind(), (targets, logits))
    assert result_of(kind(), nothing, (targets, logits), nothing) == alone
    assert result_of(kind(), (targets, logits, np.zeros((2, 3)))) == 0


def test_one_target_per_window(rng):
    # A model with one prediction per window has no time axis.
    logits, targets = rng.normal(size=(6, 5)), rng.integers(0, 5, size=6)
    expected = np.exp(reference(logits, targets, np.ones(6)))
    for shape in ((6,), (6, 1)):
        actual = result_of(Perplexity(), (targets.reshape(shape), logits))
        assert actual == pytest.approx(expected, rel=RELATIVE)


def test_half_precision_logits(rng):
    logits = ops.cast(rng.normal(size=(2, 3, 5)), "bfloat16")
    targets = rng.integers(0, 5, size=(2, 3))
    expected = token_losses(logits, targets).mean()
    actual = result_of(BitsPerCharacter(), (targets, logits))
    assert actual == pytest.approx(expected / np.log(2), rel=RELATIVE)


@BOTH
def test_metrics_are_reset_and_built_again(kind, rng, tmp_path):
    logits, targets = rng.normal(size=(2, 3, 5)), rng.integers(0, 5, size=(2, 3))
    metric = kind.from_config(kind(ignore_class=3, name="mine").get_config())
    assert (metric.name, metric.ignore_class) == ("mine", 3)
    first = result_of(metric, (targets, logits))
    metric.reset_state()
    assert result_of(metric, (targets, logits)) == first
    model = small_lm(rng)
    model.compile("sgd", "mse", metrics=[kind()])
    model.save(tmp_path / "model.keras")
    keras.models.load_model(tmp_path / "model.keras")


def test_targets_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"targets \(2, 4\) do not fit logits \(2, 3, 5\)"):
        Perplexity().update_state(np.ones((2, 4), int), ops.zeros((2, 3, 5)))
    with pytest.raises(ValueError, match=r"weights \(3,\) do not fit logits \(2, 3, 5\)"):
        Perplexity().update_state(np.ones((2, 3), int), ops.zeros((2, 3, 5)), np.ones(3))
