"""What a training run consists of: all that decides how it continues, and which run it is."""

import copy
import hashlib
import inspect
import json
import random
import re
from contextlib import suppress
from functools import partial

import keras
import numpy as np
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from lmkit.backend import random_state, set_random_state
from lmkit.checkpoints.storage import pack

# Attributes of a callback that are settings of the run, as its functions are.
_SETTINGS = type, np.ufunc, partial, keras.Model, LearningRateSchedule
_ADVICE = "give the callback get_state() and set_state(state); get_state may return {}"


def get_state(run):
    """Collects everything that decides how a run continues, except its position.

    Args:
        run: the run's `CallbackList`: its model, and `before`, the callbacks' fingerprints.

    Returns:
        A dictionary that `storage.pack` takes.
    """
    return {
        "variables": [ops.convert_to_numpy(variable) for variable in variables(run.model)],
        "callbacks": changed(run.callbacks, run.before),
        # A callback or a data set may draw between two batches: it must draw the same next.
        "python": random.getstate(),
        "numpy": np.random.get_state(legacy=False),
        "backend": random_state(),
    }


def set_state(run, state):
    """Puts back what `get_state` returned, as often as it is called.

    Args:
        run: the same run's `CallbackList`.
        state: the dictionary; it stays as it is.
    """
    # Assigned, never replaced: fit's compiled step reads these very variables.
    for variable, array in zip(variables(run.model), state["variables"], strict=True):
        variable.assign(array)
    # A copy, because callbacks change their lists and arrays in place.
    states = copy.deepcopy(state["callbacks"])
    for callback, attributes in zip(run.callbacks, states, strict=True):
        getattr(callback, "set_state", vars(callback).update)(attributes)
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


def fingerprints(callbacks):
    """Remembers what the attributes of callbacks are, to notice later which of them changed.

    Args:
        callbacks: a list of them.

    Returns:
        A dictionary per callback, from the names of its attributes to checksums.

    Raises: TypeError for an attribute that cannot be stored; the message says what to do.
    """
    return [_fingerprints(number, each) for number, each in enumerate(callbacks)]


def changed(callbacks, before):
    """Collects the attributes that a run has changed; models and held-out data stay out.

    Args:
        callbacks: the run's callbacks.
        before: their fingerprints at its beginning.

    Returns:
        A dictionary per callback: from its own `get_state`, if it has one.
    """
    states = []
    for callback, old, new in zip(callbacks, before, fingerprints(callbacks), strict=True):
        state = {key: vars(callback)[key] for key in new if new[key] != old.get(key)}
        states.append(callback.get_state() if hasattr(callback, "get_state") else state)
    return states


def _fingerprints(number, callback):
    found = {}
    # A callback's own get_state decides alone: the rest of it may be what cannot be stored.
    for key, value in {} if hasattr(callback, "get_state") else vars(callback).items():
        setting = inspect.isroutine(value) or isinstance(value, _SETTINGS)
        if setting or key in ("_model", "params"):
            continue
        try:
            # A checksum sees changes made in place, and needs no second copy of held-out data.
            found[key] = hashlib.sha256(pack({key: value})).digest()
        except TypeError as error:
            name, file = f"callback {number} ({type(callback).__name__})", hasattr(value, "fileno")
            what = f" keeps an open file, {key}, which cannot be stored" if file else f": {error}"
            instead = "write the history after the run, or " * file
            raise TypeError(f"{name}{what}: {instead}{_ADVICE}") from None
    return found


def identity(run, x, y, batch_size, seed):
    """Tells which run it is, in words that a message can show.

    Args:
        run: its `CallbackList`, with the model.
        x: the inputs.
        y: the targets.
        batch_size: rows per step.
        seed: of the order of the rows.

    Returns:
        A dictionary of texts; what is too long to show stands in them as a checksum.
    """
    # A configuration shows what shapes do not: the rate of dropout, an activation.
    model, config = run.model, {}
    with suppress(NotImplementedError):  # a class of the reader's: its variables must do
        config = model.get_config()
    shapes = [[list(each.shape), str(each.dtype)] for each in variables(model)]
    checksum, compiled = (
        _digest(_text([shapes, config])),
        _digest(_text(model.get_compile_config())),
    )
    return {
        "backend": keras.backend.backend(),
        "model": f"{type(model).__name__} with {model.count_params():,} parameters ({checksum})",
        "compiled with": f"{type(model.optimizer).__name__} ({compiled})",
        "data": f"{x.shape} and {y.shape} ({_digest(x.tobytes() + y.tobytes())})",
        "batch_size": str(batch_size),
        "seed": str(seed),
        "callbacks": ", ".join(type(each).__name__ for each in run.callbacks),
    }


def _text(config):
    # By its type, because a text for an object would hold its address, new in every process.
    text = json.dumps(config, default=lambda other: type(other).__name__, sort_keys=True)
    return re.sub(r'_\d+"', '"', text).encode()  # "dense_1" is "dense", made once more


def _digest(data):
    return hashlib.sha256(data).hexdigest()[:8]
