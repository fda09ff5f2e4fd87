"""lmkit.callbacks: the lines by hand, against Keras's history, inside long epochs."""

import re

import keras
import numpy as np
import pytest

from lmkit import stories
from lmkit.batches import IGNORE, next_tokens
from lmkit.callbacks import EpochReport, GapToFloor, TextSample
from lmkit.metrics import token_losses
from lmkit.models import RecurrentLM
from lmkit.training import lm_loss


def fit(callback, epochs=2, batches=4, **kwargs):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((batches, 1), dtype="float32")
    data = dict(validation_data=(x, x), batch_size=1, verbose=0, epochs=epochs)
    callbacks = callback if isinstance(callback, list) else [callback]
    return model.fit(x, x, callbacks=callbacks, **{**data, **kwargs})


class Clock:
    """A clock that a test moves on."""

    def __init__(self, now=0.0):
        self.now = now

    def __call__(self):
        return self.now


def epoch_of(report, clock, epoch, seconds=3.0, steps=2, logs=None):
    """One epoch, a part of its seconds for every step and one for what comes after."""
    report.on_epoch_begin(epoch)
    for step in range(steps):
        clock.now += seconds / (steps + 1)
        report.on_train_batch_end(step)
    clock.now += seconds / (steps + 1)
    report.on_epoch_end(epoch, logs or {"loss": 0.5, "accuracy": 0.75})


def test_lines_by_hand(capsys):
    clock = Clock(now=1e6)
    report = EpochReport(clock=clock)
    report.set_params({"epochs": 3, "steps": 2})
    report.on_train_begin()
    clock.now += 100  # what lies before an epoch is not its time
    for epoch in range(3):
        epoch_of(report, clock, epoch)
    assert capsys.readouterr().out.splitlines() == [
        "epoch 1/3 .......... loss 0.5000  accuracy 0.7500  3.0 s, 6 s left",
        "epoch 2/3 .......... loss 0.5000  accuracy 0.7500  3.0 s, 3 s left",
        "epoch 3/3 .......... loss 0.5000  accuracy 0.7500  3.0 s",
    ]


def numbers_of(callback):
    """What a checkpoint can keep of a callback: its numbers, not its functions."""
    return {name: value for name, value in vars(callback).items() if type(value) in (int, float)}


@pytest.mark.parametrize("now", [0.0, 1e9])
def test_going_on_in_another_process(capsys, now):
    clock = Clock(now=500.0)
    first = EpochReport(clock=clock)
    first.set_params({"epochs": 4, "steps": 10})
    first.on_train_begin()
    epoch_of(first, clock, 0, seconds=10.0, steps=10)
    first.on_epoch_begin(1)
    for step in range(4):  # killed after four seconds of the second epoch
        clock.now += 1
        first.on_train_batch_end(step)
    capsys.readouterr()

    clock = Clock(now)  # another process: its clock starts anywhere
    second = EpochReport(clock=clock)
    second.set_params({"epochs": 4, "steps": 10})
    second.on_train_begin()
    clock.now += 60  # loading
    second.on_epoch_begin(1)
    vars(second).update(numbers_of(first))
    for step in range(4, 10):
        clock.now += 1
        second.on_train_batch_end(step)
    clock.now += 2
    second.on_epoch_end(1, {"loss": 0.5})
    # 4 s before, 6 + 2 s after; the mean of 10 and 12 s, twice; four of ten dots were printed.
    assert capsys.readouterr().out == "epoch 2/4 ...... loss 0.5000  12.0 s, 22 s left\n"


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0.5, "0.5000"),
        (np.float32(0.5), "0.5000"),
        (3, "3.0000"),
        (float("nan"), "nan"),
        (np.array([0.5, 1.0]), "[0.5000, 1.0000]"),
        (keras.ops.convert_to_tensor([0.5, 1.0]), "[0.5000, 1.0000]"),
        ([], "[]"),
        ("still warming up", "still warming up"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_whatever_a_metric_says_is_printed(capsys, value, printed):
    clock = Clock()
    report = EpochReport(clock)
    report.set_params({"epochs": 1, "steps": 2})
    report.on_train_begin()
    epoch_of(report, clock, 0, logs={"found": value})
    assert f" found {printed}  3.0 s" in capsys.readouterr().out


def test_a_metric_that_is_an_array_in_fit(capsys):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, "softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=[keras.metrics.F1Score()])
    x = np.ones((4, 1), dtype="float32")
    model.fit(x, np.eye(2)[[0, 1, 0, 1]], epochs=2, verbose=0, callbacks=[EpochReport()])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert re.search(r" f1_score \[\d\.\d{4}, \d\.\d{4}\]  loss ", line)


def test_says_what_keras_stored(capsys):
    history = fit(EpochReport()).history
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    for epoch, line in enumerate(lines):
        for name in ("loss", "val_loss"):
            assert f" {name} {history[name][epoch]:.4f} " in line


@pytest.mark.parametrize("batches", [1, 3, 7, 10, 25])
def test_ten_dots_whatever_the_number_of_steps(capsys, batches):
    fit(EpochReport(), batches=batches)
    assert [line.count("....") for line in capsys.readouterr().out.splitlines()] == [2, 2]
    fit(EpochReport(), batches=batches)
    for line in capsys.readouterr().out.splitlines():
        assert re.search(r" (\.+) ", line).group(1) == "." * 10


def test_dots_come_while_the_epoch_runs(capsys):
    report = EpochReport()
    report.set_params({"epochs": 1, "steps": 4})
    report.on_train_begin()
    report.on_epoch_begin(0)
    seen = []
    for batch in range(4):
        report.on_train_batch_end(batch)
        seen.append(capsys.readouterr().out.count("."))
    assert seen == [2, 3, 2, 3]


def test_no_control_characters(capsys):
    fit(EpochReport())
    assert not re.search(r"[^\n\x20-\x7e]", capsys.readouterr().out)


def test_going_on_counts_only_its_own_epochs(capsys):
    clock = Clock()

    class Slow(keras.callbacks.Callback):
        seconds = 100.0

        def on_epoch_end(self, epoch, logs=None):
            clock.now += self.seconds

    slow, report = Slow(), EpochReport(clock=clock)
    fit([slow, report], epochs=2)
    capsys.readouterr()
    slow.seconds = 2.0  # another training run is as fast as it is
    fit([slow, report], epochs=4, initial_epoch=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("epoch 3/4 ")
    assert lines[0].endswith("2.0 s, 2 s left")
    assert lines[1].endswith("2.0 s")


def test_generator_of_unknown_length(capsys):
    def batches():
        for _ in range(3):
            yield np.ones((1, 1)), np.ones((1, 1))

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(batches(), epochs=1, verbose=0, callbacks=[EpochReport()])
    assert re.fullmatch(r"epoch 1/1  loss \d\.\d{4}  [\d.]+ s\n", capsys.readouterr().out)


class Knowing(keras.Model):
    """Says the same logits at every position."""

    def __init__(self, logits):
        super().__init__()
        self.logits = keras.ops.convert_to_tensor(logits, dtype="float32")

    def call(self, ids):
        return keras.ops.zeros((*keras.ops.shape(ids), 1)) + self.logits


def gap_of(model, *args, **kwargs):
    callback, logs = GapToFloor(*args, **kwargs), {}
    callback.set_model(model)
    callback.on_epoch_end(0, logs)
    return logs["val_gap"]


def test_gap_by_hand():
    # p = 1/2, 1/4, 1/4 for ids 1, 2, 3. Scored are 2 1 and 1: 2 + 1 + 1 bits for 3 tokens.
    model = Knowing(np.log([1e-30, 2, 1, 1]))
    inputs, targets = next_tokens([[3, 2, 1], [3, 1]])
    for size in (None, 1, 2, 256):  # the number of rows at once does not matter
        gap = gap_of(model, inputs, targets, floor=0.25, batch_size=size)
        assert gap == pytest.approx(4 / 3 * np.log(2) - 0.25, abs=1e-6)


def test_gap_of_the_impossible_is_infinite():
    assert gap_of(Knowing([0.0, 0.0, -np.inf]), [[1]], [[2]], 0.0) == np.inf


def test_gap_of_a_broken_model_is_said(capsys):
    assert np.isnan(gap_of(Knowing([0.0, 0.0, np.nan]), [[1]], [[2]], 0.0))
    report, clock = EpochReport(), Clock()
    report.set_params({"epochs": 1, "steps": 2})
    report.on_train_begin()
    epoch_of(report, clock, 0, logs={"val_gap": float("nan")})
    assert " val_gap nan " in capsys.readouterr().out


def test_gap_on_stories_stands_in_line_and_history(capsys):
    told = stories.sample_stories(40, seed=3)
    inputs, targets = next_tokens(stories.encode(told))
    floor = -np.concatenate([stories.log_probabilities(story) for story in told]).mean()
    model = RecurrentLM(vocab_size=stories.tokenizer().vocab_size, embed_dim=8, units=8)
    model.compile("adam", lm_loss())
    callbacks = [GapToFloor(inputs, targets, floor, batch_size=16), EpochReport()]
    history = model.fit(inputs, targets, epochs=2, verbose=0, callbacks=callbacks).history
    lines = capsys.readouterr().out.splitlines()
    assert len(history["val_gap"]) == len(lines) == 2
    for line, gap in zip(lines, history["val_gap"], strict=True):
        assert f"  val_gap {gap:.4f}  " in line
    assert history["val_gap"][0] != history["val_gap"][1]  # of the weights of that epoch
    losses = token_losses(model.predict(inputs, verbose=0), targets)
    expected = losses[targets != IGNORE].mean() - floor
    # A mean of losses near 5 in float32: 6e-8 x 5, and as much for the logits.
    assert history["val_gap"][-1] == pytest.approx(expected, abs=1e-6)


def test_the_truth_has_no_gap():
    # A model that says the true probabilities: the floor covers exactly the scored targets.
    told = stories.sample_stories(2, seed=3)
    tokenizer, truth = stories.tokenizer(), {}
    for story in told:
        tokens = story.split()
        for place in range(len(tokens)):
            beginning = tokens[:place]
            chances = np.full(tokenizer.vocab_size, 1e-30)
            for token, chance in stories.next_token_distribution(" ".join(beginning)).items():
                chances[tokenizer.encode(token)[0]] = chance
            key = tuple(tokenizer.encode(" ".join(["[END]", *beginning])))
            truth[key] = np.log(chances)

    def knows(ids):
        nothing = np.zeros(tokenizer.vocab_size)
        return np.array([
            [truth.get(tuple(row[: end + 1]), nothing) for end in range(len(row))] for row in ids
        ])  # fmt: skip

    inputs, targets = next_tokens(stories.encode(told))
    floor = -np.concatenate([stories.log_probabilities(story) for story in told]).mean()
    assert gap_of(knows, inputs, targets, floor) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("inputs", "targets", "floor", "error", "message"),
    [
        ([[2.0, 3.0]], [[3, 4]], 0.3, TypeError, "inputs must be whole numbers, got float64"),
        ([2, 3], [3, 4], 0.3, ValueError, r"inputs must be \(batch, time\)"),
        ([[2, 3]], [[3]], 0.3, ValueError, r"targets must have shape \(1, 2\), one per"),
        ([[2, IGNORE]], [[3, 4]], 0.3, ValueError, "IGNORE belongs in targets, not in inputs"),
        ([[2, 3]], [[IGNORE] * 2], 0.3, ValueError, "every target is IGNORE: there is nothing"),
        ([[2, 3]], [[3, 4]], -0.1, ValueError, "floor must be at least 0, got -0.1"),
        ([[2, 3]], [[3, 4]], float("nan"), ValueError, "floor must be a finite .* got nan"),
        ([[2, 3]], [[3, 4]], float("inf"), ValueError, "got inf"),
        ([[2, 3]], [[3, 4]], "0.3", ValueError, "floor must be at least 0, got '0.3'"),
        ([[2, 3]], [[3, 4]], None, ValueError, "floor must be at least 0, got None"),
    ],
)
def test_gap_refuses(inputs, targets, floor, error, message):
    with pytest.raises(error, match=message):
        GapToFloor(inputs, targets, floor)


def test_gap_refuses_more():
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1, got 0"):
        GapToFloor([[2]], [[3]], 0.3, batch_size=0)
    with pytest.raises(ValueError, match="id 9 in row 0, column 0 of targets is outside"):
        gap_of(Knowing([0.0, 0.0, 0.0]), [[2]], [[9]], 0.0)


@pytest.mark.parametrize(("every", "due"), [(1, [1, 2, 3, 4]), (2, [2, 4]), (5, [])])
def test_samples_after_the_epochs_that_are_due(capsys, every, due):
    texts = iter("abcd")
    fit([EpochReport(), TextSample(lambda: next(texts), every=every)], epochs=4)
    lines = capsys.readouterr().out.splitlines()
    expected = [f"    after epoch {e}: {t}" for e, t in zip(due, "abcd", strict=False)]
    assert [line for line in lines if "after" in line] == expected
    for epoch in due:  # right below the line of its epoch
        at = next(i for i, line in enumerate(lines) if line.startswith(f"epoch {epoch}/4"))
        assert lines[at + 1].startswith(f"    after epoch {epoch}: ")


def test_samples_refuse():
    with pytest.raises(TypeError, match="generate must be a function, got str"):
        TextSample("text")
    for every in (0, -1, 1.5, True, None):
        with pytest.raises(ValueError, match="every must be a whole number of at least 1, got"):
            TextSample(str, every)
