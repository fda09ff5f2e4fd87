"""Training like `model.fit` that continues where a killed run has stopped."""

import keras
import numpy as np

from lmkit import _arguments
from lmkit.checkpoints.state import fingerprints, get_state, identity, set_state
from lmkit.checkpoints.storage import CheckpointFolder


def fit_with_backup(
    model,
    x,
    y,
    backup_dir,
    batch_size=32,
    epochs=1,
    seed=0,
    callbacks=None,
    validation_data=None,
    save_freq="epoch",
):
    """Trains like `model.fit`, and continues where a run that was killed has stopped.

    Run the same lines again: the run ends with the same bits as one that was never interrupted
    (same machine, backend and versions), Python's and NumPy's random numbers included. Not
    stored are numbers that `keras.random` draws without a seed outside of layers. A run that
    has ended is not repeated.

    Args:
        model: a compiled model. Its initial weights matter to the first start only.
        x, y: inputs and targets, NumPy arrays `(rows, ...)`.
        backup_dir: a folder for this run alone. Delete it to start over.
        batch_size, epochs, validation_data: as for `fit`.
        seed: the order of the rows in an epoch is a function of `(seed, epoch)`.
        callbacks: as for `fit`. What a run changes in them is stored: numbers, texts, arrays,
            and lists, tuples and dictionaries of them. A callback that holds anything else
            needs `get_state()` and `set_state(state)`.
        save_freq: `"epoch"`, or a number: after so many batches, and after every epoch.

    Returns:
        Keras's `History`, with all epochs in it.

    Example:
        >>> history = fit_with_backup(model, inputs, targets, "backup", epochs=4)
        continuing in epoch 2 of 4, after batch 300 of 563
    """
    x, y = _check_arrays(x, y)
    batch_size = _arguments.whole("batch_size", batch_size)
    epochs, seed = _arguments.whole("epochs", epochs), _arguments.whole("seed", seed, least=0)
    if save_freq != "epoch":
        save_freq = _arguments.whole('save_freq, if not "epoch",', save_freq)
    _check_model(model)
    _build(model, x[:1], y[:1])
    run = _Run(_check_callbacks(callbacks), model, epochs, -(-len(x) // batch_size), save_freq)
    for epoch in run.begin(CheckpointFolder(backup_dir, identity(run, x, y, batch_size, seed))):
        # Keras's own shuffling could not be repeated from the middle of an epoch.
        order = np.random.default_rng([seed, epoch]).permutation(len(x))[run.done * batch_size :]
        # One epoch per call of fit, so that the first one may be the rest of an epoch.
        model.fit(
            x[order], y[order], batch_size=batch_size, shuffle=False, initial_epoch=epoch,
            epochs=epoch + 1, verbose=0, validation_data=validation_data, callbacks=run,
        )  # fmt: skip
    return run.end()


class _Run(keras.callbacks.CallbackList):
    """The callbacks of a whole run, which `fit` calls for one piece of it at a time."""

    def __init__(self, callbacks, model, epochs, steps, save_freq):
        params = {"epochs": epochs, "steps": steps, "verbose": 0}  # what fit tells them
        super().__init__(callbacks, add_history=True, model=model, **params)
        self.epoch = self.done = self._first = 0  # done: batches of this epoch
        self._save_freq = epochs * steps if save_freq == "epoch" else save_freq

    def begin(self, folder):
        """Starts or resumes the run; yields the epochs that remain."""
        self._folder, self.model.stop_training = folder, False
        super().on_train_begin()
        # Only now: on_train_begin sets attributes, and opens the files that have to be refused.
        self.before = fingerprints(self.callbacks)
        self._restored = folder.load()
        if self._restored is None:
            self._save()  # what cannot be stored should be known before an hour of training
        else:
            self._restore()
        self._saved = self._position()
        while self.epoch < self.params["epochs"] and not self.model.stop_training:
            self._first = self.done  # where in the epoch this piece of it begins
            yield self.epoch

    def end(self):
        """Ends the run as `fit` does."""
        history = self.model.history
        super().on_train_end({name: values[-1] for name, values in history.history.items()})
        return history

    def on_train_begin(self, logs=None):
        """Does nothing: a piece begins, not the run."""

    def on_train_end(self, logs=None):
        """Does nothing: a piece ends, not the run."""

    def on_train_batch_begin(self, batch, logs=None):
        """Numbers the batches from the start of the epoch."""
        if self._restored and self.done:
            # Once more: meanwhile fit has reset the metrics, told the callbacks that an epoch
            # begins, which they know, and on PyTorch drawn random numbers.
            set_state(self, self._restored)
        self._restored = None
        super().on_train_batch_begin(self._first + batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        """Saves, if it is time to. The last batch is saved with the end of its epoch."""
        super().on_train_batch_end(self._first + batch, logs)
        # Not `done + 1`: with steps_per_execution, fit calls once for several batches.
        self.done = self._first + batch + 1
        due = self._position() - self._saved >= self._save_freq
        # A run that has been stopped goes on to on_epoch_end, which saves the whole of it.
        if due and self.done < self.params["steps"] and not self.model.stop_training:
            self._save()

    def on_epoch_end(self, epoch, logs=None):
        """Saves, when the callbacks have seen the end of the epoch."""
        super().on_epoch_end(epoch, logs)
        self.epoch, self.done = epoch + 1, 0
        self._save()

    def _position(self):
        return self.epoch * self.params["steps"] + self.done

    def _save(self):
        where = {"epoch": self.epoch, "done": self.done, "stopped": self.model.stop_training}
        self._folder.save(self._position(), {**where, **get_state(self)})
        self._saved = self._position()

    def _restore(self):
        found, (epochs, steps) = self._restored, (self.params["epochs"], self.params["steps"])
        self.epoch, self.done = found["epoch"], found["done"]
        if self._position() > epochs * steps:  # shorter now; more epochs than before are fine
            held = f"{self.epoch} epochs and {self.done} batches"
            raise ValueError(f"{self._folder.path} holds {held}, more than epochs={epochs}")
        set_state(self, found)
        self.model.stop_training = found["stopped"]
        if self.epoch == epochs or self.model.stop_training:
            print(f"this run had ended, after epoch {self.epoch}")
        else:
            where = f"epoch {self.epoch + 1} of {epochs}, after batch {self.done} of {steps}"
            print(f"continuing in {where}")


def _check_arrays(x, y):
    x, y = _arguments.array("x", x), _arguments.array("y", y)
    for name, array in (("x", x), ("y", y)):
        if array.ndim == 0 or array.size == 0:
            raise ValueError(f"{name} must be (rows, ...), not empty, got shape {array.shape}")
    if len(x) != len(y):
        raise ValueError(f"x and y need the same number of rows, got {len(x)} and {len(y)}")
    return x, y


def _check_model(model):
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a keras.Model, got {type(model).__name__}")
    if not model.compiled or model.optimizer is None:
        raise ValueError(f"the model {model.name} is not compiled: call model.compile first")
    # Mixed precision wraps the optimizer in another one, which scales the loss.
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if getattr(inner, "use_ema", False):
        # Keras replaces the weights by their averages at the end of every fit, and here every
        # epoch is one.
        raise ValueError("use_ema=True cannot be resumed: compile with use_ema=False")


def _check_callbacks(callbacks):
    callbacks = keras.tree.flatten([] if callbacks is None else callbacks)  # one alone, or a list
    for each in callbacks:
        if not isinstance(each, keras.callbacks.Callback):
            raise TypeError(f"callbacks must be a list of callbacks, got {type(each).__name__}")
    return callbacks


def _build(model, x, y):
    # Everything that fit would make, so that every start finds the same variables.
    predicted = model(x)
    model.compute_loss(x, y, predicted)
    model.compute_metrics(x, y, predicted)
    model.reset_metrics()
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
