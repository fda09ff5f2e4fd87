"""Trains and measures models with several seeds: what all scripts of this folder share.

A script describes an `Experiment` and calls `main`. All of them have the same command line:

    python chapters/experiments/02_stories.py                         # all that is missing
    python chapters/experiments/02_stories.py --only lstm --seeds 0 1
    python chapters/experiments/02_stories.py --calibrate             # seconds of a step

Results are stored after every run (store.py): a script that was interrupted goes on where it
stopped, and several processes may share the runs of one script.
"""

import argparse
import itertools
import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from store import RESULTS, Results

from lmkit.batches import IGNORE
from lmkit.callbacks import EpochReport
from lmkit.files import write_atomic
from lmkit.training import lm_loss, warmup_cosine


class Fit(NamedTuple):
    """What a model is trained on, and for how long."""

    inputs: np.ndarray
    targets: np.ndarray
    batch_size: int
    epochs: int = 1
    options: dict | None = None  # further arguments of model.fit

    @property
    def steps(self):
        """Batches of the whole training run; the last one of an epoch may be smaller."""
        return self.epochs * math.ceil(len(self.inputs) / self.batch_size)

    @property
    def predictions(self):
        """Targets that are scored in the whole training run."""
        return self.epochs * int((np.asarray(self.targets) != IGNORE).sum())


@dataclass(frozen=True)
class Experiment:
    """What a script measures. Every function gets as `data` what `load` has returned."""

    name: str
    settings: dict
    variants: dict  # names, and named tuples of plain values (or None): their own settings
    load: Callable  # () -> data
    build: Callable  # (variant, data, seed) -> compiled model, Fit
    measure: Callable  # (model, variant, data, history) -> what was found, a dict or a number
    before: Callable | None = None  # (model, variant, data) -> a dict, before the training
    contenders: Callable | None = None  # (data) -> {name: (model, Fit)}, whose steps are timed
    header: Callable | None = None  # (data) -> what the file holds first; None: the settings
    weights: dict = field(default_factory=dict)  # (variant, seed) -> file for its weights
    seeds: tuple = (0, 1, 2, 3, 4)
    as_lists: bool = False


def compile_language_model(model, fit, learning_rate, warmup=None, loss=None, xla=True):
    """Compiles a model as every chapter from 02 on does; returns the model and `fit`."""
    schedule = warmup_cosine(learning_rate, fit.steps, warmup)
    optimizer = keras.optimizers.Adam(schedule, beta_2=0.98, global_clipnorm=1.0)
    model.compile(optimizer, loss or lm_loss(), jit_compile=xla)
    return model, fit


def compile_classifier(model, fit, optimizer):
    """Compiles a classifier of reviews; returns the model and `fit`."""
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"], jit_compile=True)
    return model, fit


def run(experiment, name, seed, data):
    """Trains one variant with one seed: the model, what was found, the seconds of training."""
    variant = experiment.variants[name]
    keras.utils.clear_session()  # otherwise every model slows the next one down
    keras.utils.set_random_seed(seed)
    model, fit = experiment.build(variant, data, seed)
    before = experiment.before(model, variant, data) if experiment.before else {}
    options = dict(fit.options or {})
    # EpochReport comes last: it prints what the other callbacks have measured.
    options["callbacks"] = [*options.get("callbacks", []), EpochReport()]
    options |= {"batch_size": fit.batch_size, "epochs": fit.epochs, "verbose": 0}
    started = time.perf_counter()
    history = model.fit(fit.inputs, fit.targets, **options).history
    seconds = time.perf_counter() - started
    found = experiment.measure(model, variant, data, history)
    if isinstance(found, dict):
        cost = {"steps": fit.steps, "predictions": fit.predictions, "seconds": seconds}
        found = {"parameters": model.count_params(), **cost, **before, **found}
    return model, found, seconds


def seconds_per_step(contenders, steps=32, turns=5):
    """The median seconds of a training step, a dict from each model's name.

    The models take turns, so that whatever else the machine does slows all of them alike.
    """
    seconds = {name: [] for name in contenders}
    for turn in range(turns + 1):
        for name, (model, fit) in contenders.items():
            rows = slice(steps * fit.batch_size)
            few = Fit(fit.inputs[rows], fit.targets[rows], fit.batch_size)
            started = time.perf_counter()
            model.fit(few.inputs, few.targets, batch_size=few.batch_size, verbose=0)
            if turn:  # the first turn compiles
                seconds[name].append((time.perf_counter() - started) / few.steps)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def store_weights(model, path):
    """Writes a model's weights, without the optimizer's, which are twice as many."""
    optimizer, model.optimizer = model.optimizer, None
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / path.name
            model.save_weights(file)
            write_atomic(path, file.read_bytes())
    finally:
        model.optimizer = optimizer


def command_line(experiment, arguments):
    """The same for all scripts: which variants, which seeds, or the timing of the steps."""
    parser = argparse.ArgumentParser(description=f"Runs of {experiment.name}, with several seeds.")
    names, seeds = list(experiment.variants), list(experiment.seeds)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--seeds", nargs="+", type=int, default=seeds, metavar="SEED")
    parser.add_argument("--calibrate", action="store_true", help="time the training steps")
    chosen = parser.parse_args(arguments)
    if chosen.calibrate and not experiment.contenders:
        parser.error(f"{experiment.name} does not compare models at equal cost")
    return chosen


def main(experiment, arguments=None, folder=RESULTS):
    """Runs what the results do not hold yet, or times the steps of the training."""
    chosen = command_line(experiment, arguments)
    settings = {
        name: experiment.settings | (variant._asdict() if variant else {})
        for name, variant in experiment.variants.items()
    }
    results = Results(experiment.name, settings, {}, experiment.as_lists, folder)
    for name in chosen.only:
        results.check(name)  # before the minutes of loading and training
    data = experiment.load()
    results.header = {"settings": experiment.settings}
    if experiment.header:
        results.header = experiment.header(data)
    if chosen.calibrate:
        return results.put("seconds a step", seconds_per_step(experiment.contenders(data)))
    for seed, name in itertools.product(chosen.seeds, chosen.only):
        # Read again each time: another process may have stored the run meanwhile.
        if str(seed) in results.runs(name):
            continue
        print(f"{name}, seed {seed}", flush=True)
        model, found, seconds = run(experiment, name, seed, data)
        if (name, seed) in experiment.weights:
            # Before the run itself: a run that is stored is never repeated.
            store_weights(model, folder / experiment.weights[name, seed])
        results.add(name, seed, found, seconds)
        print(f"{name}, seed {seed}: stored after {seconds:.0f} s of training", flush=True)
