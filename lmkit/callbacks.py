"""Training callbacks."""

import math
import numbers
import time

import keras
import numpy as np

from lmkit.checks import check_ids, check_whole
from lmkit.metrics import token_losses


class EpochReport(keras.callbacks.Callback):
    """Prints one plain line an epoch: metrics, seconds, time left.

    While an epoch runs, a dot appears for each tenth of it, so a long one is seen to
    move. Nothing is ever overwritten: the output stores cleanly in a notebook.
    Use it with `verbose=0`.

    Args:
        clock: a function that gives the time in seconds.

    Example:
        >>> history = model.fit(ids, labels, epochs=2, verbose=0, callbacks=[EpochReport()])
        epoch 1/2 .......... loss 0.6931  accuracy 0.5000  3.1 s, 3 s left
        epoch 2/2 .......... loss 0.5212  accuracy 0.7580  2.6 s
    """

    _DOTS = 10

    def __init__(self, clock=time.perf_counter):
        super().__init__()
        self._clock = clock

    def get_state(self):
        """Nothing that an interrupted training would have to find again."""
        return {}

    def on_train_begin(self, logs=None):
        """Starts the clock."""
        self._started = self._clock()
        self._first_epoch = None

    def on_epoch_begin(self, epoch, logs=None):
        """Opens the line."""
        if self._first_epoch is None:
            self._first_epoch = epoch  # not 0 when fit(initial_epoch=...) goes on
        self._epoch_started = self._clock()
        self._dots = 0
        print(f"epoch {epoch + 1}/{self.params['epochs']} ", end="", flush=True)

    def on_train_batch_end(self, batch, logs=None):
        """Adds the dots that have become due."""
        steps = self.params.get("steps")
        if steps:  # unknown in the first epoch over a generator
            self._print_dots(self._DOTS * (batch + 1) // steps)

    def on_epoch_end(self, epoch, logs=None):
        """Closes the line."""
        now = self._clock()
        if self.params.get("steps"):
            self._print_dots(self._DOTS)
        metrics = "  ".join(f"{name} {value:.4f}" for name, value in (logs or {}).items())
        line = f" {metrics}  {now - self._epoch_started:.1f} s"
        done = epoch + 1 - self._first_epoch
        left = (now - self._started) / done * (self.params["epochs"] - epoch - 1)
        print(line + (f", {left:.0f} s left" if left else ""), flush=True)

    def _print_dots(self, due):
        print("." * (due - self._dots), end="", flush=True)
        self._dots = due


class GapToFloor(keras.callbacks.Callback):
    """Adds `val_gap` to the logs: the loss on held-out stories minus what nobody can beat.

    In nats per scored token, every token counted once. (`val_loss` will not do: Keras
    averages the means of batches, and a batch of short stories weighs as much as one of
    long ones.) A gap clearly below 0 is a leak: the model reads what it should predict.

    Put it before the callbacks that read the logs, as in
    `callbacks=[GapToFloor(...), EpochReport(), TextSample(...)]`.

    Args:
        ids: held-out stories, `(stories, time)`, padded with 0 on the right. Every row
            starts at a story's start. The model gets all but the last id of a row and is
            scored on all but the first, padding left out.
        floor: the mean of -log p_true over those very tokens, all but the first of each story.
        batch_size: stories scored at once.

    Raises:
        TypeError: if the ids are not whole numbers.
        ValueError: if they are no such rows, the floor is not a number from 0, or, after
            the first epoch, an id has no logit.

    Example:
        >>> logs = [log_probabilities(story) for story in held_out]
        >>> floor = -np.mean(np.concatenate([row[1:] for row in logs]))
        >>> callbacks = [GapToFloor(ids, floor), EpochReport()]
        >>> history = model.fit(inputs, targets, verbose=0, callbacks=callbacks)
        epoch 1/1 .......... loss 1.0214  val_gap 0.2071  3.1 s

    Built by hand in: chapters/02_lstm_language_model.ipynb
    """

    def __init__(self, ids, floor, batch_size=256):
        super().__init__()
        self._ids = check_ids(ids, np.inf)
        if not self._ids[:, 0].all():
            raise ValueError(
                f"row {np.argmin(self._ids[:, 0] != 0)} begins with padding: pad on the right"
            )
        if not self._ids[:, 1:].any():
            raise ValueError("no row holds a second token: there is nothing to score")
        if not isinstance(floor, numbers.Real) or not 0 <= floor < math.inf:
            raise ValueError(f"floor must be a number of at least 0, got {floor!r}")
        check_whole("batch_size", batch_size)
        self.floor, self._batch_size = float(floor), batch_size

    def get_state(self):
        """Nothing that an interrupted training would have to find again."""
        return {}

    def on_epoch_end(self, epoch, logs=None):
        """Scores the stories."""
        if logs is not None:
            logs["val_gap"] = self._loss() - self.floor

    def _loss(self):
        total = 0.0
        for start in range(0, len(self._ids), self._batch_size):
            ids = self._ids[start : start + self._batch_size]
            logits = self.model.predict_on_batch(ids[:, :-1])  # (B, T, V)
            total += token_losses(logits, check_ids(ids, logits.shape[-1])[:, 1:]).sum()
        return float(total / np.count_nonzero(self._ids[:, 1:]))


class TextSample(keras.callbacks.Callback):
    """Prints a text after an epoch: what the model writes by now.

    List it after `EpochReport`, which closes its line at the end of the epoch.

    Args:
        generate: a function without arguments that returns the text.
        every: 1 for every epoch, 2 for every second one, and so on.

    Raises:
        TypeError: if `generate` is not a function.
        ValueError: if `every` is not a whole number of at least 1.

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
        check_whole("every", every)
        self._generate, self._every = generate, every

    def get_state(self):
        """Nothing that an interrupted training would have to find again."""
        return {}

    def on_epoch_end(self, epoch, logs=None):
        """Prints the text, if it is due."""
        if (epoch + 1) % self._every == 0:
            print(f"    after epoch {epoch + 1}: {self._generate()}", flush=True)
