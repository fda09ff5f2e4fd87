"""lmkit.training: the loss by hand, the schedule by hand, a run clipped to norm 1."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.batches import IGNORE
from lmkit.models import RecurrentLM
from lmkit.training import lm_loss, warmup_cosine


def test_the_loss_is_the_mean_over_scored_targets():
    logits = np.log([[[0.5, 0.25, 0.25], [0.2, 0.2, 0.6], [0.9, 0.05, 0.05]]])
    targets = np.array([[0, IGNORE, 2]])
    expected = -(np.log(0.5) + np.log(0.05)) / 2
    assert float(lm_loss()(targets, logits)) == pytest.approx(expected, abs=1e-6)
    # Adding a constant to all logits changes no probability: they are logits.
    assert float(lm_loss()(targets, logits + 5)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("compiled", [True, False])
def test_what_is_ignored_is_neither_scored_nor_learned(compiled, rng):
    keras.utils.set_random_seed(0)
    model, ids = RecurrentLM(vocab_size=9, embed_dim=4, units=5), rng.integers(0, 9, (4, 6))
    targets = rng.integers(0, 9, (4, 6))
    targets[0, 3:] = targets[2, 5:] = IGNORE
    logits = ops.convert_to_numpy(model(ids)).astype("float64")
    logp = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    losses = -np.take_along_axis(logp, np.maximum(targets, 0)[..., None], axis=-1)[..., 0]
    model.compile(keras.optimizers.SGD(0.0), lm_loss(), jit_compile=compiled)
    loss = model.fit(ids, targets, verbose=0).history["loss"][0]
    # The mean of twenty float32 numbers of size 2.2.
    assert loss == pytest.approx(losses[targets != IGNORE].mean(), rel=1e-5)


def rates(schedule, steps):
    return [float(schedule(step)) for step in steps]


def test_the_learning_rate_rises_and_falls_as_said():
    # Half way up; the top; half way down the cosine; the end.
    found = rates(warmup_cosine(0.4, 300, warmup=100), [0, 50, 100, 200, 300])
    assert found == pytest.approx([0.0, 0.2, 0.4, 0.2, 0.0], abs=1e-6)


def test_a_minimum_is_where_the_rate_ends_and_stays():
    schedule = warmup_cosine(0.4, 300, warmup=100, minimum=0.1)
    # Half way down from 0.4 to 0.1 is 0.25.
    found = rates(schedule, [0, 100, 200, 300, 400])
    assert found == pytest.approx([0.0, 0.4, 0.25, 0.1, 0.1], abs=1e-6)


@pytest.mark.parametrize(
    ("steps", "warmup"), [(1, 0), (5, 0), (10, 1), (100, 10), (999, 99), (1000, 100), (10**6, 100)]
)
def test_warmup_is_a_tenth_and_at_most_a_hundred(steps, warmup):
    schedule = warmup_cosine(1.0, steps)
    assert rates(schedule, [warmup]) == pytest.approx([1.0], abs=1e-6)
    if warmup:
        # The first step does not move anything, the next ones rise in a line.
        assert rates(schedule, [0, 1]) == pytest.approx([0.0, 1 / warmup], abs=1e-6)
    assert rates(schedule, [steps]) == pytest.approx([0.0], abs=1e-6)


def test_without_warmup_it_begins_at_the_top():
    schedule = warmup_cosine(0.4, 100, warmup=0)
    assert rates(schedule, [0, 50, 100]) == pytest.approx([0.4, 0.2, 0.0], abs=1e-6)


def test_the_schedule_is_saved_with_the_optimizer():
    optimizer = keras.optimizers.Adam(warmup_cosine(0.4, 300, minimum=0.1))
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    before, after = (each._learning_rate for each in (optimizer, again))
    assert rates(after, [0, 7, 30, 200]) == rates(before, [0, 7, 30, 200])


def test_global_clipnorm_clips_all_gradients_together():
    # As the chapters compile: three arrays of norm 10 each have the norm 10 sqrt(3) together,
    # and 1 after clipping. Keras's clipnorm would leave each its own 1, sqrt(3) together.
    variables = [keras.Variable(np.zeros(4)) for _ in range(3)]
    optimizer = keras.optimizers.SGD(1.0, global_clipnorm=1.0)
    optimizer.apply([ops.full((4,), 5.0)] * 3, variables)
    moved = np.concatenate([ops.convert_to_numpy(variable.value) for variable in variables])
    assert np.linalg.norm(moved) == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 100), "peak must be above 0, got 0.0"),
        ((float("nan"), 100), "peak must be a finite number"),
        ((0.1, 0), "steps must be a whole number of at least 1, got 0"),
        ((0.1, 100, 100), "warmup must be a whole number of at least 0 and at most 99, got 100"),
        ((0.1, 100, -1), "warmup must be a whole number of at least 0"),
        ((0.1, 100, 10, 0.2), "minimum must be at least 0 and at most 0.1, got 0.2"),
        ((0.1, 100, 10, -1), "minimum must be at least 0"),
    ],
)
def test_runs_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        warmup_cosine(*arguments)
