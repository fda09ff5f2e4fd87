"""Training that can be killed at any moment and ends as if nothing had happened."""

import keras
import numpy as np

from lmkit._checkpoint_files import CheckpointFolder
from lmkit._training_state import get_state, identity, set_state
from lmkit.checks import check_whole


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
    """Trains like `model.fit`, and goes on where a training that was killed has stopped.

    Run the same lines again after an interruption: same model, same data, same arguments.
    On the same machine, backend and versions the training ends with the same bits as one
    that was never interrupted: weights, optimizer, history, dropout, order of the rows,
    callbacks, Python's and NumPy's random numbers. A training that has ended is not
    repeated; its end is restored. To begin anew, delete the folder.

    What is kept of a callback are its attributes: numbers, texts, arrays, and lists, tuples
    and dictionaries of them; functions and models are taken for settings. A callback that
    holds something else, or much that never changes, may have `get_state()`, a dictionary
    of what is to be kept, and `set_state(state)`, which takes it back.

    Not kept: the random numbers that `keras.random` draws without a seed outside of layers.

    Args:
        model: a compiled model. Its initial weights matter to the first start alone.
        x: the inputs, a NumPy array `(rows, ...)`.
        y: the targets, a NumPy array with as many rows.
        backup_dir: a folder for this training alone; it is made if it is missing. It holds
            the last two checkpoints. One process at a time.
        batch_size: rows a step.
        epochs: passes over the rows. May be more than in the training that was interrupted.
        seed: the order of the rows in an epoch is a function of `(seed, epoch)`.
        callbacks: as in `fit`.
        validation_data: as in `fit`.
        save_freq: `"epoch"`, or a number: after so many batches, and after every epoch.

    Returns:
        Keras's `History`, with all epochs in it.

    Raises:
        TypeError: if a callback is none, or holds what cannot be kept.
        ValueError: for a model that is not compiled, arrays that do not fit together, a
            wrong number, an optimizer that averages weights (`use_ema`); if the folder holds
            another training (the message names both) or nothing but damaged checkpoints.
        OSError: if a checkpoint cannot be written.

    Example:
        >>> history = fit_with_backup(model, ids[:, :-1], ids[:, 1:], "backup", epochs=4)
        going on in epoch 2 of 4, after batch 300 of 563

    Source: what `keras.callbacks.BackupAndRestore` leaves out; notebook 04c.
    """
    x, y = _check_arrays(x, y)
    _check_numbers(batch_size, epochs, seed, save_freq)
    _check_model(model)
    _build(model, x[:1], y[:1])
    run = _Run(_check_callbacks(callbacks), model, epochs, -(-len(x) // batch_size), save_freq)
    for epoch in run.begin(CheckpointFolder(backup_dir, identity(run, x, y, batch_size, seed))):
        order = np.random.default_rng([seed, epoch]).permutation(len(x))[run.done * batch_size :]
        # Keras's own shuffling could not be found again; an epoch a call, so that the first
        # one may be the rest of an epoch.
        model.fit(
            x[order],
            y[order],
            batch_size=batch_size,
            shuffle=False,
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=0,
            validation_data=validation_data,
            callbacks=run,
        )
    return run.end()


class _Run(keras.callbacks.CallbackList):
    """The callbacks of a whole training, which `fit` calls for a piece of it at a time."""

    def __init__(self, callbacks, model, epochs, steps, save_freq):
        super().__init__(callbacks, add_history=True, model=model, epochs=epochs, steps=steps)
        self.epoch = self.done = self._first = 0  # done: batches of this epoch
        self._stopped, self._restored = False, None
        self._save_freq = epochs * steps if save_freq == "epoch" else save_freq

    def begin(self, folder):
        """Takes up the training; yields the epochs that are to be done."""
        self._folder = folder
        super().on_train_begin()
        self._restored = folder.load()
        if self._restored is None:
            self._save()  # so that what cannot be kept is known before an hour of training
        else:
            self._restore()
        self._saved = self._position()
        while self.epoch < self.params["epochs"] and not self._stopped:
            yield self.epoch

    def end(self):
        """Ends the training as `fit` does."""
        history = self.model.history
        super().on_train_end({name: values[-1] for name, values in history.history.items()})
        return history

    def on_train_begin(self, logs=None):
        """A piece begins: nothing."""

    def on_train_end(self, logs=None):
        """A piece ends: nothing."""

    def on_epoch_begin(self, epoch, logs=None):
        """Remembers where in the epoch this piece of it begins."""
        super().on_epoch_begin(epoch, logs)
        self._first = self.done

    def on_train_batch_begin(self, batch, logs=None):
        """Numbers the batches from the start of the epoch."""
        if self._restored and self.done:
            # Again: since the first time `fit` has set the metrics to zero, and on PyTorch drawn.
            set_state(self, self._restored)
        self._restored = None
        super().on_train_batch_begin(self._first + batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        """Saves, if it is due. The last batch of an epoch is saved with the epoch's end."""
        super().on_train_batch_end(self._first + batch, logs)
        self.done = self._first + batch + 1
        due = self._position() - self._saved >= self._save_freq
        if due and self.done < self.params["steps"] and not self.model.stop_training:
            self._save()

    def on_epoch_end(self, epoch, logs=None):
        """Saves."""
        super().on_epoch_end(epoch, logs)
        self.epoch, self.done, self._stopped = epoch + 1, 0, self.model.stop_training
        self._save()

    def _position(self):
        return self.epoch * self.params["steps"] + self.done

    def _save(self):
        where = {"epoch": self.epoch, "done": self.done, "stopped": self._stopped}
        self._folder.save(self._position(), {**where, **get_state(self)})
        self._saved = self._position()

    def _restore(self):
        found, (epochs, steps) = self._restored, (self.params["epochs"], self.params["steps"])
        self.epoch, self.done, self._stopped = found["epoch"], found["done"], found["stopped"]
        if self.epoch + bool(self.done) > epochs:
            raise ValueError(
                f"{self._folder.path} holds {self.epoch} epochs and {self.done} batches, "
                f"which is more than epochs={epochs}"
            )
        set_state(self, found)
        self.model.stop_training = self._stopped
        if self.epoch == epochs or self._stopped:
            print(f"this training had ended, after epoch {self.epoch}")
        else:
            print(f"going on in epoch {self.epoch + 1} of {epochs}, after batch", end=" ")
            print(f"{self.done} of {steps}")


# What is refused.


def _check_arrays(x, y):
    x, y = np.asarray(x), np.asarray(y)
    for name, array in (("x", x), ("y", y)):
        if array.ndim == 0 or array.size == 0 or array.dtype.kind not in "biuf":
            raise ValueError(
                f"{name} must be a NumPy array of numbers, not empty, got {array.dtype} of shape "
                f"{array.shape}"
            )
    if len(x) != len(y):
        raise ValueError(f"x and y need as many rows, got {len(x)} and {len(y)}")
    return x, y


def _check_numbers(batch_size, epochs, seed, save_freq):
    check_whole("batch_size", batch_size)
    check_whole("epochs", epochs)
    check_whole("seed", seed, least=0)
    if save_freq != "epoch":
        check_whole('save_freq, if not "epoch",', save_freq)


def _check_model(model):
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a keras.Model, got {type(model).__name__}")
    if not model.compiled or model.optimizer is None:
        raise ValueError(f"the model {model.name} is not compiled: call model.compile first")
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if getattr(inner, "use_ema", False):
        raise ValueError(
            "use_ema=True: Keras replaces the weights by their averages at the end of every fit, "
            "and here an epoch is one"
        )


def _check_callbacks(callbacks):
    callbacks = [] if callbacks is None else callbacks
    for each in callbacks if isinstance(callbacks, list | tuple) else [callbacks]:
        if not isinstance(each, keras.callbacks.Callback):
            raise TypeError(f"callbacks must be a list of callbacks, got {type(each).__name__}")
    return list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]


def _build(model, x, y):
    """Makes everything that `fit` would make, so that every start of it finds the same."""
    predicted = model(x)
    model.compute_loss(x, y, predicted)
    model.compute_metrics(x, y, predicted)
    model.reset_metrics()
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
