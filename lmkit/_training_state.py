"""What a training consists of: everything that decides how it goes on, and which one it is."""

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


def get_state(run):
    """Everything that decides how a training goes on, but for its position.

    Args:
        run: the training's `CallbackList`, with its model.

    Returns:
        A dictionary that `lmkit._checkpoint_files.pack` takes.
    """
    return {
        "variables": [_array(variable) for variable in variables(run.model)],
        "callbacks": {name: _callback_state(each) for name, each in _named(run.callbacks)},
        "python": random.getstate(),
        "numpy": np.random.get_state(legacy=False),
        "backend": random_state(),
    }


def set_state(run, state):
    """Puts back what `get_state` returned.

    Args:
        run: the same training's `CallbackList`.
        state: the dictionary.
    """
    for variable, array in zip(variables(run.model), state["variables"], strict=True):
        variable.assign(array)
    for name, callback in _named(run.callbacks):
        if hasattr(callback, "set_state"):
            callback.set_state(state["callbacks"][name])
        else:
            vars(callback).update(state["callbacks"][name])
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    set_random_state(state["backend"])


def variables(model):
    """All variables of a training.

    Args:
        model: a compiled model whose variables are made.

    Returns:
        The weights and the seeds of dropout, then the optimizer's variables, then the sums
        behind the metrics.
    """
    return [*model.variables, *model.optimizer.variables, *model.metrics_variables]


def _array(variable):
    # NumPy has no bfloat16, and float32 holds each of its values.
    value = ops.cast(variable, "float32") if variable.dtype == "bfloat16" else variable
    return ops.convert_to_numpy(value)


def _named(callbacks):
    return [(f"{n} {type(each).__name__}", each) for n, each in enumerate(callbacks)]


def _callback_state(callback):
    if hasattr(callback, "get_state"):
        return callback.get_state()
    return {
        name: value
        for name, value in vars(callback).items()
        if name not in ("_model", "params") and not _is_setting(value)
    }


def _is_setting(value):
    kinds = (type, np.ufunc, functools.partial, keras.Model)
    return inspect.isroutine(value) or isinstance(value, kinds)


# Which training it is.


def identity(run, x, y, batch_size, seed):
    """Which training it is, in words that a message can show.

    Args:
        run: its `CallbackList`, with the model.
        x: the inputs.
        y: the targets.
        batch_size: rows a step.
        seed: of the order of the rows.

    Returns:
        A dictionary of texts. What cannot be shown stands in them as 8 digits of its SHA-256.
    """
    model = run.model
    shapes = [[list(each.shape), str(each.dtype)] for each in variables(model)]
    return {
        "backend": keras.backend.backend(),
        "model": f"{type(model).__name__} {model.count_params():,} numbers"
        f" ({_digest(shapes, _without_names(_config(model)))})",
        "compiled with": f"{type(model.optimizer).__name__}"
        f" ({_digest(_without_names(model.get_compile_config()))})",
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
    """A configuration without what changes when the same model is made twice."""
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
            kind = lambda other: type(other).__name__  # noqa: E731
            found.update(json.dumps(value, default=kind, sort_keys=True).encode())
    return found.hexdigest()[:8]
