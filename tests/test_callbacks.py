"""lmkit.callbacks: the lines by hand, against Keras's history, inside long epochs."""

import re

import keras
import numpy as np
import pytest

from lmkit.callbacks import EpochReport


def fit(callback, epochs=2, batches=4, **kwargs):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((batches, 1), dtype="float32")
    data = dict(validation_data=(x, x), batch_size=1, verbose=0, epochs=epochs)
    return model.fit(x, x, callbacks=[callback], **{**data, **kwargs})


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
