"""What both language models share: steps, precision, int8, saving, refusals."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.backend import compile_function
from lmkit.checks import assert_causal, assert_close
from lmkit.models import RecurrentLM, TransformerLM
from lmkit.training import lm_loss

SIZES = {
    "transformer": dict(max_length=10, embed_dim=8, num_heads=2, ff_dim=12, num_layers=2),
    "lstm": dict(embed_dim=5, units=6),
    "gru": dict(embed_dim=5, units=6, cell="gru"),
    "simple": dict(embed_dim=5, units=6, cell="simple"),
}
KINDS = list(SIZES)
# Sums of a dozen products of size 1 in float32, ten of them after each other: 10 x 12 x 6e-8.
TOLERANCE = 1e-5


def make(kind, **arguments):
    model = TransformerLM if kind == "transformer" else RecurrentLM
    return model(vocab_size=11, **SIZES[kind], **arguments)


def randomized(model, rng):
    model.set_weights([rng.normal(size=w.shape) * 0.3 for w in model.get_weights()])
    return model


def numpy(x):
    return ops.convert_to_numpy(ops.cast(x, "float32")).astype("float64")


def dtypes(values):
    return {keras.backend.standardize_dtype(value.dtype) for value in values}


def in_steps(step, state, ids, pieces):
    """The logits of `ids`, read in pieces."""
    found, at = [], 0
    for new in pieces:
        logits, state = step(ids[:, at : at + new], state)
        found.append(numpy(logits))
        at += new
    return np.concatenate(found, axis=1)


PIECES = [[1] * 9, [4, 1, 1, 3], [9]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pieces", PIECES, ids=str)
def test_steps_are_the_call(kind, pieces, rng):
    model, ids = randomized(make(kind), rng), rng.integers(0, 11, (3, 9)).astype("int32")
    assert_close(in_steps(model.step, model.start(3, 10), ids, pieces), model(ids), TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pieces", PIECES, ids=str)
def test_padded_rows_are_the_rows_alone(kind, pieces, rng):
    model, ids = randomized(make(kind), rng), rng.integers(0, 11, (4, 9)).astype("int32")
    padding = np.array([0, 1, 5, 8], "int32")
    found = in_steps(model.step, model.start(4, 9, padding), ids, pieces)
    assert np.isfinite(found).all()  # what stands in the padding is nobody's, but no NaN
    for row, (line, gap) in enumerate(zip(ids, padding, strict=True)):
        assert_close(found[row, gap:], model(line[None, gap:])[0], TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
def test_compiled_steps_are_the_call(kind, rng):
    model, ids = randomized(make(kind), rng), rng.integers(0, 11, (2, 9)).astype("int32")
    step = compile_function(model.step, model.variables)
    found = in_steps(step, model.start(2, 10), ids, [4, 1, 1, 3])
    assert_close(found, model(ids), TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
def test_state_has_the_batch_first_and_scalars_for_all(kind):
    state = make(kind).start(3, 7)
    assert all(tuple(part.shape) == () or part.shape[0] == 3 for part in keras.tree.flatten(state))
    assert int(state["read"]) == 0
    assert numpy(state["padding"]).tolist() == [0, 0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_no_later_id_changes_what_was_said_before(kind, rng):
    assert_causal(randomized(make(kind), rng), rng.integers(0, 11, (3, 8)))


@pytest.mark.parametrize("kind", KINDS)
def test_padding_on_the_right_changes_nothing(kind, rng):
    model, ids = randomized(make(kind), rng), rng.integers(1, 11, (3, 6))
    assert_close(numpy(model(np.pad(ids, ((0, 0), (0, 4)))))[:, :6], model(ids), TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", ["argument", "global"])
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_call_and_step_have_the_named_precision(kind, place, policy, rng):
    before, dtype = keras.config.dtype_policy(), policy.removeprefix("mixed_")
    keras.config.set_dtype_policy(policy if place == "global" else before)
    try:
        model = make(kind) if place == "global" else make(kind, dtype=policy)
    finally:
        keras.config.set_dtype_policy(before)
    randomized(model, rng)
    exact = make(kind)
    exact.set_weights(model.get_weights())
    ids = rng.integers(0, 11, (2, 9)).astype("int32")
    padding = np.array([0, 3], "int32")
    logits, state = model.step(ids[:, :8], model.start(2, 9, padding))
    last, state = model.step(ids[:, 8:], state)
    floats = [part for part in keras.tree.flatten(state) if "float" in str(part.dtype)]
    assert dtypes([model(ids), logits, last, *floats]) == {dtype}
    assert dtypes(model.weights) == {"float32"}
    # Some thirty roundings of numbers of size 1, of 11 or 8 bits, of which most cancel.
    tolerance = 8 * {"float16": 2**-11, "bfloat16": 2**-8}[dtype]
    assert_close(numpy(model(ids)), exact(ids), tolerance)
    assert_close(numpy(last)[:1, 0], numpy(exact(ids))[:1, 8], tolerance)
    assert_close(numpy(last)[1:, 0], numpy(exact(ids[1:, 3:]))[:, 5], tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_floatx_float64(kind, rng, float64):
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        model, ids = randomized(make(kind), rng), rng.integers(0, 11, (2, 9)).astype("int32")
        logits = in_steps(model.step, model.start(2, 9), ids, [4, 1, 4])
        assert dtypes([model(ids), *model.weights]) == {"float64"}
        assert_close(logits, model(ids), 1e-6)  # `numpy` here has 24 bits
    finally:
        keras.config.set_floatx(before)
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("kind", KINDS)
def test_int8_rounds_and_no_more(kind, rng, tmp_path):
    model, ids = randomized(make(kind), rng), rng.integers(0, 11, (3, 9)).astype("int32")
    exact = numpy(model(ids))
    model.quantize("int8")
    logits = numpy(model(ids))
    # Rounding moves each factor of a product by at most 1/254 of the largest in its row. With a
    # dozen terms of both signs that is about 1 % of the product; ten products stand after each
    # other (table, four per block, table). Reading the table raw was off by a factor of 3,000.
    assert np.abs(logits - exact).max() < 0.1 * np.abs(exact).max()
    assert np.abs(logits - exact).max() > 1e-5  # something was rounded
    # A number between two roundings can fall to either side: one step of 1/127.
    steps = in_steps(model.step, model.start(3, 9), ids, [4, 1, 4])
    assert np.abs(steps - logits).max() < np.abs(exact).max() / 100
    for _ in range(2):  # what was loaded can be saved and loaded, too
        model.save(tmp_path / "model.keras")
        model = keras.models.load_model(tmp_path / "model.keras")
        np.testing.assert_array_equal(numpy(model(ids)), logits)
        assert dtypes(model.weights) == {"int8", "float32"}
    assert dtypes(keras.models.clone_model(model).weights) == {"int8", "float32"}


def test_int8_by_the_rounding_of_its_parts(rng):
    model, ids = randomized(make("lstm"), rng), rng.integers(0, 11, (3, 9))
    exact = numpy(model(ids))
    table, W = model.embedding.get_weights()[0], model.head.get_weights()[0]
    rounded = make("lstm")  # the same with the table rounded by hand, as 127 steps per row
    step = np.abs(table).max(axis=1, keepdims=True) / 127
    rounded.set_weights([np.round(table / step) * step, *model.get_weights()[1:]])
    before, after = (numpy(m.recurrent(m.embedding(ids))[0]) for m in (model, rounded))
    model.quantize("int8")
    # logits = h W: |dh| |W| from the table, then half a step of h and half a step of W.
    dh = np.abs(after - before).max() + np.abs(after).max(axis=-1, keepdims=True) / 254
    dw = np.abs(W).max(axis=0) / 254
    allowed = np.abs(before).sum(-1, keepdims=True) * dw + np.abs(W).sum(0) * dh + 6 * dw * dh
    assert (np.abs(numpy(model(ids)) - exact) <= allowed + 1e-6).all()


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded_says_the_same(kind, rng, tmp_path):
    model, ids = randomized(make(kind, dropout=0.1), rng), rng.integers(0, 11, (3, 6))
    model.compile("adam", lm_loss())
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numpy(again(ids)), numpy(model(ids)))
    assert again.get_config() == model.get_config()
    assert again.loss.ignore_class == -1
    model.save_weights(tmp_path / "model.weights.h5")
    fresh = make(kind)
    fresh.load_weights(tmp_path / "model.weights.h5")  # before any call
    np.testing.assert_array_equal(numpy(fresh(ids)), numpy(model(ids)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_read_under_another_policy(kind, rng, tmp_path):
    model, ids = randomized(make(kind, dtype="mixed_float16"), rng), rng.integers(0, 11, (3, 6))
    model.save(tmp_path / "model.keras")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        again = keras.models.load_model(tmp_path / "model.keras")
    finally:
        keras.config.set_dtype_policy(before)
    assert dtypes([again(ids)]) == {"float16"}
    np.testing.assert_array_equal(numpy(again(ids)), numpy(model(ids)))


@pytest.mark.parametrize("kind", KINDS)
def test_clones_have_the_same_configuration_and_weights_of_their_own(kind, rng):
    model = randomized(make(kind), rng)
    clone = keras.models.clone_model(model)
    assert type(clone) is type(model)
    assert clone.get_config() == model.get_config()
    clone.set_weights([0 * w for w in clone.get_weights()])
    assert np.abs(model.get_weights()[0]).max() > 0


LOAD = "import keras; m = keras.models.load_model({path!r}); print(type(m).__name__, m.vocab_size)"
ORDERS = [
    "import lmkit; ",
    "import keras; import lmkit; ",
    "from lmkit.layers.attention import attend; ",  # Keras is imported in the middle of lmkit
]


def test_files_can_be_read_after_any_import_of_lmkit(tmp_path):
    # One process per order, all at once: most of each is the import of Keras.
    paths = [str(tmp_path / f"{kind}.keras") for kind in ("transformer", "lstm")]
    for path, kind in zip(paths, ("transformer", "lstm"), strict=True):
        make(kind).save(path)
    loads = "; ".join(LOAD.format(path=path) for path in paths)
    root = str(pathlib.Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, *sys.path])}
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", order + loads], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for order in ORDERS
    ]  # fmt: skip
    for order, run in zip(ORDERS, runs, strict=True):
        output, errors = run.communicate(timeout=300)
        assert output.split() == ["TransformerLM", "11", "RecurrentLM", "11"], order + errors


@pytest.mark.parametrize("kind", ["transformer", "lstm"])
def test_files_of_another_format_say_so(kind):
    config = make(kind).get_config()
    del config["format"]  # as lmkit 0.1 wrote it
    with pytest.raises(ValueError, match=r"was saved by an older lmkit .*train the model again"):
        type(make(kind)).from_config(config)
    with pytest.raises(ValueError, match=r"was saved by a newer lmkit .*file format 99"):
        type(make(kind)).from_config({**config, "format": 99})


def test_old_file_of_lmkit_0_1_says_so():
    # What `TransformerLM.get_config` of lmkit 0.1 held, as Keras wraps it in a file.
    config = {
        "module": "lmkit.models", "class_name": "TransformerLM",
        "registered_name": "lmkit>TransformerLM",
        "config": {"vocab_size": 11, "max_length": 10, "embed_dim": 8, "num_heads": 2,
                   "ff_dim": 12, "num_layers": 2, "dropout": 0.0, "causal": True},
    }  # fmt: skip
    with pytest.raises(ValueError, match="this TransformerLM was saved by an older lmkit"):
        keras.saving.deserialize_keras_object(config)


@pytest.mark.parametrize("kind", ["transformer", "lstm"])
@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ([1, 2, 3], TypeError, "ids must be an array .*got list"),
        ([[1, 2, 3]], TypeError, "ids must be an array .*got list"),
        (None, TypeError, "got NoneType"),
        ("abc", TypeError, "got str"),
        (np.ones(3, int), ValueError, r"ids must be \(batch, time\), got shape \(3,\)"),
        (np.ones((1, 2, 3), int), ValueError, r"got shape \(1, 2, 3\)"),
    ],
)
def test_after_wrong_ids_the_next_try_works(kind, wrong, error, message):
    model = make(kind)
    with pytest.raises(error, match=message):
        model(wrong)
    assert model(np.ones((2, 3), int)).shape == (2, 3, 11)


@pytest.mark.parametrize("kind", ["transformer", "lstm"])
def test_steps_that_are_refused(kind):
    model = make(kind)
    for wrong in (0, -1, 2.0, None):
        with pytest.raises(ValueError, match="batch must be a whole number of at least 1"):
            model.start(wrong, 5)
        with pytest.raises(ValueError, match="length must be a whole number of at least 1"):
            model.start(2, wrong)
    with pytest.raises(ValueError, match=r"padding must be \(2,\), one number per text, got \(3,"):
        model.start(2, 5, np.zeros(3, "int32"))
    with pytest.raises(ValueError, match=r"ids must be \(batch, time\), got shape \(2,\)"):
        model.step(np.ones(2, "int32"), model.start(2, 5))


@pytest.mark.parametrize("kind", ["transformer", "lstm"])
@pytest.mark.parametrize("compiled", [True, False])
def test_an_id_outside_the_vocabulary_makes_the_loss_nan(kind, compiled, rng):
    model, ids = make(kind), rng.integers(0, 11, (4, 6))
    ids[1, 2] = 99
    model.compile("adam", lm_loss(), jit_compile=compiled)
    assert np.isnan(model.fit(ids, ids % 11, verbose=0).history["loss"][0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", [99, 11, -1])
def test_an_id_outside_spoils_what_follows_it_and_no_other_row(kind, wrong, rng):
    model, ids = make(kind), rng.integers(0, 11, (2, 6)).astype("int32")
    ids[1, 2] = wrong
    for logits in (model(ids), model.step(ids, model.start(2, 6))[0]):
        spoiled = np.isnan(numpy(logits)).any(axis=-1)
        # Attention spoils earlier positions as well: 0 times NaN is NaN.
        assert spoiled[1, 2:].all()
        assert not spoiled[0].any()


@pytest.mark.parametrize("kind", KINDS)
def test_summary_knows_all_shapes(kind):
    lines = []
    make(kind).summary(print_fn=lambda line, **_: lines.append(line))
    text = "\n".join(lines)
    assert "?" not in text
    assert "unbuilt" not in text
    assert f"{make(kind).count_params():,}" in text


@pytest.mark.parametrize("kind", ["transformer", "lstm"])
def test_a_readers_subclass_may_have_layers_of_its_own(kind, rng):
    parent = type(make(kind))

    class Mine(parent):
        """Logits that are scaled by a learned number."""

        def __init__(self, **sizes):
            super().__init__(**sizes)
            self.scale = keras.layers.Dense(1, use_bias=False)

        def call(self, ids, training=None):
            logits = super().call(ids, training)
            return logits * self.scale(ops.ones((1, 1), logits.dtype))

    model, ids = Mine(vocab_size=11, **SIZES[kind]), rng.integers(0, 11, (4, 6))
    model.compile(keras.optimizers.Adam(0.01), lm_loss(), jit_compile=False)
    losses = model.fit(ids, ids, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
