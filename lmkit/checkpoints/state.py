"""What a training run consists of: all that decides how it continues, and which run it is."""

import functools
import hashlib
import inspect
import json
import random
import re

import keras
import numpy as np
from keras import ops

from lmkit.backend import random_state, set_random_state
from lmkit.checkpoints.storage import pack


def get_state(run):
    """Collects everything that decides how a run continues, except its position.

    Args:
        run: the run's `CallbackList`, with its model and its `attributes`.

    Returns:
        A dictionary that `storage.pack` takes.
    """
    return {
        "variables": [_array(variable) for variable in variables(run.model)],
        "callbacks": run.attributes.changed(),
        "python": random.getstate(),
        "numpy": np.random.get_state(legacy=False),
        "backend": random_state(),
    }


def set_state(run, state):
    """Puts back what `get_state` returned.

    Args:
        run: the same run's `CallbackList`.
        state: the dictionary.
    """
    for variable, array in zip(variables(run.model), state["variables"], strict=True):
        variable.assign(array)
    run.attributes.put_back(state["callbacks"])
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    set_random_state(state["backend"])


def variables(model):
    """Lists all variables of a run.

    Args:
        model: a compiled model whose variables are made.

    Returns:
        Weights and dropout seeds, the optimizer's variables, the sums behind the metrics.
    """
    return [*model.variables, *model.optimizer.variables, *model.metrics_variables]


class Attributes:
    """The attributes of callbacks, and which of them a run has changed.

    What does not change needs no keeping: models, functions, held-out data.

    Args:
        callbacks: the callbacks of a run that is about to begin.
    """

    def __init__(self, callbacks):
        self._named = {f"{n} {type(each).__name__}": each for n, each in enumerate(callbacks)}
        # A callback's own get_state decides alone; it may hold what cannot be compared.
        self._before = {
            name: {key: _fingerprint(name, key, value) for key, value in _data(each)}
            for name, each in self._named.items()
            if not hasattr(each, "get_state")
        }

    def changed(self):
        """Collects what has changed since the run began, a dictionary per callback."""
        return {name: self._changed(name, each) for name, each in self._named.items()}

    def _changed(self, name, callback):
        if name not in self._before:
            return callback.get_state()
        before = self._before[name]
        return {
            key: value
            for key, value in _data(callback)
            if before.get(key) != _fingerprint(name, key, value)
        }

    def put_back(self, states):
        """Gives the callbacks what `changed` has collected."""
        for name, callback in self._named.items():
            if hasattr(callback, "set_state"):
                callback.set_state(states[name])
            else:
                vars(callback).update(states[name])


def _data(callback):
    """Lists the attributes that are data; functions, classes and models are settings."""
    settings = (type, np.ufunc, functools.partial, keras.Model)
    for key, value in vars(callback).items():
        setting = inspect.isroutine(value) or isinstance(value, settings)
        if key not in ("_model", "params") and not setting:
            yield key, value


def _fingerprint(name, key, value):
    """Makes something to compare a value with later, when it may have changed in place."""
    try:
        return hashlib.sha256(pack({key: value})).digest()
    except TypeError as error:
        advice = "Give the callback get_state() and set_state(state)"
        if hasattr(value, "fileno"):
            advice = f"It is an open file. Write the history after the run instead, or: {advice}"
        raise TypeError(f"callback {name}: {error}. {advice}") from None


def _array(variable):
    # NumPy has no bfloat16, and float32 holds each of its values.
    value = ops.cast(variable, "float32") if variable.dtype == "bfloat16" else variable
    return ops.convert_to_numpy(value)


def identity(run, x, y, batch_size, seed):
    """Tells which run it is, in words that a message can show.

    Args:
        run: its `CallbackList`, with the model.
        x: the inputs.
        y: the targets.
        batch_size: rows per step.
        seed: of the order of the rows.

    Returns:
        A dictionary of texts; what cannot be shown stands in them as a checksum.
    """
    model = run.model
    shapes = [[list(each.shape), str(each.dtype)] for each in variables(model)]
    checksum = _digest(shapes, _without_names(_config(model)))
    optimizer = _digest(_without_names(model.get_compile_config()))
    return {
        "backend": keras.backend.backend(),
        "model": f"{type(model).__name__} with {model.count_params():,} parameters ({checksum})",
        "compiled with": f"{type(model.optimizer).__name__} ({optimizer})",
        "data": f"{x.shape} and {y.shape} ({_digest(x, y)})",
        "batch_size": str(batch_size),
        "seed": str(seed),
        "callbacks": ", ".join(type(each).__name__ for each in run.callbacks),
    }


def _config(model):
    try:
        return model.get_config()
    except NotImplementedError:  # a class of the reader's: its variables must do
        return {}


def _without_names(config):
    """Drops what differs when the same model is made twice."""
    if isinstance(config, dict):
        passing = ("name", "build_config", "build_input_shape")
        return {k: _without_names(v) for k, v in config.items() if k not in passing}
    if isinstance(config, list | tuple):
        return [_without_names(item) for item in config]
    return re.sub(r"_\d+$", "", config) if isinstance(config, str) else config


def _digest(*values):
    found = hashlib.sha256()
    for value in values:
        if isinstance(value, np.ndarray):
            found.update(np.ascontiguousarray(value).data)
        else:
            text = json.dumps(value, default=lambda other: type(other).__name__, sort_keys=True)
            found.update(text.encode())
    return found.hexdigest()[:8]
