"""Training callbacks."""

import time

import keras
import numpy as np

from lmkit import _arguments
from lmkit.batches import IGNORE
from lmkit.metrics import score_tokens


class EpochReport(keras.callbacks.Callback):
    """Prints one plain line per epoch: metrics, seconds, time left. Use it with `verbose=0`.

    While an epoch runs, a dot appears for each tenth of it. Nothing is ever overwritten, so
    the output can be stored in a notebook.

    Args:
        clock: a function that returns the time in seconds.

    Example:
        >>> history = model.fit(ids, labels, epochs=2, verbose=0, callbacks=[EpochReport()])
        epoch 1/2 .......... loss 0.6931  accuracy 0.5000  3.1 s, 3 s left
        epoch 2/2 .......... loss 0.5212  accuracy 0.7580  2.6 s
    """

    _DOTS = 10

    def __init__(self, clock=time.perf_counter):
        super().__init__()
        self._lap = _stopwatch(clock)

    def on_train_begin(self, logs=None):
        """Forgets what an earlier training run took."""
        # Durations, never readings of the clock: an interrupted training run takes these numbers
        # to another process, and there the clock starts elsewhere.
        self._spent, self._epochs = 0.0, 0

    def on_epoch_begin(self, epoch, logs=None):
        """Opens the line."""
        self._lap()  # the time until now does not belong to this epoch
        self._seconds, self._dots = 0.0, 0
        print(f"epoch {epoch + 1}/{self.params['epochs']} ", end="", flush=True)

    def on_train_batch_end(self, batch, logs=None):
        """Adds the dots that are due."""
        self._seconds += self._lap()
        steps = self.params.get("steps")
        if steps:  # unknown in the first epoch over a generator
            self._print_dots(self._DOTS * (batch + 1) // steps)

    def on_epoch_end(self, epoch, logs=None):
        """Closes the line."""
        self._seconds += self._lap()
        self._spent, self._epochs = self._spent + self._seconds, self._epochs + 1
        if self.params.get("steps"):
            self._print_dots(self._DOTS)
        metrics = "  ".join(f"{name} {_shown(value)}" for name, value in (logs or {}).items())
        left = self._spent / self._epochs * (self.params["epochs"] - epoch - 1)
        line = f" {metrics}  {self._seconds:.1f} s"
        print(line + (f", {left:.0f} s left" if left else ""), flush=True)

    def _print_dots(self, due):
        # Flushed, or the dots of a long epoch would all come at its end.
        print("." * (due - self._dots), end="", flush=True)
        self._dots = due


class GapToFloor(keras.callbacks.Callback):
    """Adds `val_gap` to the logs: the loss on held-out text minus its floor.

    In nats per scored token. (`val_loss` will not do: Keras averages the means of batches, and
    a batch of short stories weighs as much as one of long ones.) A gap clearly below 0 is a
    leak: the model reads what it should predict.

    Put it before the callbacks that read the logs:
    `callbacks=[GapToFloor(...), EpochReport(), TextSample(...)]`.

    Args:
        inputs: ids `(rows, time)`. Every row begins where a story begins.
        targets: ids `(rows, time)`, IGNORE where a position is not scored.
        floor: the mean of -log p_true over exactly the targets that are scored.
        batch_size: as for `score_tokens`.

    Example:
        >>> inputs, targets = next_tokens(stories.encode(held_out))
        >>> floor = -np.concatenate([log_probabilities(story) for story in held_out]).mean()
        >>> callbacks = [GapToFloor(inputs, targets, floor), EpochReport()]
        >>> history = model.fit(*training, verbose=0, callbacks=callbacks)
        epoch 1/1 .......... loss 1.0214  val_gap 0.2071  3.1 s
    """

    def __init__(self, inputs, targets, floor, batch_size=None):
        super().__init__()
        self._inputs = _arguments.ids("inputs", inputs, 2)
        self._targets = _arguments.targets(targets, self._inputs.shape)
        self._scored = self._targets != IGNORE  # the mean is over these alone
        if not self._scored.any():
            raise ValueError("every target is IGNORE: there is nothing to score")
        self.floor = _arguments.real("floor", floor, least=0)
        if batch_size is not None:  # checked now, not after an epoch
            batch_size = _arguments.whole("batch_size", batch_size)
        self._batch_size = batch_size

    def on_epoch_end(self, epoch, logs=None):
        """Scores the held-out text."""
        if logs is not None:
            losses = score_tokens(self.model, self._inputs, self._targets, self._batch_size)
            # NaN stays NaN: a model that has diverged must not look like a good one.
            logs["val_gap"] = float(losses[self._scored].mean()) - self.floor


class TextSample(keras.callbacks.Callback):
    """Prints a text after an epoch, such as one that the model generates.

    List it after `EpochReport`, which closes its line at the end of the epoch.

    Args:
        generate: a function without arguments that returns the text.
        every: 1 for every epoch, 2 for every second one, and so on.

    Example:
        >>> sample = TextSample(lambda: "One warm Monday Mia", every=2)
        >>> for epoch in range(3):
        ...     sample.on_epoch_end(epoch)
            after epoch 2: One warm Monday Mia
    """

    def __init__(self, generate, every=1):
        super().__init__()
        if not callable(generate):
            raise TypeError(f"generate must be a function, got {type(generate).__name__}")
        self._generate, self._every = generate, _arguments.whole("every", every)

    def on_epoch_end(self, epoch, logs=None):
        """Prints the text, if it is due."""
        if (epoch + 1) % self._every == 0:
            print(f"    after epoch {epoch + 1}: {self._generate()}", flush=True)


def _stopwatch(clock):
    """Makes a function that returns the seconds since it was called last."""
    last = clock()

    def lap():
        nonlocal last
        before, last = last, clock()
        return last - before

    return lap


def _shown(value):
    """Writes a number, or the numbers of an array such as F1Score's, or anything else."""
    try:
        numbers = np.asarray(value, "float64")
    except (TypeError, ValueError):  # printing must not end a training run
        return str(value)
    digits = [f"{number:.4f}" for number in numbers.ravel()]
    return f"[{', '.join(digits)}]" if numbers.ndim else digits[0]
