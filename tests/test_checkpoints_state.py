"""lmkit.checkpoints.state: what a run has changed and nothing else, and which run it is."""

import functools
import random

import keras
import numpy as np
import pytest

from lmkit.callbacks import EpochReport, GapToFloor, TextSample
from lmkit.checkpoints.state import changed, fingerprints, get_state, identity, set_state
from lmkit.checkpoints.storage import pack, unpack


class Holding(keras.callbacks.Callback):
    def __init__(self, value):
        super().__init__()
        self.held = value


class Board(keras.callbacks.TensorBoard):
    """A callback of Keras's that cannot be stored, as the message says that it can be used."""

    def get_state(self):
        return {}


class Run:
    """As much of a run as its state needs: a model and its callbacks."""

    def __init__(self, *callbacks, units=1):
        self.model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])
        self.model.compile("sgd", "mse")
        self.callbacks, self.before = callbacks, fingerprints(callbacks)


def test_only_what_changes_is_kept():
    callbacks = [EpochReport(), GapToFloor([[2, 3]], [[3, 4]], 0.3), TextSample(str), Holding([1])]
    before = fingerprints(callbacks)
    assert changed(callbacks, before) == [{}, {}, {}, {}]
    callbacks[3].held.append(2)  # in place
    callbacks[3].new = 0.5
    assert changed(callbacks, before) == [{}, {}, {}, {"held": [1, 2], "new": 0.5}]
    callbacks[3].held = [1]
    assert changed(callbacks, before)[3] == {"new": 0.5}


def test_what_was_changed_is_put_back_as_often_as_one_likes():
    first, second = Run(Holding(np.zeros(2))), Run(Holding(np.zeros(2)))
    first.callbacks[0].held += 1  # in place
    random.seed(3)
    np.random.seed(4)
    state = get_state(first)
    drawn = random.random(), np.random.random()
    for _ in range(2):
        set_state(second, state)
        assert second.callbacks[0].held.tolist() == [1.0, 1.0]
        assert (random.random(), np.random.random()) == drawn
        second.callbacks[0].held += 1  # the state must not see this
    for mine, other in zip(second.model.get_weights(), first.model.get_weights(), strict=True):
        assert mine.tobytes() == other.tobytes()


def test_a_callbacks_own_state_decides_alone():
    class Own(Holding):
        def get_state(self):
            return {"total": sum(self.held)}

        def set_state(self, state):
            self.held = {state["total"]}

    run = Run(Own({1, 2}))  # a set, which could not be stored
    assert get_state(run)["callbacks"] == [{"total": 3}]
    set_state(run, {**get_state(run), "callbacks": [{"total": 7}]})
    assert run.callbacks[0].held == {7}


SCHEDULE = keras.optimizers.schedules.CosineDecay(0.1, 10)


@pytest.mark.parametrize(
    "setting", [print, np.tanh, len, functools.partial(max, 0), dict, Run().model, SCHEDULE]
)
def test_functions_and_models_are_settings(setting):
    assert fingerprints([Holding(setting)]) == [{}]


KERAS_OWN = {
    "early stopping": lambda _: keras.callbacks.EarlyStopping("loss"),
    "plateau": lambda _: keras.callbacks.ReduceLROnPlateau("loss"),
    "schedule": lambda _: keras.callbacks.LearningRateScheduler(SCHEDULE),
    "checkpoint": lambda folder: keras.callbacks.ModelCheckpoint(folder / "model.keras"),
    "nan": lambda _: keras.callbacks.TerminateOnNaN(),
    "functions": lambda _: keras.callbacks.LambdaCallback(on_epoch_end=print),
    "board with get_state": lambda folder: Board(str(folder)),
}


@pytest.mark.parametrize("kind", KERAS_OWN)
def test_keras_own_callbacks_can_be_kept(tmp_path, kind):
    run = Run(KERAS_OWN[kind](tmp_path))
    assert get_state(run)["callbacks"] == [{}]


OWN = "give the callback get_state() and set_state(state); get_state may return {}"
REFUSED = {
    "callback 0 (CSVLogger) keeps an open file, csv_file, which cannot be stored: write the "
    f"history after the run, or {OWN}": lambda folder: keras.callbacks.CSVLogger(folder / "log"),
    f"callback 0 (TensorBoard): _summary_module (module) cannot be stored: {OWN}": (
        lambda folder: keras.callbacks.TensorBoard(folder)
    ),
    f"callback 0 (Holding): held/1[0] (set) cannot be stored: {OWN}": (
        lambda _: Holding({1: [{2}]})
    ),
    f"callback 0 (Holding): held (Generator) cannot be stored: {OWN}": (
        lambda _: Holding(np.random.default_rng(0))
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_stored_is_refused_with_advice(tmp_path, message):
    callback = REFUSED[message](tmp_path)
    callback.set_model(Run().model)
    callback.on_train_begin()  # opens the files
    with pytest.raises(TypeError) as caught:
        fingerprints([callback])
    assert str(caught.value) == message


def test_a_model_in_bfloat16_and_its_best_weights():
    """NumPy has no such type. EarlyStopping, for one, holds weights in it."""
    run = Run(Holding(None))
    run.model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, dtype="bfloat16")])
    run.model.compile("sgd", "mse")
    expected = [weight.tolist() for weight in run.model.get_weights()]
    run.callbacks[0].held = run.model.get_weights()
    state = unpack(pack(get_state(run)))
    run.model.set_weights([0 * weight for weight in run.model.get_weights()])
    set_state(run, state)
    assert [weight.tolist() for weight in run.model.get_weights()] == expected
    run.model.set_weights([0 * weight for weight in run.model.get_weights()])
    run.model.set_weights(run.callbacks[0].held)
    assert [weight.tolist() for weight in run.model.get_weights()] == expected


def differing(one, other):
    return [name for name in one if one[name] != other[name]]


def test_which_run_it_is():
    x, y = np.zeros((4, 2), "float32"), np.zeros((4, 1), "float32")
    run = Run(Holding(1))
    mine = identity(run, x, y, 2, 0)
    assert mine["model"].startswith("Sequential with 3 parameters (")
    assert mine["compiled with"].startswith("SGD (")
    assert mine["data"].startswith("(4, 2) and (4, 1) (")
    assert (mine["batch_size"], mine["seed"], mine["callbacks"]) == ("2", "0", "Holding")
    assert differing(mine, identity(Run(Holding(2)), x, y, 2, 0)) == []  # it holds a setting
    assert differing(mine, identity(run, x + 1, y, 2, 0)) == ["data"]
    assert differing(mine, identity(run, x, y, 4, 1)) == ["batch_size", "seed"]
    assert differing(mine, identity(Run(), x, y, 2, 0)) == ["callbacks"]
    assert differing(mine, identity(Run(Holding(1), units=2), x, y, 2, 0)) == ["model"]
    run.model.compile(keras.optimizers.SGD(0.5), "mse")
    assert differing(mine, identity(run, x, y, 2, 0)) == ["compiled with"]


def functional(dtype="float32"):
    inputs = keras.Input((2,))
    hidden = keras.layers.Dense(3, dtype=dtype)(inputs)
    return keras.Model(inputs, keras.layers.Dense(1)(hidden) + hidden)


def plain(dtype="float32"):
    return keras.Sequential([keras.layers.Dense(1, dtype=dtype)])


@pytest.mark.parametrize("make", [functional, plain])
def test_the_same_model_made_twice_is_the_same_run(make):
    """Its layers have other names. In another precision it is another model."""
    found, x = [], np.zeros((4, 2), "float32")
    for dtype in ("float32", "float32", "mixed_bfloat16"):
        run = Run()
        run.model = make(dtype)
        run.model(x[:1])
        run.model.compile("sgd", "mse")
        found.append(identity(run, x, x, 2, 0))
    assert differing(found[0], found[1]) == []
    assert differing(found[0], found[2]) == ["model"]
