"""chapters/experiments/runner.py and store.py: nothing is lost, repeated or mixed up."""

import json
import pathlib
import subprocess
import sys
import time
from typing import NamedTuple

import keras
import numpy as np
import pytest

EXPERIMENTS = pathlib.Path(__file__).parents[1] / "chapters" / "experiments"
sys.path.append(str(EXPERIMENTS))  # where Python finds runner and store when it runs a script

import runner
import store


class Toy(NamedTuple):
    epochs: int
    rate: float = 0.1


def build(variant, data, seed):
    model = keras.Sequential([keras.layers.Dense(1)])
    # Three steps are not worth compiling.
    model.compile(keras.optimizers.Adam(variant.rate), "mse", run_eagerly=True)
    return model, runner.Fit(*data, batch_size=4, epochs=variant.epochs)


def measure(model, variant, data, history):
    return {"loss": history["loss"][-1], "epochs": len(history["loss"])}


def load():
    x = np.arange(10, dtype="float32")[:, None]
    return x, 2 * x[:, 0]


def toy(**changes):
    parts = {
        "name": "toy",
        "settings": {"SIZE": 2},
        "variants": {"a": Toy(1), "b": Toy(2)},
        "load": load,
        "build": build,
        "measure": measure,
        "seeds": (0, 1),
    }
    return runner.Experiment(**(parts | changes))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "results").mkdir()
    return tmp_path / "results"


def stored(folder, name="toy"):
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


class ForbiddenError(Exception):
    """A run was started that should not have been."""


def forbidden(*arguments):
    raise ForbiddenError


def test_every_run_is_stored_once_with_its_cost_and_machine(folder):
    runner.main(toy(), [], folder)
    found = stored(folder)
    assert list(found) == ["settings", "a", "b"]
    assert found["settings"] == {"SIZE": 2}
    assert list(found["a"]) == list(found["b"]) == ["0", "1"]
    run = found["b"]["0"]
    # 10 rows in batches of 4 are 3 steps, twice; a Dense layer of one input has 2 weights.
    assert (run["parameters"], run["steps"], run["predictions"], run["epochs"]) == (2, 6, 20, 2)
    assert found["a"]["0"]["loss"] != found["a"]["1"]["loss"]  # the seeds differ
    log = stored(folder, "runs")["toy"]
    assert log["b"]["settings"] == {"SIZE": 2, "epochs": 2, "rate": 0.1}
    for made in log["b"]["runs"].values():
        assert made["seconds"] > 0
        assert f"keras {keras.__version__}" in made["machine"]
    # Nothing is left to do, and nothing changes.
    before = [path.read_bytes() for path in sorted(folder.iterdir())]
    runner.main(toy(build=forbidden), [], folder)
    assert [path.read_bytes() for path in sorted(folder.iterdir())] == before


def test_a_run_depends_on_its_seed_alone(folder):
    experiment = toy()
    *_, alone, _ = runner.run(experiment, "b", 1, load())
    runner.run(experiment, "a", 0, load())
    *_, after, _ = runner.run(experiment, "b", 1, load())
    assert alone["loss"] == after["loss"]


def test_an_interrupted_script_goes_on_where_it_stopped(folder):
    made = []

    def until_the_third(variant, data, seed):
        made.append((variant, seed))
        if len(made) == 3:
            raise KeyboardInterrupt
        return build(variant, data, seed)

    with pytest.raises(KeyboardInterrupt):
        runner.main(toy(build=until_the_third), [], folder)
    assert list(stored(folder)["a"]) == list(stored(folder)["b"]) == ["0"]
    runner.main(toy(build=until_the_third), [], folder)
    assert made == [(Toy(1), 0), (Toy(2), 0), (Toy(1), 1), (Toy(1), 1), (Toy(2), 1)]
    assert list(stored(folder)["a"]) == list(stored(folder)["b"]) == ["0", "1"]


def test_only_what_the_command_line_names_is_run(folder):
    runner.main(toy(), ["--only", "b", "--seeds", "7"], folder)
    found = stored(folder)
    assert list(found) == ["settings", "b"]
    assert list(found["b"]) == ["7"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--only", "c"], "invalid choice: 'c'"), (["--calibrate"], "toy does not compare models")],
)
def test_the_command_line_explains_itself(folder, capsys, arguments, words):
    with pytest.raises(SystemExit):
        runner.main(toy(load=forbidden), arguments, folder)
    assert words in capsys.readouterr().err


OTHER = [
    ({"settings": {"SIZE": 3}}, r"'a' with other settings \(SIZE 2, not 3\)"),
    ({"variants": {"a": Toy(1, 0.2), "b": Toy(2)}}, r"\(rate 0.1, not 0.2\)"),
    ({"settings": {"SIZE": 2, "MORE": 1}}, r"\(MORE None, not 1\)"),
    ({"settings": {}}, r"\(SIZE 2, not None\)"),
]


@pytest.mark.parametrize(("changes", "words"), OTHER)
def test_other_settings_are_refused_before_anything_is_loaded(folder, changes, words):
    results = store.Results("toy", {"a": {"SIZE": 2, "epochs": 1, "rate": 0.1}}, {}, folder=folder)
    results.add("a", 0, {"loss": 1.0}, 1.0)
    before = stored(folder)
    with pytest.raises(ValueError, match=words):
        runner.main(toy(load=forbidden, **changes), [], folder)
    assert stored(folder) == before
    # A variant whose settings are the same may go on.
    with pytest.raises(ForbiddenError):
        runner.main(toy(load=forbidden, **changes), ["--only", "b"], folder)


def test_runs_that_nobody_knows_the_settings_of_are_refused(folder):
    (folder / "toy.json").write_text('{"a": {"0": {"loss": 1.0}}}')
    with pytest.raises(ValueError, match="Move the file away to begin anew"):
        runner.main(toy(load=forbidden), [], folder)


def test_results_that_were_moved_away_begin_anew(folder):
    old, new = (store.Results("toy", {"a": {"SIZE": n}}, {}, folder=folder) for n in (2, 3))
    for seed in (0, 1):
        old.add("a", seed, {"loss": 1.0}, 1.0)
    (folder / "toy.json").unlink()
    new.check("a")
    new.add("a", 1, {"loss": 2.0}, 1.0)
    assert stored(folder)["a"] == {"1": {"loss": 2.0}}
    log = stored(folder, "runs")["toy"]["a"]
    assert log["settings"] == {"SIZE": 3}
    assert list(log["runs"]) == ["1"]  # the old run 0 is forgotten


def test_lists_over_the_seeds_have_holes_until_they_are_filled(folder):
    results = store.Results("toy", {"a": {}, "b": {}}, {"settings": {}}, True, folder)
    for seed in (2, 0):
        results.add("a", seed, {"loss": seed / 2, "epochs": 3}, 1.0)
        results.add("b", seed, seed / 4, 1.0)
    assert stored(folder)["a"] == {"loss": [0.0, None, 1.0], "epochs": [3, None, 3]}
    assert stored(folder)["b"] == [0.0, None, 0.5]
    assert results.runs("a") == {
        "0": {"loss": 0.0, "epochs": 3}, "2": {"loss": 1.0, "epochs": 3}
    }  # fmt: skip
    assert results.runs("b") == {"0": 0.0, "2": 0.5}
    results.add("b", 1, 0.25, 1.0)
    assert stored(folder)["b"] == [0.0, 0.25, 0.5]


def test_four_digits_wherever_a_float_stands():
    found = {"a": [np.float32(1.23456), 7], "b": {"c": 0.000123456}, "d": np.int64(123456), 1: "x"}
    assert store.rounded(found) == {"a": [1.235, 7], "b": {"c": 0.0001235}, "d": 123456, "1": "x"}
    assert store.rounded(np.array([[2 / 3]])) == [[0.6667]]


# What a process of its own does: results in a folder, without the seconds that Keras takes.
ADD = """
import os, sys, pathlib, time
sys.path.append({experiments!r})
import store
store.machine = lambda: "a machine"
folder = pathlib.Path({folder!r})
results = store.Results("toy", {{"a": {{}}, "b": {{}}}}, {{"settings": {{}}}}, folder=folder)
"""


def process(folder, program):
    program = ADD.format(experiments=str(EXPERIMENTS), folder=str(folder)) + program
    return subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)


def test_two_processes_at_once_lose_nothing(folder):
    program = """
for seed in range({0}, {0} + 40):
    results.add("ab"[seed % 2], seed, {{"loss": seed}}, 1.0)
results.put("part {0}", 1)
"""
    both = [process(folder, program.format(start)) for start in (0, 40)]
    for child in both:
        assert child.wait(60) == 0, child.stderr.read()
    found, log = stored(folder), stored(folder, "runs")["toy"]
    assert list(found)[:3] == ["settings", "a", "b"]
    assert found["part 0"] == found["part 40"] == 1
    for name, start in (("a", 0), ("b", 1)):
        seeds = [str(seed) for seed in range(start, 80, 2)]
        assert list(found[name]) == list(log[name]["runs"]) == seeds


@pytest.mark.parametrize("killed_at", [1, 2])
def test_killed_while_writing(folder, killed_at):
    # The first file that a run replaces is the log, the second one the results.
    program = f"""
results.add("a", 0, {{"loss": 1.0}}, 1.0)
replace, calls = os.replace, []
def killed(*names):
    calls.append(names)
    if len(calls) == {killed_at}:
        os._exit(9)
    replace(*names)
os.replace = killed
results.add("a", 1, {{"loss": 2.0}}, 1.0)
"""
    assert process(folder, program).wait(60) == 9
    results = store.Results("toy", {"a": {}, "b": {}}, {"settings": {}}, folder=folder)
    results.check("a")
    assert results.runs("a") == {"0": {"loss": 1.0}}
    results.add("a", 1, {"loss": 3.0}, 2.0)  # the lock of the killed process is gone
    assert results.runs("a") == {"0": {"loss": 1.0}, "1": {"loss": 3.0}}
    log = stored(folder, "runs")["toy"]["a"]["runs"]
    assert [made["seconds"] for made in log.values()] == [1.0, 2.0]


def test_one_waits_while_the_other_writes(folder):
    program = """
with store._locked(results.lock):
    print("in", file=sys.stderr, flush=True)
    time.sleep(1)
"""
    child = process(folder, program)
    assert child.stderr.readline() == "in\n"
    started = time.monotonic()
    store.Results("toy", {"a": {}}, {}, folder=folder).put("x", 1)
    # The other one slept a second after it had said so; half of it allows for a slow pipe.
    assert time.monotonic() - started > 0.5
    assert child.wait(60) == 0


def test_weights_of_the_named_run_are_stored_whole_and_without_the_optimizer(folder, monkeypatch):
    experiment = toy(weights={("a", 1): "toy.weights.h5"})
    trained, *_ = runner.run(experiment, "a", 1, load())
    runner.main(experiment, ["--seeds", "0"], folder)
    assert not (folder / "toy.weights.h5").exists()
    runner.main(experiment, ["--seeds", "1"], folder)
    fresh = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    fresh.load_weights(folder / "toy.weights.h5")
    for ours, theirs in zip(fresh.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    whole = (folder / "toy.weights.h5").read_bytes()
    assert b"momentum" not in whole and b"optimizer" not in whole
    assert trained.optimizer is not None
    # Killed while it writes: the older file stays, and the run is not taken for stored.
    monkeypatch.setattr("os.replace", forbidden)
    (folder / "toy.json").unlink()
    with pytest.raises(ForbiddenError):
        runner.main(experiment, ["--only", "a", "--seeds", "1"], folder)
    assert (folder / "toy.weights.h5").read_bytes() == whole
    assert not (folder / "toy.json").exists()


class Clocked:
    """A model whose steps take as long as it says."""

    def __init__(self, name, seconds, log):
        self.name, self.seconds, self.log = name, iter(seconds), log

    def fit(self, inputs, targets, batch_size, verbose):
        self.log.append((self.name, len(inputs)))
        self.clock[0] += next(self.seconds) * -(-len(inputs) // batch_size)


def test_steps_are_timed_in_turn_and_the_median_counts(monkeypatch):
    log, now = [], [0.0]
    monkeypatch.setattr(runner.time, "perf_counter", lambda: now[0])
    # The first turn compiles and does not count; one disturbed turn moves no median.
    fast, slow = (
        Clocked("fast", [50, 1, 1, 9, 1, 2], log),
        Clocked("slow", [70, 4, 3, 3, 3, 2], log),
    )
    fast.clock = slow.clock = now
    rows = np.zeros((1000, 1))
    fits = {"fast": (fast, runner.Fit(rows, rows, 8)), "slow": (slow, runner.Fit(rows, rows, 32))}
    assert runner.seconds_per_step(fits, steps=10) == {"fast": 1.0, "slow": 3.0}
    assert log == [("fast", 80), ("slow", 320)] * 6
    few = {"fast": (Clocked("fast", [1] * 6, log), runner.Fit(rows[:20], rows[:20], 8))}
    few["fast"][0].clock = now
    assert runner.seconds_per_step(few, steps=10) == {"fast": 1.0}  # 20 rows are 3 steps


def test_calibrated_seconds_are_stored_beside_the_runs(folder):
    runner.main(toy(), ["--only", "a", "--seeds", "0"], folder)

    def contenders(data):
        return {name: build(Toy(1), data, 0) for name in ("x", "y")}

    runner.main(toy(contenders=contenders), ["--calibrate"], folder)
    found = stored(folder)
    assert list(found) == ["settings", "a", "seconds a step"]
    assert list(found["seconds a step"]) == ["x", "y"]
    assert min(found["seconds a step"].values()) > 0
    runner.main(toy(), ["--seeds", "0"], folder)
    assert list(stored(folder)) == ["settings", "a", "b", "seconds a step"]


def test_what_is_measured_before_the_training(folder):
    def untrained(model, variant, data):
        return {"before": float(model.evaluate(*data, verbose=0))}

    _, found, _ = runner.run(toy(before=untrained), "b", 0, load())
    assert found["before"] > found["loss"]


def test_language_models_are_compiled_as_in_the_chapters():
    model = keras.Sequential([keras.layers.Dense(3)])
    fit = runner.Fit(np.zeros((9, 2)), np.array([[0, 1], [2, -1]] * 4 + [[-1, -1]]), 4, 10)
    assert fit.steps == 30
    assert fit.predictions == 10 * 12
    same, _ = runner.compile_language_model(model, fit, 0.5, warmup=10)
    assert same is model
    assert (model.optimizer.beta_2, model.optimizer.global_clipnorm) == (0.98, 1.0)
    assert model.optimizer.clipnorm is None
    rates = [float(model.optimizer._learning_rate(step)) for step in (0, 10, 30)]
    np.testing.assert_allclose(rates, [0, 0.5, 0], atol=1e-7)  # float32 of a cosine's end
    # -1 is not scored: two certain tokens out of three classes, whatever the third says.
    loss = model.loss(np.array([[0, -1]]), np.array([[[9.0, 0, 0], [0, 0, 0]]], "float32"))
    assert float(loss) == pytest.approx(np.log(1 + 2 * np.exp(-9)), rel=1e-3)
