"""lmkit.checkpoints: killed anywhere and started again, a training run ends with the same bits."""

import os
import random
import subprocess
import sys

import keras
import killed_training
import numpy as np
import pytest
from killed_training import BATCH_SIZE, IDS, new_model, train

from lmkit import files
from lmkit.batches import next_tokens
from lmkit.callbacks import EpochReport
from lmkit.checkpoints import fit_with_backup
from lmkit.checkpoints.storage import CheckpointFolder

X, Y = next_tokens(IDS)


class Killed(BaseException):
    """What no `except Exception` holds up."""


class KillAfter(keras.callbacks.Callback):
    """Ends the process, as far as a test can, after so many batches."""

    def __init__(self, batches):
        super().__init__()
        self.left = batches

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left <= 0:
            raise Killed

    def get_state(self):
        return {}


class Holding(keras.callbacks.Callback):
    def __init__(self, value):
        super().__init__()
        self.held = value


def quick(folder, batches=10**9, **kwargs):
    """The small training, to be killed after so many batches of this life."""
    more = [*kwargs.pop("more", ()), KillAfter(batches)]
    return train("small", folder, jit_compile=False, more=more, **kwargs)


def differences(found, expected):
    """The names of what is not the same, bit for bit."""
    assert set(found) == set(expected)
    return [
        name
        for name, array in expected.items()
        if found[name].dtype != array.dtype or found[name].tobytes() != array.tobytes()
    ]


@pytest.fixture(scope="module")
def unkilled(tmp_path_factory):
    """The small training, never interrupted."""
    return quick(tmp_path_factory.mktemp("unkilled"))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# What is equal to what.


def test_an_epoch_is_a_fit_over_rows_in_a_given_order(tmp_path):
    order = np.random.default_rng([3, 0]).permutation(len(X))
    results = []
    for backup in (True, False):
        keras.utils.set_random_seed(1)
        model = new_model("small", jit_compile=False)
        model.optimizer.build(model.trainable_variables)
        model.evaluate(X[:1], Y[:1], verbose=0)  # builds: on PyTorch that draws random numbers
        keras.utils.set_random_seed(1)
        if backup:
            history = fit_with_backup(model, X, Y, tmp_path, BATCH_SIZE, seed=3)
        else:
            history = model.fit(X[order], Y[order], BATCH_SIZE, shuffle=False, verbose=0)
        results.append([history.history, [array.tobytes() for array in model.get_weights()]])
    assert results[0] == results[1]


def test_every_row_once_an_epoch_and_every_epoch_its_own_order(tmp_path):
    class Rows(keras.Model):
        seen = []  # noqa: RUF012

        def __init__(self):
            super().__init__()
            self.weight = self.add_weight(shape=())

        def call(self, x):
            self.seen.extend(np.asarray(keras.ops.convert_to_numpy(x))[:, 0].tolist())
            return self.weight * x

    x = np.arange(1, 12, dtype="float32")[:, None]
    model = Rows()
    model.compile("sgd", "mse", run_eagerly=True)
    model(x[:1])
    Rows.seen.clear()
    fit_with_backup(model, x, x, tmp_path, batch_size=4, epochs=2)
    seen = Rows.seen[-22:]  # building the model reads a row or two before
    assert sorted(seen[:11]) == sorted(seen[11:]) == x[:, 0].tolist()
    assert seen[:11] != seen[11:]


def test_saving_changes_nothing(unkilled, tmp_path):
    assert differences(quick(tmp_path, save_freq="epoch"), unkilled) == []


@pytest.mark.parametrize("save_freq", [1, 5, "epoch"])
def test_killed_at_random_batches(unkilled, tmp_path, save_freq):
    pick = random.Random(f"kills {save_freq}")
    for _ in range(5):  # 39 batches in all, of which 5 lives get through fewer than 5 * 7
        with pytest.raises(Killed):
            quick(tmp_path, pick.randint(1, 7), save_freq=save_freq)
    assert differences(quick(tmp_path, save_freq=save_freq), unkilled) == []


def test_another_training_would_be_seen_to_differ(unkilled, tmp_path, monkeypatch):
    """One number drawn once too often changes what is drawn next, and nothing else."""
    monkeypatch.setattr(killed_training.np.random, "random", lambda: 0.5)
    other = quick(tmp_path)
    assert differences(other, unkilled) == ["drawn", "next"]


@pytest.mark.parametrize("point", ["fsync", "replace"])
def test_killed_while_writing(unkilled, tmp_path, monkeypatch, point):
    """Before the bytes are on the disk, and after, before they have their name."""
    original = getattr(os, point)
    for life in (1, 2, 4):
        left = [life]

        def dying(*args, left=left):
            left[0] -= 1
            if left[0] <= 0:
                raise Killed
            return original(*args)

        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(files.os, point, dying)
            quick(tmp_path)
    (tmp_path / ".0123456789abcdef.tmp.checkpoint").write_bytes(b"half")  # as SIGKILL leaves it
    assert differences(quick(tmp_path), unkilled) == []
    last, end = names(tmp_path)  # every fourth batch, counted from the last save
    assert "000000000035.checkpoint" <= last < end == "000000000039.checkpoint"


def test_a_training_that_has_ended_is_not_repeated(unkilled, tmp_path, capsys):
    quick(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert differences(quick(tmp_path, batches=1), unkilled) == []  # not a single batch
    assert "this run had ended, after epoch 3" in capsys.readouterr().out
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_more_epochs_go_on(unkilled, tmp_path):
    more = [keras.callbacks.TerminateOnNaN()]
    straight = quick(tmp_path / "straight", epochs=3, more=more)
    quick(tmp_path / "pieces", epochs=1, more=[keras.callbacks.TerminateOnNaN()])
    longer = quick(tmp_path / "pieces", epochs=3, more=[keras.callbacks.TerminateOnNaN()])
    # EarlyStopping's patience, a setting, was 1 in the first piece.
    assert differences(longer, straight) == []
    with pytest.raises(ValueError, match=r"holds 3 epochs and 0 batches, more than epochs=2"):
        quick(tmp_path / "pieces", epochs=2, more=more)


def test_early_stopping_is_kept_and_its_best_weights(tmp_path):
    class Made(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["made"] = [3.0, 1.0, 2.0, 2.5, 0.0][epoch]

    def run(folder, batches=10**9):
        keras.utils.set_random_seed(1)
        model = new_model("small", jit_compile=False)
        stop = keras.callbacks.EarlyStopping(
            "made", patience=2, mode="min", restore_best_weights=True
        )
        callbacks = [Made(), stop, KillAfter(batches)]
        history = fit_with_backup(
            model, X, Y, folder, BATCH_SIZE, epochs=5, callbacks=callbacks, save_freq=5
        )
        return history.history["made"], [array.tobytes() for array in model.get_weights()]

    expected = run(tmp_path / "a")
    assert expected[0] == [3.0, 1.0, 2.0, 2.5]
    for batches in (17, 17, 14):
        with pytest.raises(Killed):
            run(tmp_path / "b", batches)
    assert run(tmp_path / "b") == expected
    assert run(tmp_path / "b", batches=1) == expected  # after it has stopped


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="Keras has no steps_per_execution on PyTorch"
)
def test_several_batches_per_call_of_the_compiled_step(tmp_path):
    def run(folder, calls=10**9):
        keras.utils.set_random_seed(1)
        model = new_model("small", jit_compile=False)
        model.compile("adam", model.loss, steps_per_execution=2, jit_compile=False)
        callbacks = [KillAfter(calls)]
        history = fit_with_backup(
            model, X, Y, folder, BATCH_SIZE, epochs=2, callbacks=callbacks, save_freq=3
        )
        return history.history, [array.tobytes() for array in model.get_weights()]

    expected = run(tmp_path / "a")
    for calls in (3, 4):  # after batches 6 of the first epoch, which saved 4, and 12
        with pytest.raises(Killed):
            run(tmp_path / "b", calls)
    assert names(tmp_path / "b") == ["000000000004.checkpoint", "000000000008.checkpoint"]
    assert run(tmp_path / "b") == expected


def test_says_where_it_goes_on(tmp_path, capsys):
    for batches in (19, 10**9):
        try:
            quick(tmp_path, batches)
        except Killed:
            assert "continuing" not in capsys.readouterr().out
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "continuing in epoch 2 of 3, after batch 4 of 13"
    # 10 * 4 // 13: the report printed three of the ten dots in its first life.
    assert lines[1].startswith("epoch 2/3 ....... accuracy ")


# Files.


def test_the_last_two_are_kept_and_nothing_else(tmp_path):
    with pytest.raises(Killed):
        quick(tmp_path, 11)
    assert names(tmp_path) == ["000000000004.checkpoint", "000000000008.checkpoint"]


def damage(path, how):
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "flipped":
        path.write_bytes(data[:-100] + bytes([data[-100] ^ 1]) + data[-99:])
    else:
        path.write_bytes(data[: {"empty": 0, "head": 30, "half": len(data) // 2, "end": -1}[how]])


@pytest.fixture
def interrupted(tmp_path):
    """A folder with the checkpoints of batches 4 and 8."""
    with pytest.raises(Killed):
        quick(tmp_path, 10)
    return tmp_path


@pytest.mark.parametrize("how", ["empty", "head", "half", "end", "flipped"])
def test_a_damaged_checkpoint_is_said_and_the_one_before_it_used(
    unkilled, interrupted, how, capsys
):
    damage(interrupted / "000000000008.checkpoint", how)
    with pytest.warns(UserWarning, match=r"8.checkpoint is .*; 000000000004.checkpoint is used"):
        found = quick(interrupted)
    assert "continuing in epoch 1 of 3, after batch 4 of 13" in capsys.readouterr().out
    assert differences(found, unkilled) == []


def test_a_missing_checkpoint_is_made_again(unkilled, interrupted):
    damage(interrupted / "000000000008.checkpoint", "missing")
    assert differences(quick(interrupted), unkilled) == []


def test_only_damaged_checkpoints_end_it_and_stay(interrupted):
    for path in interrupted.iterdir():
        damage(path, "half")
    before = names(interrupted)
    with pytest.raises(
        ValueError, match=r"no checkpoint is complete: .*8.*; .*4.*Delete the folder"
    ):
        quick(interrupted)
    assert names(interrupted) == before


# Another training.


def start(folder, model=None, x=X, y=Y, batch_size=BATCH_SIZE, seed=3, callbacks=None):
    model = model or new_model("small", jit_compile=False)
    return fit_with_backup(model, x, y, folder, batch_size, seed=seed, callbacks=callbacks)


def other_dropout():
    model = new_model("small", jit_compile=False)
    model.layers[1].rate = 0.25
    return model


def other_optimizer():
    model = new_model("small", jit_compile=False)
    model.compile("sgd", model.loss)
    return model


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("begun")
    start(folder)
    return folder


OTHERS = {
    r"model Sequential with 180 parameters \(\w+\), not RecurrentLM with 131,240 parameters": (
        lambda: {"model": new_model("lstm", jit_compile=False)}
    ),
    r"model Sequential with 180 parameters \((\w+)\), not Sequential .* \((?!\1)\w+\)": (
        lambda: {"model": other_dropout()}
    ),
    r"compiled with Adam \(\w+\), not SGD \(\w+\)": lambda: {"model": other_optimizer()},
    r"data \(100, 8\) and \(100, 8\) \((\w+)\), not \(100, 8\) and .*": (lambda: {"x": X[::-1]}),
    r"data \(100, 8\) .*, not \(99, 8\) and \(99, 8\)": lambda: {"x": X[1:], "y": Y[1:]},
    r"batch_size 8, not 16": lambda: {"batch_size": 16},
    r"seed 3, not 4": lambda: {"seed": 4},
    r"callbacks History, not EpochReport, History": lambda: {"callbacks": [EpochReport()]},
}


@pytest.mark.parametrize("message", OTHERS)
def test_another_training_is_refused_by_name(begun, message):
    before = {path.name: path.read_bytes() for path in begun.iterdir()}
    with pytest.raises(ValueError, match=f"holds another run: .*{message}"):
        start(begun, **OTHERS[message]())
    assert before == {path.name: path.read_bytes() for path in begun.iterdir()}


def test_another_backend_is_refused(tmp_path):
    CheckpointFolder(tmp_path, {"backend": "jax"}).save(1, {})
    with pytest.raises(ValueError, match="holds another run: backend jax, not torch"):
        CheckpointFolder(tmp_path, {"backend": "torch"}).load()


def test_the_same_model_made_twice_is_the_same(begun, capsys):
    new_model("small")  # its layers have other names now
    start(begun)
    assert "this run had ended" in capsys.readouterr().out


# What is refused.


def uncompiled():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


def averaging():
    model = uncompiled()
    model.compile(keras.optimizers.SGD(use_ema=True), "mse")
    return model


BAD = [
    ({"x": X[:5]}, ValueError, "x and y need the same number of rows, got 5 and 100"),
    ({"x": X[:0], "y": Y[:0]}, ValueError, r"x must be .* not empty, got shape \(0, 8\)"),
    ({"x": np.array(["a"] * 100)}, ValueError, "x must be numbers in rows of one length, got"),
    ({"y": 3}, ValueError, r"y must be \(rows, ...\), not empty, got shape \(\)"),
    ({"batch_size": 0}, ValueError, "batch_size must be a whole number of at least 1, got 0"),
    ({"epochs": 1.5}, ValueError, "epochs must be a whole number of at least 1, got 1.5"),
    ({"seed": -1}, ValueError, "seed must be a whole number of at least 0, got -1"),
    ({"save_freq": 0}, ValueError, 'save_freq, if not "epoch", must be a whole number .* got 0'),
    ({"save_freq": "batch"}, ValueError, "save_freq, .* got 'batch'"),
    ({"backup_dir": ""}, ValueError, "backup_dir must be the path of a folder, got ''"),
    ({"backup_dir": None}, ValueError, "backup_dir must be the path of a folder, got None"),
    ({"backup_dir": __file__}, ValueError, "backup_dir must be a folder, .* is a file"),
    ({"model": "lstm"}, TypeError, "model must be a keras.Model, got str"),
    ({"model": uncompiled()}, ValueError, "is not compiled"),
    ({"model": averaging()}, ValueError, "use_ema=True"),
    ({"callbacks": [print]}, TypeError, "must be a list of callbacks, got builtin_function"),
    ({"callbacks": "backup"}, TypeError, "callbacks must be a list of callbacks, got str"),
    ({"callbacks": Holding({2})}, TypeError, r"0 \(Holding\): held \(set\) cannot be stored"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), BAD)
def test_refuses(tmp_path, wrong, error, message):
    right = {"model": None, "x": X, "y": Y, "backup_dir": tmp_path}
    right["model"] = wrong.get("model") or new_model("small", jit_compile=False)
    with pytest.raises(error, match=message):
        fit_with_backup(**{**right, **wrong})


def test_what_cannot_be_kept_is_kept_by_the_callback_itself(tmp_path):
    class Dice(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.dice, self.drawn = np.random.default_rng(0), []

        def on_train_batch_end(self, batch, logs=None):
            self.drawn.append(float(self.dice.random()))

        def get_state(self):
            return {"dice": self.dice.bit_generator.state, "drawn": self.drawn}

        def set_state(self, state):
            self.dice.bit_generator.state, self.drawn = state["dice"], state["drawn"]

    expected = np.random.default_rng(0).random(39).tolist()
    dice = Dice()
    with pytest.raises(Killed):
        quick(tmp_path, 21, more=[dice])
    dice = Dice()
    quick(tmp_path, more=[dice])
    assert dice.drawn == expected


# Real processes, really killed.


def killed(kind, folder, kills, seed, epochs, seconds, jit, latest=0.4):
    """Trains in processes of its own, the first `kills` of which are killed; what they made.

    A kill comes after the first batch of a process, at most `latest` seconds later.
    """
    script = [sys.executable, killed_training.__file__, kind, str(folder / "backup")]
    pick, result = random.Random(seed), folder / "result.npz"
    command = [*script, str(result), str(epochs), str(seconds), jit]
    for life in range(kills + 1):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            if life < kills:
                next(line for line in process.stdout if line.endswith("batch\n"))
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(pick.uniform(0, latest))
                process.kill()
            process.stdout.read()
        assert (process.returncode == 0) == (life == kills)
    with np.load(result) as found:
        return dict(found)


def test_killed_twice(tmp_path):
    found = killed("small", tmp_path, kills=2, seed=1, epochs=8, seconds=0.01, jit="no")
    unkilled = train("small", tmp_path / "unkilled", epochs=8, jit_compile=False)
    assert differences(found, unkilled) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lstm", "transformer"])
def test_killed_ten_times(tmp_path, kind):
    (tmp_path / "unkilled").mkdir()
    # PyTorch compiles for minutes, and would do so after each of the ten kills.
    jit = "no" if keras.backend.backend() == "torch" else "jit"
    # 260 batches; a life gets through some twenty.
    how = {"seed": 2, "epochs": 20, "seconds": 0.02, "jit": jit, "latest": 2.0}
    unkilled = killed(kind, tmp_path / "unkilled", kills=0, **how)
    assert differences(killed(kind, tmp_path, kills=10, **how), unkilled) == []
