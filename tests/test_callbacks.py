"""lmkit.callbacks: the lines by hand, against Keras's history, inside long epochs."""

import re

import keras
import numpy as np
import pytest

from lmkit.callbacks import EpochReport, GapToFloor, TextSample
from lmkit.metrics import token_losses
from lmkit.models import lstm_lm
from lmkit.stories import log_probabilities, sample_stories, vocabulary
from lmkit.tokenizers import SplitTokenizer


def fit(callback, epochs=2, batches=4, **kwargs):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((batches, 1), dtype="float32")
    data = dict(validation_data=(x, x), batch_size=1, verbose=0, epochs=epochs)
    callbacks = callback if isinstance(callback, list) else [callback]
    return model.fit(x, x, callbacks=callbacks, **{**data, **kwargs})


def test_lines_by_hand(capsys):
    ticks = iter([0.0, 0.0, 2.5, 2.5, 5.0, 5.0, 7.5])  # train, then begin and end of 3 epochs
    report = EpochReport(clock=lambda: next(ticks))
    report.set_params({"epochs": 3, "steps": 2})
    report.on_train_begin()
    for epoch in range(3):
        report.on_epoch_begin(epoch)
        report.on_train_batch_end(0)
        report.on_train_batch_end(1)
        report.on_epoch_end(epoch, {"loss": 0.5, "accuracy": 0.75})
    assert capsys.readouterr().out.splitlines() == [
        "epoch 1/3 .......... loss 0.5000  accuracy 0.7500  2.5 s, 5 s left",
        "epoch 2/3 .......... loss 0.5000  accuracy 0.7500  2.5 s, 2 s left",
        "epoch 3/3 .......... loss 0.5000  accuracy 0.7500  2.5 s",
    ]


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
    ticks = iter([0.0, 0.0, 2.0, 2.0, 4.0])
    fit(EpochReport(clock=lambda: next(ticks)), epochs=4, initial_epoch=2)
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
    ids = [[3, 2, 1], [3, 1, 0]]
    for size in (1, 2, 256):  # the number of rows at once does not matter
        gap = gap_of(model, ids, floor=0.25, batch_size=size)
        assert gap == pytest.approx(4 / 3 * np.log(2) - 0.25, abs=1e-6)


def test_gap_of_the_impossible_is_infinite():
    assert gap_of(Knowing([0.0, 0.0, -np.inf]), [[1, 2]], 0.0) == np.inf


def test_gap_on_stories_stands_in_line_and_history(capsys):
    stories = sample_stories(40, seed=3)
    tokenizer = SplitTokenizer(["[PAD]", "[UNK]", *vocabulary()])
    ids = tokenizer.encode_batch(stories, length=90)
    floor = -np.mean(np.concatenate([log_probabilities(story)[1:] for story in stories]))
    model = lstm_lm(tokenizer.vocab_size, 8, 8)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile("adam", loss)
    callbacks = [GapToFloor(ids, floor, batch_size=16), EpochReport()]
    fit = dict(epochs=2, verbose=0, callbacks=callbacks)
    history = model.fit(ids[:, :-1], ids[:, 1:], **fit).history
    lines = capsys.readouterr().out.splitlines()
    assert len(history["val_gap"]) == len(lines) == 2
    for line, gap in zip(lines, history["val_gap"], strict=True):
        assert f"  val_gap {gap:.4f}  " in line
    losses = token_losses(model.predict(ids[:, :-1], verbose=0), ids[:, 1:])
    expected = losses.sum() / (ids[:, 1:] != 0).sum() - floor
    assert history["val_gap"][-1] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("ids", "floor", "error", "message"),
    [
        ([[2.0, 3.0]], 0.3, TypeError, "whole numbers, got float64"),
        ([2, 3], 0.3, ValueError, r"a batch \(batch, time\)"),
        ([[2, 3], [0, 2]], 0.3, ValueError, "row 1 begins with padding: pad on the right"),
        ([[2, 3], [0, 0]], 0.3, ValueError, "row 1 is all padding"),
        ([[2, 0], [3, 0]], 0.3, ValueError, "no row holds a second token"),
        ([[2, 3]], -0.1, ValueError, "floor must be a number of at least 0, got -0.1"),
        ([[2, 3]], float("nan"), ValueError, "got nan"),
        ([[2, 3]], float("inf"), ValueError, "got inf"),
        ([[2, 3]], "0.3", ValueError, "got '0.3'"),
        ([[2, 3]], None, ValueError, "got None"),
    ],
)
def test_gap_refuses(ids, floor, error, message):
    with pytest.raises(error, match=message):
        GapToFloor(ids, floor)


def test_gap_refuses_more():
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1, got 0"):
        GapToFloor([[2, 3]], 0.3, batch_size=0)
    with pytest.raises(ValueError, match="id 9 in row 0, column 0 is outside the vocabulary"):
        gap_of(Knowing([0.0, 0.0, 0.0]), [[9, 2]], 0.0)


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
